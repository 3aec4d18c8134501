"""Train, compress, evaluate, predict, inspect: each command as a user types it."""

import gzip
import itertools
import json
import os
import pty
import subprocess
import sys

import pytest

from bayespress import compact, data, recipes
from bayespress.compact import CompactGRU
from bayespress.data import LabelledTexts, Splits
from bayespress.recipes import Recipe
from tests.cli.helpers import (
    TINY,
    answers,
    call,
    refused,
    rows,
    worked,
    write_csv,
    write_folder,
    write_jsonl,
)
from tests.compact.strategies import encoder_of, random_model, random_network

RUN_FILES = [
    "best.safetensors",
    "checkpoint.safetensors",
    "config.toml",
    "history.jsonl",
    "model.bpr",
    "result.json",
]


def write_source(kind):
    path = data.files.Path(f"reviews{kind}")
    if kind == "":
        return write_folder(path, rows())
    if kind == ".jsonl":
        return write_jsonl(path, rows())
    if kind == ".txt":
        path.write_text("\n".join(f"__label__{label} {text}" for text, label in rows()))
        return path
    if kind == ".csv.gz":
        path.write_bytes(gzip.compress(write_csv(data.files.Path("x.csv"), rows()).read_bytes()))
        return path
    return write_csv(path, rows(), delimiter="\t" if kind == ".tsv" else ",")


@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl", ".txt", ".csv.gz", ""])
def test_every_kind_of_source_leads_to_a_model(tmp_path, kind):
    source = write_source(kind)
    said = worked("train", source, "w+g+n", *TINY, "--epochs", "10")
    run = tmp_path / "runs" / "reviews-LLLLLL"
    assert sorted(path.name for path in run.iterdir()) == RUN_FILES
    assert 'next: bayespress predict runs/reviews-LLLLLL "a text of yours"' in said
    result = json.loads((run / "result.json").read_text())
    figures = json.loads(worked("evaluate", run, source, "--json"))
    assert figures["texts"] == result["test_texts"] == 18
    assert figures["accuracy"] == result["test_accuracy_file"] > 0.8
    assert [one["label"] for one in answers(run, "a good plot", "a bad plot")] == ["good", "bad"]


def test_training_prints_epochs_and_the_three_ratios(trained):
    lines = trained.said.splitlines()
    assert lines[0] == f"reading {trained.source}"
    assert lines[1].split() == (
        [
            "epoch",
            "train",
            "valid.",
            "KL",
            "weight",
            "compression",
            "words",
            "dims",
            "neurons",
            "gates",
            "s",
        ]
    )
    assert sum("Linear: output" in line for line in lines) == 8
    assert lines[2].endswith(" best")
    for name in ("compression_ratio", "dense_ratio", "size_ratio", "shipped file"):
        assert name in trained.said
    assert "100.00%" in trained.said


@pytest.mark.parametrize("split", ["test", "validation", "train", "all"])
def test_evaluate_takes_any_split(trained, split):
    counts = {"test": 18, "validation": 15, "train": 87, "all": 120}
    said = worked("evaluate", trained.model, trained.source, "--split", split)
    assert f"texts     {counts[split]} ({trained.source}, {split})" in said
    assert "accuracy  100.00%" in said
    assert said.splitlines()[4].split() == ["class", "texts", "recall", "precision"]


def test_evaluate_reads_a_runs_own_source_as_the_run_did(tmp_path):
    source = write_csv(tmp_path / "stars.csv", rows(), header=("review", "stars"))
    columns = ["--text-column", "review", "--label-column", "stars", "--test-fraction", "0.4"]
    worked("train", source, *TINY, *columns, "--epochs", "2", "--output", "run")
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    figures = json.loads(worked("evaluate", "run", source, "--json"))
    assert figures["texts"] == result["test_texts"] == 48
    assert figures["accuracy"] == result["test_accuracy_file"]
    assert "has no column 'text'" in refused("evaluate", "run/model.bpr", source)
    assert json.loads(worked("evaluate", "run/model.bpr", source, *columns, "--json")) == figures


