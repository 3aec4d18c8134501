"""A compiled classifier answers as numpy does, and is compiled once."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bayespress.compact import CompactGRU, save
from bayespress.compiler import BuildError
from bayespress.errors import DataError
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.storage import CACHE_VARIABLE
from tests.compact.strategies import encoder_of, models, networks, random_network, small_model
from tests.export.helpers import known_model, needs_compiler
from tests.export.texts import KNOWN_OR_ANY, PIECES, TEXTS


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return tmp_path / "models"


@needs_compiler
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(models(KNOWN_OR_ANY), TEXTS)
def test_it_equals_numpy(cache, model, texts):
    native, numpy = NativePredictor(model), TextPredictor(model)
    assert native.labels == numpy.labels
    expected = numpy.predict_proba(texts)
    found = native.predict_proba(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert native.predict(texts) == [native.labels[row.argmax()] for row in found]
    ids = [model.encoder.encode(text) for text in texts]
    np.testing.assert_array_equal(native.predict_proba_of_ids(ids), found)
    np.testing.assert_allclose(numpy.predict_proba_of_ids(ids), expected, atol=1e-6)


@needs_compiler
@settings(
    deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(networks(KNOWN_OR_ANY), TEXTS)
def test_a_network_of_any_kind_equals_numpy(cache, model, texts):
    native, numpy = NativePredictor(model), TextPredictor(model)
    found = native.predict_proba(texts)
    np.testing.assert_allclose(found, numpy.predict_proba(texts), atol=1e-5)
    ids = [model.encoder.encode(text) for text in texts]
    np.testing.assert_array_equal(native.predict_proba_of_ids(ids), found)


@needs_compiler
def test_memory_grows_with_the_longest_text(cache):
    model = random_network(encoder_of(["a", "b"]), CompactGRU, [[3, 2], [9, 1]], pooling="mean")
    native, numpy = NativePredictor(model), TextPredictor(model)
    texts = ["", "a", "a b " * 500, "x" * 5000, "b"]
    np.testing.assert_allclose(native.predict_proba(texts), numpy.predict_proba(texts), atol=1e-5)
    ids = [np.arange(length, dtype=np.int32) % 3 for length in (0, 3, 700, 1)]
    expected = numpy.predict_proba_of_ids(ids)
    np.testing.assert_allclose(native.predict_proba_of_ids(ids), expected, atol=1e-5)
    for nothing in (native.predict_proba([]), native.predict_proba_of_ids([])):
        assert nothing.shape == (0, 2)
    with pytest.raises(DataError, match="got 3 in text 1"):
        native.predict_proba_of_ids([ids[2], np.array([0, 3], np.int32)])


@needs_compiler
@pytest.mark.parametrize("kind", [NativePredictor, TextPredictor])
@pytest.mark.parametrize("strange", [-1, 4])
def test_ids_without_a_vector_are_refused(cache, kind, strange):
    ready = kind(small_model())
    ids = [np.array(text, np.int32) for text in ([], [0, 3], [1, strange])]
    message = f"ids must be from 0 to 3, got {strange} in text 2: encode texts with this model's"
    with pytest.raises(DataError, match=message):
        ready.predict_proba_of_ids(ids)
    assert ready.predict_proba_of_ids(ids[:2]).shape == (2, 2)
    assert ready.predict_proba_of_ids([]).shape == (0, 2)


@needs_compiler
def test_halves_of_surrogate_pairs_are_read_as_by_numpy(cache):
    texts = ["good\ud83dbad", "\udc00", "good \ud800", "aΣ\ud800", "aΣ\ud800a", "\ud800Σ"]
    expected = TextPredictor(known_model()).predict_proba(texts)
    found = NativePredictor(known_model()).predict_proba(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@needs_compiler
def test_no_texts_give_no_rows_and_one_string_is_no_list(cache):
    ready = NativePredictor(small_model())
    assert ready.predict_proba([]).shape == (0, 2)
    assert ready.predict([]) == []
    with pytest.raises(TypeError, match=r"got one string: write \[text\]"):
        ready.predict_proba("so good")


@needs_compiler
def test_the_second_start_compiles_nothing(cache):
    NativePredictor(small_model())
    files = {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert sorted(file.suffix for file in files) == ["", ".sha256", ".so"]  # and the lock
    NativePredictor(small_model())
    assert files == {file: file.stat().st_mtime_ns for file in cache.iterdir()}
    NativePredictor(small_model(seed=1))
    assert len(list(cache.iterdir())) == 5  # and the lock


@needs_compiler
def test_several_threads_use_one_predictor(cache):
    ready, texts, found = NativePredictor(known_model()), PIECES * 20, []
    expected = ready.predict_proba(texts)

    def work():
        found.append(np.array_equal(ready.predict_proba(texts), expected))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True, True]


def test_without_a_compiler_it_says_what_to_install(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "")
    with pytest.raises(BuildError, match="there is no C compiler: install gcc or clang"):
        NativePredictor(small_model())


BASE_INSTALL = """
import sys
for name in ("torch", "safetensors", "platformdirs", "pooch"):
    sys.modules[name] = None
from bayespress import compact
from bayespress.export.native import NativePredictor
print(NativePredictor(compact.load(sys.argv[1])).predict(["so good", ""]))
"""


@needs_compiler
def test_it_works_in_the_base_install(tmp_path):
    save(small_model(), tmp_path / "model.bpr")
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    environment.pop(CACHE_VARIABLE, None)
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BASE_INSTALL, tmp_path / "model.bpr"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{TextPredictor(small_model()).predict(['so good', ''])}\n"
    assert list((tmp_path / "temporary").iterdir()) == []
