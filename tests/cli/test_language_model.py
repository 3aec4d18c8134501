"""Language models as a user types them: generate, evaluate, inspect, and the wrong command."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bayespress import compact, data
from bayespress.runtime import LanguageModel
from tests.cli.helpers import call, refused, worked
from tests.cli.test_interruption import PROGRAM, WATCHED, started
from tests.cli.test_mistakes import call_without
from tests.compact.language_strategies import (
    char_encoder,
    random_language_model,
    word_encoder,
)
from tests.compact.strategies import small_model

INFO = {
    "code": "LLLL",
    "compression_ratio": 12.0,
    "dense_bytes": 100_000,
    "words": [3, 9],
    "dims": None,
}


@pytest.fixture
def words():
    """A model of words that knows ``<unk>``, saved as ``words.bpr``."""
    encoder = word_encoder("<unk>")
    model = random_language_model(encoder, 3, [0, 1, 2, 6, 7], [0, 1, 3], info=INFO)
    compact.save(model, "words.bpr")
    return LanguageModel(model)


@pytest.fixture
def characters():
    """A model of characters, saved as ``characters.bpr``."""
    model = random_language_model(char_encoder("\n abcé"), 3, window=5)
    compact.save(model, "characters.bpr")
    return LanguageModel(model)


@pytest.fixture
def text(monkeypatch):
    """Let every source be one text; remember how it was asked for."""
    asked = []

    def load_text_split(config, split):
        asked.append((config, split))
        return "the dog sat .\nthe cat sat .\n"

    monkeypatch.setattr(data, "load_text_split", load_text_split)
    return asked


def test_generate_prints_the_prompt_and_what_comes_after_it(words):
    said = worked("generate", "words.bpr", "--prompt", "the cat", "--length", "12", "--seed", "3")
    assert said == "the cat" + "".join(words.generate("the cat", 12, seed=3)) + "\n"
    assert said == worked(
        "generate", "words.bpr", "--prompt", "the cat", "--length", "12", "--seed", "3"
    )


def test_generate_takes_a_temperature_and_has_defaults(characters):
    assert worked("generate", "characters.bpr") == "".join(characters.generate("", 100)) + "\n"
    cold = worked("generate", "characters.bpr", "--temperature", "0", "--length", "9")
    assert cold == "".join(characters.generate("", 9, temperature=0)) + "\n"


def test_generate_reads_a_runs_folder(words):
    Path("run").mkdir()
    Path("words.bpr").rename("run/model.bpr")
    assert worked("generate", "run", "--length", "3")


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        (["--temperature", "-1"], "temperature must be finite and at least 0, got -1.0"),
        (["--temperature", "nan"], "temperature must be finite and at least 0, got nan"),
        (["--temperature", "warm"], "'warm' is not a valid float"),
        (["--length", "-1"], "length must be at least 0, got -1"),
        (["--length", "x"], "'x' is not a valid integer"),
        (["--seed", "-1"], "seed must be at least 0, got -1"),
        (["--prompt", "abc x"], "the model does not know 'x' and has no <unk>: take that out of"),
    ],
)
def test_generate_refuses_before_it_writes(characters, flags, rule):
    done = call("generate", "characters.bpr", *flags)
    assert (done.code, done.out) == (2, "")
    assert rule in refused("generate", "characters.bpr", *flags)


def test_the_wrong_command_for_a_kind_of_model_names_the_right_one(words):
    compact.save(small_model(), "classifier.bpr")
    assert refused("predict", "words.bpr", "x") == (
        "error: words.bpr is a language model and names no classes: "
        "let it write with 'bayespress generate'"
    )
    assert refused("generate", "classifier.bpr") == (
        "error: classifier.bpr is a classifier and writes no text: "
        "give it texts with 'bayespress predict'"
    )


@pytest.mark.parametrize("name", ["no.bpr", "notes.bpr"])
def test_generate_names_a_file_that_is_no_model(name):
    Path("notes.bpr").write_text("notes")
    assert refused("generate", name).startswith(f"error: {name} ")


def test_evaluate_measures_words_by_their_perplexity(words, text):
    said = worked("evaluate", "words.bpr", "book.txt", "--split", "all")
    result = words.evaluate("the dog sat .\nthe cat sat .\n")
    assert said.splitlines() == [
        "tokens              9 predicted (book.txt, all)",
        "unknown tokens      1",
        f"perplexity          {result.perplexity:,.2f}",
        f"nll                 {result.nll:.4f} nats",
    ]
    ((config, split),) = text
    assert (config.task, config.source, split) == ("lm", "book.txt", "all")


def test_evaluate_measures_characters_by_their_bits(characters, text):
    said = worked("evaluate", "characters.bpr", "book.txt")
    result = characters.evaluate("the dog sat .\nthe cat sat .\n")
    assert f"bits per character  {result.bits_per_token:.4f}\n" in said
    assert "perplexity" not in said
    assert text[0][1] == "test"


def test_evaluate_prints_one_json_object(words, text):
    found = json.loads(worked("evaluate", "words.bpr", "book.txt", "--json"))
    assert found == words.evaluate("the dog sat .\nthe cat sat .\n").to_dict()


def test_evaluate_takes_a_file_as_one_whole_text(words):
    text = "the cat sat .\nthe dog, the (cat)\n" * 20
    Path("book.txt").write_text(text)
    found = json.loads(worked("evaluate", "words.bpr", "book.txt", "--split", "all", "--json"))
    assert found == words.evaluate(text).to_dict()
    assert found["unknown"] == 20 * 2  # "dog" and ")"


def test_evaluate_reads_a_runs_own_source_as_the_run_did(words, text):
    Path("run").mkdir()
    Path("words.bpr").rename("run/model.bpr")
    Path("run/config.toml").write_text(
        '[data]\ntask = "lm"\nsource = "book.txt"\ntest_fraction = 0.4\n'
    )
    worked("evaluate", "run", "book.txt")
    worked("evaluate", "run", "other.txt")
    assert [config.test_fraction for config, _ in text] == [0.4, 0.15]


def test_a_classifier_is_evaluated_on_labelled_texts(monkeypatch):
    compact.save(small_model(), "classifier.bpr")
    asked = []
    monkeypatch.setattr(data, "load_split", lambda config, _: asked.append(config) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("evaluate", "classifier.bpr", "book.txt")
    assert asked[0].task == "classify"


def test_evaluate_needs_two_tokens(characters, monkeypatch):
    monkeypatch.setattr(data, "load_text_split", lambda *_: "a")
    assert "the text has 1 tokens that the model knows; at least two are needed" in refused(
        "evaluate", "characters.bpr", "book.txt"
    )


def test_inspect_shows_what_a_language_model_reads(words):
    said = worked("inspect", "words.bpr")
    size = Path("words.bpr").stat().st_size
    for line in (
        f"file                {size:,} bytes, ",
        "language model      of words\n",
        "tokens              11 can be predicted, 3 of them are read\n",
        "letter code         LLLL\n",
        "compression_ratio                 12.0x",
        "size_ratio ",
        "words               3 of 9\n",
        "5 of 12 gates are computed (~), the others are constant:",
    ):
        assert line in said
    lines = said.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("kept token"))
    assert {line.split()[0] for line in lines[head + 1 : head + 4]} == {"the", "cat", "."}
    short = worked("inspect", "words.bpr", "--words", "1", "--neurons", "0")
    assert "… and 2 more (--words 3)" in short
    assert "… and 3 more (--neurons 3)" in short


def test_inspect_shows_characters_that_cannot_be_seen(characters):
    said = worked("inspect", "characters.bpr")
    assert "language model      of characters, windows of 5\n" in said
    assert "\n'\\n' " in said
    assert "\n' ' " in said
    assert "\né " in said


def test_inspect_json_has_all_that_is_known(words):
    found = json.loads(worked("inspect", "words.bpr", "--json"))
    assert {word["word"] for word in found["words"]} == {"the", "cat", "."}
    assert (found["tokens"], found["level"], found["neurons"]) == (11, "word", 3)
    assert found["info"] == INFO
    assert found["live_gates"] == 5


def test_a_reader_who_has_seen_enough_hears_no_complaint(characters):
    command = [*PROGRAM, "generate", "characters.bpr", "--length", "1000000000"]
    with started(command) as process:
        assert len(process.stdout.read(50)) == 50
        process.stdout.close()
        assert process.stderr.read() == b""


def test_ctrl_c_ends_a_text(characters):
    command = [*PROGRAM, "generate", "characters.bpr", "--length", "1000000000"]
    with started(command) as process:
        assert process.stdout.read(50)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (130, b"\nstopped\n")


def test_tokens_are_shown_as_they_are_made(characters):
    command = [*PROGRAM, "generate", "characters.bpr", "--prompt", "ab", "--length", "1000000000"]
    with started(command, text=True, env={**os.environ, "PYTHONUTF8": "1"}) as process:
        shown = process.stdout.read(40)
        process.kill()
    assert shown == ("ab" + "".join(characters.generate("ab", 60)))[:40]


def test_what_cannot_be_written_in_the_locale_is_written_as_utf_8(characters):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [*PROGRAM, "generate", "characters.bpr"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    text = "".join(characters.generate("", 100))
    assert "é" in text
    assert done.stdout.decode("utf-8") == f"{text}\n"


@pytest.mark.parametrize(
    "arguments", [["generate", "words.bpr"], ["inspect", "words.bpr"]], ids=" ".join
)
def test_finished_language_models_need_no_extra(words, arguments):
    done = call_without("torch,safetensors,tomli_w,pooch,requests,pyarrow,datasets", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == worked(*arguments)


def test_generate_imports_nothing_heavy(words):
    command = [sys.executable, "-W", "error", "-c", WATCHED, "generate", "words.bpr"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("\n[]\n"), done.stderr
