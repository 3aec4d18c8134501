"""Language models from text files to a model that writes, and the mistakes on that way."""

import json
import os
import shlex
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bayespress import compact, data, recipes
from bayespress.cli import train
from bayespress.cli.display import cells, columns_for, layer_lines
from bayespress.data import TextSplits
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.errors import ConfigError
from bayespress.history import read_history
from tests.cli.helpers import TINY_LANGUAGE, call, refused, worked
from tests.cli.test_display import final, shown
from tests.cli.test_happy_path import RUN_FILES
from tests.cli.test_interruption import GO_ON, kill_at
from tests.cli.test_mistakes import snapshot, train_refused
from tests.training.language_helpers import LEVELS, lines

WINDOWS = ("--level", "char", "--batch-size", "8", "--segment-length", "30")
FLAGS = {"word": (), "char": WINDOWS}
HEADS = {
    "word": "epoch train perplexity KL weight compression inputs neurons gates s",
    "char": "epoch train bits/char KL weight compression inputs neurons gates s",
}
every_level = pytest.mark.parametrize("level", LEVELS)


@dataclass(frozen=True)
class TrainedOnText:
    level: str
    source: str
    run: Path
    said: str

    @property
    def model(self):
        return self.run / "model.bpr"


@pytest.fixture(scope="module", params=LEVELS)
def trained(request, tmp_path_factory):
    """A finished run on two text files."""
    folder = tmp_path_factory.mktemp("text")
    files = [folder / name for name in ("one.txt", "two.txt")]
    for seed, file in enumerate(files, 1):
        file.write_text(lines(40, seed))
    said = worked(
        *("train", *files, "LCIL", *TINY_LANGUAGE, "--level", request.param),
        *(*FLAGS[request.param], "--epochs", "4", "--test-fraction", "0.25"),
        *("--output", folder / "run"),
    )
    return TrainedOnText(request.param, os.pathsep.join(map(str, files)), folder / "run", said)


@pytest.fixture
def book(tmp_path):
    """A text of the test's own."""
    file = tmp_path / "book.txt"
    file.write_text(lines(60, 1))
    return file


def result_of(run):
    return json.loads((run / "result.json").read_text())


def test_training_reads_all_files_and_prints_epochs_and_figures(trained):
    said = trained.said.splitlines()
    assert said[0] == f"reading {trained.source}"
    assert said[1].split() == HEADS[trained.level].split()
    assert sum("Linear: output" in line for line in said) == 4
    assert not any("Embedding" in line for line in said)
    assert sorted(path.name for path in trained.run.iterdir()) == RUN_FILES
    measure = {"word": "perplexity", "char": "bits/char"}[trained.level]
    for text in (
        f"test {measure}, masked network", f"test {measure}, shipped file", "words read",
        "compression_ratio", "dense_ratio", "size_ratio", "shipped file",
    ):  # fmt: skip
        assert text in trained.said
    assert said[-1] == f'next: bayespress generate {trained.run} --prompt "The"'
    assert max(map(len, said[1:-1])) <= 80
    whole = data.load_text_split(data.loading.DataConfig(source=trained.source), "all")
    assert whole == lines(40, 1) + lines(40, 2)


def test_the_figure_of_each_epoch_is_the_historys(trained):
    said = trained.said.splitlines()
    for record in read_history(trained.run / "history.jsonl"):
        row = cells(record, trained.level)
        expected = (
            f"{record.validation_perplexity:.2f}"
            if trained.level == "word"
            else f"{record.validation_bits:.3f}"
        )
        assert row[2] == expected
        assert list(row) in [line.removesuffix(" best").split() for line in said]