def test_predict_answers_each_text_with_one_json_object(trained):
    first, second = answers(trained.model, "so good", "bad bad")
    assert (first["label"], second["label"]) == ("good", "bad")
    for answer in (first, second):
        assert list(answer) == ["label", "probability", "probabilities"]
        assert answer["probability"] == max(answer["probabilities"].values())
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_predict_answers_every_line_of_standard_input(trained):
    lines = ["good film", "", "schlecht ünd grün 🎬 \u2028 good", "   ", "bad \u85cf"]
    for end, last in itertools.product(["\n", "\r\n"], ["", "\n"]):
        stdin = (end.join(lines) + last).encode()
        assert answers(trained.run, stdin=stdin) == answers(trained.run, *lines)
    assert answers(trained.run, stdin=b"\xef\xbb\xbfgood film\n") == answers(
        trained.run, "good film"
    )
    assert worked("predict", trained.run, stdin=b"") == ""


def test_a_line_longer_than_what_is_read_at_once_is_one_text(trained):
    long = "good " * 40_000
    found = answers(trained.run, stdin=f"bad\n{long}\nbad".encode())
    assert found == answers(trained.run, "bad", long, "bad")


def test_inspect_shows_sizes_words_and_gates(trained):
    said = worked("inspect", trained.run)
    assert f"file                {trained.model.stat().st_size:,} bytes" in said
    for name in ("compression_ratio", "dense_ratio", "size_ratio", "kept word", "neuron  "):
        assert name in said
    assert "classes             bad, good" in said
    assert "… and" not in said
    short = worked("inspect", trained.run, "--words", "1", "--neurons", "0")
    assert "more (--words 2)" in short
    assert "more (--neurons " in short


def test_inspect_json_has_all_that_is_known(trained):
    found = json.loads(worked("inspect", trained.model, "--json"))
    assert found["file_bytes"] == trained.model.stat().st_size
    assert found["size_ratio"] > 1
    assert found["info"]["compression_ratio"] > 1
    assert found["info"]["dense_ratio"] > 1
    weights = [word["weight"] for word in found["words"]]
    assert weights == sorted(weights, reverse=True)
    assert {"good": "good", "bad": "bad"}.items() <= {
        word["word"]: word["toward"] for word in found["words"]
    }.items()
    gates = [gate for neuron in found["gates"] for gate in neuron.values()]
    assert len(gates) == 4 * found["neurons"]
    assert sum(gate is None for gate in gates) == found["live_gates"]


def test_constant_gates_are_shown_with_their_values():
    compact.save(random_model(encoder_of(["good", "naïve"]), 2, 2, [0, 5], 3), "m.bpr")
    gates = json.loads(worked("inspect", "m.bpr", "--json"))["gates"]
    assert [[name for name, value in neuron.items() if value is None] for neuron in gates] == [
        ["i"],
        ["g"],
    ]
    *_, head, first, second = worked("inspect", "m.bpr").splitlines()
    assert head.split() == ["neuron", "i", "f", "g", "o"]
    for number, line in enumerate((first, second)):
        shown = ["~" if v is None else f"{v:.3f}" for v in gates[number].values()]
        assert line.split() == [str(number), *shown]


