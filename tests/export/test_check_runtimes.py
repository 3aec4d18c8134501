"""The script that compares all runtimes on real and strange texts."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bayespress.compact import CompactGRU, save
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


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_program_in_c_is_asked_for_all_labels_of_a_text(script, texts, tmp_path, monkeypatch):
    words = Counter(word for text in texts for word in Tokenizer(True).words(text))
    encoder = encoder_of(list(words), lowercase=True)
    model = random_network(encoder, CompactGRU, [[3, 2], [3, 3]], outputs=4, multi_label=True)
    names = ("numpy batched", "C library", "C program")
    monkeypatch.setattr(script, "RUNTIMES", {name: script.RUNTIMES[name] for name in names})
    lines = list(script.check(model, script.mixed(texts, 0.5), tmp_path))
    assert [line["runtime"] for line in lines] == list(names)
    assert all(line["largest_difference"] <= script.LIMIT for line in lines)


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