def test_compress_writes_the_file_that_training_did(trained):
    said = worked("compress", trained.run, "--output", "small.bpr", "--precision", "float32")
    for name in ("words", "neurons", "gates", "bytes", "compression_ratio", "size_ratio"):
        assert f"  {name} " in said
    assert "dims" not in said
    assert "  perplexity " in said
    assert Path("small.bpr").read_bytes() == trained.model.read_bytes()
    worked("compress", trained.run, "--output", "rounded.bpr")
    assert Path("rounded.bpr").stat().st_size < trained.model.stat().st_size
    line = refused("compress", trained.run, "--output", "x.bpr", "--max-length", "9")
    assert line == "error: a language model reads all of a text: leave --max-length out"


def test_evaluate_reads_a_runs_own_text_as_the_run_did(trained):
    result = result_of(trained.run)
    figures = json.loads(worked("evaluate", trained.run, trained.source, "--json"))
    assert figures["tokens"] == result["test_tokens"] > 0
    assert figures["nll"] == result["test_nll_file"]
    assert figures["level"] == trained.level
    flags = ("--split", "all", "--json")
    every = json.loads(worked("evaluate", trained.model, trained.source, *flags))
    assert every["tokens"] > 3 * figures["tokens"]
    # The file alone does not know how much of the text the run kept for testing.
    usual = json.loads(worked("evaluate", trained.model, trained.source, "--json"))
    assert usual["tokens"] < figures["tokens"]
    said = worked("evaluate", trained.run, trained.source)
    shown_as = f"{result['test_perplexity']:,.2f}", f"{result['test_bits_per_token']:.4f}"
    assert shown_as[trained.level == "char"] in said


def test_the_model_writes_and_is_inspected(trained):
    said = worked("generate", trained.run, "--prompt", "uh one", "--length", "12", "--seed", "3")
    assert said.startswith("uh one")
    assert said == worked(
        "generate", trained.model, "--prompt", "uh one", "--length", "12", "--seed", "3"
    )
    found = json.loads(worked("inspect", trained.run, "--json"))
    assert found["info"]["code"] == "LCIL"
    assert found["level"] == trained.level
    assert compact.load(trained.model).window == (None if trained.level == "word" else 30)


def test_a_second_look_at_a_finished_run_trains_nothing(trained):
    history = (trained.run / "history.jsonl").read_bytes()
    said = worked("train", "--resume", "--output", trained.run)
    assert f"the run in {trained.run} is finished" in said
    assert "words read" in said
    assert "bayespress generate" in said
    assert (trained.run / "history.jsonl").read_bytes() == history


@pytest.fixture
def started(monkeypatch):
    """Let nothing be trained; remember what would have been, and where."""
    runs = []
    monkeypatch.setattr(train, "run_and_say_next", lambda *run, **_: runs.append(run))
    return runs


@pytest.mark.parametrize("flags", [["demo", "--task", "lm"], ["--recipe", "demo-lm"]])
def test_the_demo_of_language_models_is_a_recipe(started, flags):
    worked("train", *flags)
    (config, folder, _), expected = started[0], recipes.read("demo-lm").settings
    assert config.data.task == "lm"
    assert expected.items() <= config.flat().items()
    assert folder == Path("runs/demo-LLRL")


def test_characters_of_the_demo_have_settings_of_their_own(started):
    worked("train", "demo", "LCIL", "--task", "lm", "--level", "char")
    (config, folder, _), plain = started[0], {"source": "demo", "task": "lm", "level": "char"}
    assert folder == Path("runs/demo-LCIL")
    # Rare characters have no stand-in, as rare words have.
    expected = {"min_documents": 1, "lowercase": True, "carry_state": False, **plain}
    assert expected.items() <= config.flat().items()


def test_the_demo_of_classifiers_is_as_it_was(started):
    worked("train", "demo")
    config, folder, _ = started[0]
    assert config.data.task == "classify"
    assert folder == Path("runs/demo-LLLLLL")


def test_the_demo_of_language_models_trains(monkeypatch):
    splits = TextSplits(lines(60, 1), lines(20, 2), lines(20, 3))
    monkeypatch.setattr(data, "load_text", lambda _: splits)
    tiny = ("--hidden-size", "6", "--batch-size", "4", "--epochs", "2")
    said = worked("train", "demo", "--task", "lm", *tiny)
    assert 'next: bayespress generate runs/demo-LLRL --prompt "The"' in said
    assert result_of(Path("runs/demo-LLRL"))["test_tokens"] > 0