def test_inspect_shows_the_gates_of_every_cell():
    model = random_network(encoder_of(["good", "bad"]), CompactGRU, [[2, 1], [3, 1]], outputs=2,
                           multi_label=True)  # fmt: skip
    compact.save(model, "m.bpr")
    said = worked("inspect", "m.bpr")
    assert "labels              class 0, class 1 (a text may have several, or none)" in said
    assert "21 of 21 gates are computed (~)" in said
    lines = [line.split() for line in said.splitlines()]
    assert lines.count(["neuron", "r", "z", "n"]) == 4
    assert "layer 2, forwards: 9 of 9" in said.splitlines()
    assert lines.count(["0", "~", "~", "~"]) == 4
    short = worked("inspect", "m.bpr", "--neurons", "3").splitlines()
    assert "layer 2, backwards: 3 of 3" in short
    assert short[-1] == "… and 4 more (--neurons 7)"
    assert sum(line.startswith("neuron") for line in short) == 2
    found = json.loads(worked("inspect", "m.bpr", "--json"))
    assert found["multi_label"]
    assert found["cells"][3] == {
        "kind": "gru", "layer": 2, "backward": True, "neurons": 1, "live_gates": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    "labels",
    [("1", "2", "10"), ("böse", "好", "🎉"), ("[red]a[/red]", "b, c", 'd "e"'), ("bad", "good")],
)
def test_labels_may_be_numbers_or_any_text(tmp_path, labels):
    texts = ["uno", "dos", "tres"][: len(labels)]
    label_of = dict(zip(texts, labels, strict=True))
    made = [(text, label_of[word]) for text, word in rows(150, texts)]
    source = write_csv(tmp_path / "labels.csv", made)
    quickly = ["--preset", "dense", "--epochs", "12", "--output", "[run]"]
    worked("train", source, *TINY, *quickly)
    assert [one["label"] for one in answers("[run]", *texts)] == list(labels)
    figures = json.loads(worked("evaluate", "[run]", source, "--json"))
    assert list(figures["classes"]) == list(labels)
    said = worked("evaluate", "[run]", source, "--split", "all")
    assert all(label in said for label in labels)
    assert ", ".join(labels) in worked("inspect", "[run]")


def test_number_labels_of_json_become_text(tmp_path):
    source = write_jsonl(tmp_path / "n.jsonl", [(t, int(n)) for t, n in rows(80, ("0", "1"))])
    worked("train", source, *TINY, "--epochs", "2")
    assert {one["label"] for one in answers("runs/n-LLLLLL", "0", "1")} <= {"0", "1"}


def test_recipes_are_listed_and_shown():
    listed = worked("recipes", "ls")
    assert [line.split()[0] for line in listed.splitlines()] == recipes.names()
    assert worked("recipes", "show", "imdb-w") == recipes.read("imdb-w").text


@pytest.fixture
def tiny_recipe(monkeypatch, source):
    """Let every recipe be a tiny one."""
    settings = {"source": str(source), "code": "LLLLLL", "epochs": 6, "finetune_epochs": 2}
    numbers = {"embedding_size": 6, "hidden_size": 5, "batch_size": 16, "min_documents": 1}
    recipe = Recipe("tiny", "Tiny", "", {**settings, **numbers, "learning_rate": 0.02}, {})
    monkeypatch.setattr(recipes, "read", lambda _: recipe)
    return recipe


def test_recipes_run_trains(tiny_recipe, tmp_path):
    worked("recipes", "run", "tiny", "--seed", "7")
    assert "seed = 7" in (tmp_path / "runs/tiny/config.toml").read_text()
    assert (tmp_path / "runs/tiny/model.bpr").exists()
    assert "already holds a run" in refused("recipes", "run", "tiny")
    assert "seed must be at least 0" in refused("recipes", "run", "tiny", "--seed", "-1")


def test_flags_win_over_a_recipe_and_fewer_epochs_keep_the_share_without_noise(
    tiny_recipe, tmp_path
):
    worked("train", "--recipe", "tiny", "--epochs", "3", "--hidden-size", "4", "--output", "run")
    config = (tmp_path / "run/config.toml").read_text()
    for line in ("epochs = 3", "finetune_epochs = 1", "hidden_size = 4", "embedding_size = 6"):
        assert line in config.splitlines()


