"""The script that compares all runtimes on real and strange texts."""

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bayespress.compact import CompactGRU, CompactLSTM, save
from bayespress.runtime import TextPredictor
from bayespress.storage import CACHE_VARIABLE
from bayespress.text import Tokenizer
from tests.compact.strategies import encoder_of, random_model, random_network
from tests.loading import load_file

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_runtimes.py"
NEEDED = {"C library": "cc", "C program": "cc", "JavaScript": "node"}


@pytest.fixture(scope="module")
def script():
    return load_file(SCRIPT)


@pytest.fixture(scope="module")
def texts(script):
    return script.texts_of("demo", "test", 100)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


def model_of(texts):
    """A model that knows each text's words, each of which moves it."""
    words = Counter(word for text in texts for word in Tokenizer(True).words(text))
    encoder = encoder_of(list(words), lowercase=True)
    return random_model(encoder, 4, 6, range(0, 24, 2), 3, activation="sigmoid")


def test_all_runtimes_agree_on_real_and_strange_texts(script, texts, tmp_path):
    mixed = script.mixed(texts, 0.5)
    # Strange words are known too: what is lowercased wrongly is another word.
    lines = list(script.check(model_of(mixed), mixed, tmp_path))
    assert [line["runtime"] for line in lines] == list(script.RUNTIMES)
    for line in lines:
        if needed := NEEDED.get(line["runtime"]):
            assert ("skipped" in line) == (shutil.which(needed) is None)
        else:
            assert "skipped" not in line
        if "skipped" not in line:
            assert line["texts"] == len(mixed) == 150
            assert line["non_ascii"] >= 40
            assert line["largest_difference"] <= script.LIMIT


@pytest.mark.parametrize("kind", [CompactLSTM, CompactGRU])
@pytest.mark.parametrize("multi_label", [False, True])
def test_runtimes_agree_on_any_network(script, texts, tmp_path, kind, multi_label):
    mixed = script.mixed(texts, 0.5)
    encoder = model_of(mixed).encoder
    model = random_network(
        encoder, kind, [[3, 2], [2, 4]], outputs=3, pooling="mean", multi_label=multi_label
    )
    lines = list(script.check(model, mixed, tmp_path))
    assert [line["runtime"] for line in lines] == list(script.RUNTIMES)
    ran = [line for line in lines if "skipped" not in line]
    assert len(ran) >= 3  # numpy and ONNX need no compiler and no node
    assert all(line["largest_difference"] <= script.LIMIT for line in ran)


def test_a_program_that_tells_the_labels_of_a_text_is_held_to_all_of_them(script):
    model = random_network(encoder_of("ab"), CompactGRU, [[2]], outputs=3, multi_label=True)
    model = dataclasses.replace(model, labels=("x", "y\tz", "w"))
    (right,) = TextPredictor(model).predict_proba(["a b"])
    told = [
        f"{label}\t{probability:.6f}"
        for label, probability in zip(model.labels, right, strict=True)
        if probability >= 0.5
    ]
    assert 0 < len(told) < 3
    found = script._of_several_labels(model, ["a b"] * 2, ["\t".join(told), ""])
    np.testing.assert_allclose(found[0], right, atol=1e-6)
    # What it did not tell is known to be no more than a half.
    np.testing.assert_allclose(found[1], np.minimum(right, 0.5), atol=1e-6)


def test_copies_are_equal_for_equal_seeds_and_hold_every_kind(script, texts):
    mixed = script.mixed(texts, 0.5)
    assert mixed == script.mixed(texts, 0.5)
    assert mixed != script.mixed(texts, 0.5, seed=1)
    assert mixed[:100] == texts
    copies = " ".join(mixed[100:])
    for pieces in script.STRANGE.values():
        assert any(piece in copies for piece in pieces)


@pytest.mark.parametrize("wrong", [2e-5, np.nan])
def test_a_runtime_that_differs_is_told_by_the_exit_code(
    script, texts, tmp_path, monkeypatch, capsys, wrong
):
    def differing(model, folder):
        runtime = script.RUNTIMES["numpy batched"](model, folder)
        return lambda texts: runtime(texts) + wrong * (np.arange(len(texts)) == 3)[:, None]

    save(model_of(texts), tmp_path / "model.bpr")
    few = {name: script.RUNTIMES[name] for name in ("numpy batched", "numpy one by one")}
    monkeypatch.setattr(script, "RUNTIMES", few)
    arguments = [str(tmp_path / "model.bpr"), "demo", "--texts", "20"]
    assert script.main(arguments) == 0
    monkeypatch.setattr(script, "RUNTIMES", {**few, "differing": differing})
    assert script.main(arguments) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["runtime"] for line in lines] == [*few, *few, "differing"]


def test_a_source_that_is_not_there_is_refused(script, tmp_path, capsys):
    save(model_of(["good"]), tmp_path / "model.bpr")
    with pytest.raises(SystemExit):
        script.main([str(tmp_path / "model.bpr"), "no.csv"])
    assert "there is no such file or folder; check the path" in capsys.readouterr().err