@pytest.mark.parametrize(
    ("words", "said", "expected"),
    [
        ([], {}, (None, None)),
        (["book.txt"], {"task": "lm"}, ("book.txt", None)),
        (["LCIL"], {"task": "lm"}, ("LCIL", None)),
        (["book.txt", "LCIL"], {"task": "lm"}, ("book.txt", "LCIL")),
        (["book.txt", "w+g+n"], {"task": "lm"}, ("book.txt", "w+g+n")),
        (["book.txt", "Dense"], {"task": "lm"}, ("book.txt", "Dense")),
        (["book.txt", "LLLLLL"], {"task": "lm"}, ("book.txt", "LLLLLL")),
        (["a.txt", "book.txt", "w"], {"task": "lm"}, (os.pathsep.join(["a.txt", "book.txt"]), "w")),
        (["a.txt", "no.txt"], {"task": "lm"}, (os.pathsep.join(["a.txt", "no.txt"]), None)),
        (["a.txt", "essays"], {"task": "lm"}, (os.pathsep.join(["a.txt", "essays"]), None)),
        (["a.txt", "novels"], {"task": "lm"}, ("a.txt", "novels")),
        # A file that is named like a code is that file, for what may have several sources.
        (["a.txt", "LLRL"], {"task": "lm"}, (os.pathsep.join(["a.txt", "LLRL"]), None)),
        (["a.txt", "LLRL", "w"], {"task": "lm"}, (os.pathsep.join(["a.txt", "LLRL"]), "w")),
        (["a.txt", "LLRL"], {}, ("a.txt", "LLRL")),
        (["ptb-word", "LLRL"], {}, ("ptb-word", "LLRL")),
        (["demo", "LLRL"], {"task": "lm"}, ("demo", "LLRL")),
        (["ptb-char", "w+voc"], {}, ("ptb-char", "w+voc")),
        (["reviews.csv", "w"], {}, ("reviews.csv", "w")),
    ],
)
def test_sources_are_told_from_the_code_behind_them(tmp_path, words, said, expected):
    for name in ("a.txt", "book.txt", "LLRL"):
        (tmp_path / name).write_text("text")
    (tmp_path / "essays").mkdir()
    assert train.source_and_code(words, said) == expected


@pytest.mark.parametrize(
    ("words", "task", "rule"),
    [
        (["a.csv", "b.csv"], "classify", "a classifier has one source, got a.csv b.csv: put their"),
        (["a.csv", "b.csv", "LLLLLL"], "classify", "a classifier has one source, got a.csv b.csv"),
        (["demo", "a.csv"], "lm", "several sources must be files or folders: leave demo out"),
        (["ptb-word", "a.csv"], "lm", "must be files or folders: leave ptb-word out"),
        (["a.csv", "imdb", "w"], "lm", "must be files or folders: leave imdb out"),
    ],
)
def test_sources_that_cannot_be_taken_together(tmp_path, words, task, rule):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text")
    with pytest.raises(ConfigError) as error:
        train.source_and_code(words, {"task": task})
    assert rule in str(error.value)
    assert rule in train_refused(tmp_path, *words, "--task", task)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"source": "texts/book.txt", "task": "lm"}, "book-LLRL"),
        ({"source": os.pathsep.join(["b.txt.gz", "a.txt"]), "task": "lm", "code": "w"}, "b-LCCL"),
        ({"source": "letters/", "task": "lm", "code": "w+voc"}, "letters-LCIL"),
        ({"source": "ptb-word", "code": "w+g+n"}, "ptb-word-LLRL"),
        ({"source": "ptb-char"}, "ptb-char-LLRL"),
        ({"source": "demo", "task": "lm"}, "demo-LLRL"),
        ({"source": "hf:owner/name", "task": "lm", "code": "dense"}, "owner-name-DCCD"),
        ({"source": "hf:owner/name"}, "owner-name-LLLLLL"),
        ({"source": "demo"}, "demo-LLLLLL"),
    ],
)
def test_runs_are_named_by_their_first_source_and_their_code(said, name):
    assert train.default_folder(said) == Path("runs") / name