def demo_splits(_config):
    made = rows(160, ("negative", "positive"))
    whole = LabelledTexts(*zip(*made, strict=True))
    parts = (range(100), range(100, 130), range(130, 160))
    return Splits(*(whole.select(part) for part in parts), ("negative", "positive"))


def test_demo_tells_the_whole_story(monkeypatch, tiny_recipe, tmp_path):
    monkeypatch.setattr(data, "load", demo_splits)
    said = worked("demo")
    for text in (
        "test accuracy, shipped file",
        "The most telling of the kept words",
        "positive +",
        "negative -",
        "Three predictions of the file",
        "A moving, funny and beautifully acted film",
        '  bayespress predict runs/demo "your own sentence"',
        '  bayespress explain runs/demo "your own sentence"',
        "  bayespress inspect runs/demo",
        "  bayespress compress runs/demo --output tiny.bpr",
        "  bayespress train reviews.csv --text-column text --label-column label",
        "  bayespress recipes ls",
    ):
        assert text in said
    assert max(map(len, said.splitlines()[1:])) <= 80
    worked("demo")
    worked("demo", "--seed", "5", "--output", "elsewhere")
    assert (tmp_path / "runs/demo-2/model.bpr").exists()
    assert "seed = 5" in (tmp_path / "elsewhere/config.toml").read_text()


def test_the_programs_own_place_is_named_where_it_is_not_on_the_path(monkeypatch, tmp_path):
    from bayespress.cli import demo  # noqa: PLC0415

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / ".venv/bin/bayespress")])
    assert demo._program() == ".venv/bin/bayespress"


def test_a_second_look_at_a_finished_run_trains_nothing(trained):
    history = (trained.run / "history.jsonl").read_bytes()
    said = worked("train", "--resume", "--output", trained.run)
    assert f"the run in {trained.run} is finished" in said
    assert "compression_ratio" in said
    assert "KL weight" not in said
    assert (trained.run / "history.jsonl").read_bytes() == history


def test_help_and_version():
    assert worked("--version").startswith("bayespress, version 0.")
    assert worked() == worked("--help") == worked("-h")
    assert worked("recipes") == worked("recipes", "--help")


@pytest.mark.parametrize(
    "names",
    [
        [],
        *(
            [name]
            for name in [
                *("demo", "train", "compress", "evaluate"),
                *("predict", "explain", "generate", "inspect", "report", "export"),
                *("doctor", "recipes"),
            ]
        ),
        *(["recipes", name] for name in ("ls", "show", "run")),
    ],
    ids=" ".join,
)
def test_every_help_has_an_example_that_is_no_longer_than_a_line(names):
    said = worked(*names, "--help")
    assert "Example:\n" in said
    assert f"\n  {' ' * 2}bayespress {' '.join(names)}".rstrip() in said
    assert len(said.splitlines()) > 4


def test_help_shows_the_defaults_of_the_settings():
    said = " ".join(worked("train", "--help").split())
    assert "--learning-rate NUMBER Adam step size [0.002; paper 0.0005]" in said
    assert "--unknown [zero|learned]" in said
    assert "--epochs INTEGER passes over the training data [300; paper 20]" in said
    assert "[SOURCE]… [CODE] Train" in said


def test_at_a_terminal_each_line_is_answered_at_once(trained):
    terminal, keyboard = pty.openpty()
    command = [sys.executable, "-m", "bayespress.cli", "predict", str(trained.run)]
    pipes = {"stdin": keyboard, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stderr.readline() == b"one text a line, please; Ctrl-D ends\n"
        for text in ("good film", "bad film"):
            os.write(terminal, f"{text}\n".encode())
            assert json.loads(process.stdout.readline())["label"] == text.split()[0]
        os.write(terminal, b"\x04")
        assert process.wait(10) == 0
    for end in (terminal, keyboard):
        os.close(end)


def test_unknown_characters_of_a_path_do_no_harm(trained):
    assert call("predict", "no\udcff.bpr", "x").err.count("\n") == 1