@pytest.mark.parametrize(
    ("preset", "code"), [("w", "LCCL"), ("w+voc", "LCIL"), ("w+n", "LCRL"), ("dense", "DCCD")]
)
def test_presets_are_those_of_language_models(started, book, preset, code):
    worked("train", book, "--task", "lm", "--preset", preset)
    worked("train", book, preset, "--task", "lm")
    for config, folder, _ in started:
        assert config.model.code == code
        assert folder == Path(f"runs/book-{code}")


BAD_TEXTS = {
    "empty": (b"", (), "bad.txt is empty; a language model needs text to learn from"),
    "blank": (b" \n\n", (), "bad.txt is empty; a language model needs text to learn from"),
    "bytes": (b"one\ntwo \xff\n" * 9, (), "bad.txt, line 2: byte 0xff at offset 8 is not UTF-8"),
    "short": (
        b"a few words in a line\n" * 5,
        ("--level", "char", "--segment-length", "100"),
        "tokens and needs 100: take a longer text, or lower --segment-length",
    ),
    "short streams": (
        b"a few words in a line\n" * 5,
        ("--batch-size", "40"),
        "tokens and needs 80: take a longer text, or lower --batch-size",
    ),
    "one token": (
        b"a" * 900,
        ("--level", "char"),
        "the training text has 1 distinct tokens at char level, at least two are needed",
    ),
    "no validation": (
        b"a few words in a line\n" * 30,
        ("--validation-fraction", "0"),
        "none of two tokens: raise --validation-fraction, take a longer text, or name a",
    ),
}


@pytest.mark.parametrize(("content", "flags", "rule"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_text_that_cannot_be_trained_on(tmp_path, content, flags, rule):
    (tmp_path / "bad.txt").write_bytes(content)
    assert rule in train_refused(tmp_path, "bad.txt", *TINY_LANGUAGE, *flags)


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        (
            ["LLLLLL"],
            "a language model code has 4 letters (recurrent, gates, neurons, output)",
        ),
        (["LLXL"], "letter 3 (neurons) of a language model code takes L, N, D, C, I (input words"),
        (["CLLL"], "recurrent weights cannot be constant (C)"),
        (["--preset", "w+x"], "unknown preset 'w+x'; did you mean 'w+"),
        (["LLRL", "--preset", "w"], "give a code or a preset, not both: 'LLRL' and 'w'"),
        (["no.txt"], "there is no file or folder no.txt; check the path, or what stands between"),
        (["--segment-length", "1"], "segment_length must be at least 2, got 1"),
        (["--level", "line"], "level must be one of word, char, got 'line'"),
        (["--task", "write"], "task must be one of classify, lm, got 'write'"),
        (["--clip-norm", "-1"], "clip_norm must be at least 0, got -1"),
    ],
)
def test_a_setting_that_makes_no_sense(tmp_path, book, flags, rule):
    assert rule in train_refused(tmp_path, book, *TINY_LANGUAGE, *flags)


def test_a_code_of_the_other_task_says_how_many_letters_there_are(tmp_path, book):
    assert "a classifier code has 6 letters" in train_refused(tmp_path, "demo", "LLRL")
    assert "got 'LLRL' with 4" in train_refused(tmp_path, book, "LLRL")


def test_the_treebank_that_cannot_be_fetched(tmp_path, server):
    server.point("ptb/ptb.train.txt", "0" * 32)
    done = call("train", "ptb-word", "--output", "run")
    assert done.code == 2
    line = done.err.splitlines()[-1]
    assert line.startswith("error: ")
    assert "127.0.0.1" in line
    assert "ptb.train.txt" in line
    assert f"set {DATA_VARIABLE} to a folder that holds the data" in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_treebank_cannot_be_classified(tmp_path):
    assert "ptb-char is plain text: train a language model on it with --task lm" in train_refused(
        tmp_path, "ptb-char", "--task", "classify"
    )


def test_a_resumed_run_keeps_its_settings_and_its_text(trained, book):
    before = snapshot(trained.run)
    for flags, rule in (
        (["--hidden-size", "9"], "hidden_size is 8 there, not 9; leave it out or start a new run"),
        (["--task", "classify"], "task is 'lm' there, not 'classify'"),
        ([book], "the data changed since the run in "),
        (["--epochs", "2"], "the run has 4 epochs, --epochs may only raise that"),
    ):
        assert rule in refused("train", "--resume", *flags, "--output", trained.run)
    assert snapshot(trained.run) == before
    worked("train", book, *TINY_LANGUAGE, "--epochs", "1", "--output", "run")
    book.write_text(lines(60, 9))
    assert "the data changed since the run in run began: start a new run" in refused(
        "train", "--resume", "--epochs", "2", "--output", "run"
    )


@every_level
@pytest.mark.parametrize("moment", [(1, 1), (3, 2)])
def test_a_stopped_run_says_how_to_go_on_and_loses_nothing(book, monkeypatch, level, moment):
    arguments = ["train", book, *TINY_LANGUAGE, *FLAGS[level], "--epochs", "4", "--output"]
    with monkeypatch.context() as patch:
        kill_at(patch, signal.SIGINT, *moment)
        done = call(*arguments, "run")
    assert (done.code, done.err) == (130, GO_ON)
    assert "is not finished: continue it with" in refused("generate", "run")
    said = worked(*shlex.split(GO_ON.partition("bayespress ")[2]))
    assert sum("Linear: output" in line for line in said.splitlines()) == 5 - moment[0]
    worked(*arguments, "whole")
    assert Path("run/model.bpr").read_bytes() == Path("whole/model.bpr").read_bytes()


def test_a_stopped_run_can_be_compressed_as_it_is(book, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, signal.SIGINT, 2, 1)
        call("train", book, *TINY_LANGUAGE, "--output", "run")
    assert "epoch 1 of run:" in worked("compress", "run", "--output", "early.bpr")
    assert worked("generate", "early.bpr", "--length", "3")


def large(record):
    """Figures that are as wide as they get."""
    return replace(
        record, epoch=799, nll=8.9, validation_nll=8.9, words=(20_000, 20_000),
        neurons=(1024, 1024), gates=(4096, 4096), compression_ratio=123_456.0, kl_weight=10.0,
        seconds=1234.5, weights=dict.fromkeys(record.weights, (12345678, 12345678)),
        groups=dict.fromkeys(record.groups, (20_000, 20_000)),
    )  # fmt: skip


@pytest.mark.parametrize("terminal", [True, False])
def test_the_table_of_epochs_is_no_wider_than_80_characters(trained, terminal):
    records = read_history(trained.run / "history.jsonl")
    for record in (records[-1], large(records[-1])):
        written = shown([record], width=80, terminal=terminal, level=trained.level)
        said = (final(written) if terminal else written).splitlines()
        assert max(len(line.rstrip()) for line in said) <= 80
        table = [line.removesuffix(" best").split() for line in said]
        assert HEADS[trained.level].split() in table
        assert list(cells(record, trained.level)) in table
        for line in layer_lines(record).splitlines():
            assert line in [one.rstrip() for one in said]


def test_a_figure_that_is_no_number_any_more_is_shown(trained):
    """At first perplexities may be too large to count."""
    record = read_history(trained.run / "history.jsonl")[-1]
    for nll in (12.0, 60.0, *([1000.0] if trained.level == "word" else [])):
        row = cells(replace(record, nll=nll, validation_nll=nll), trained.level)
        names = columns_for(trained.level)
        assert all(len(cell) <= len(c.widest) for cell, c in zip(row, names, strict=True)), row
