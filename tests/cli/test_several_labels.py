"""A table whose texts have several labels, from training to predictions, as a user types it."""

import json
import random
import re

import pytest

from bayespress import compact, data, runtime
from bayespress.config import DataConfig
from bayespress.history import read_history
from tests.cli.conftest import FEW_STEPS
from tests.cli.helpers import NOISE, TINY, answers, call, refused, rows, worked, write_csv
from tests.compact.strategies import small_model

LABELS = ("funny", "long", "sad")
SEPARATED = ("--label-separator", ";")


def labelled(count=200, seed=1):
    """Texts of random words; those that are labels are the text's labels."""
    source = random.Random(seed)
    made = []
    for _ in range(count):
        chosen = [label for label in LABELS if source.random() < 0.4]
        words = [*source.choices(NOISE, k=source.randint(1, 6)), *chosen]
        source.shuffle(words)
        made.append((" ".join(words), ";".join(chosen)))
    return made


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A finished run, with the lines that training printed."""
    folder = tmp_path_factory.mktemp("labels")
    source = write_csv(folder / "films.csv", labelled())
    said = worked(
        *("train", source, *SEPARATED, *TINY, *FEW_STEPS, "--hidden-size", "8"),
        *("--epochs", "16", "--output", folder / "run"),
    )
    return source, folder / "run", said


def test_training_says_f1_and_never_accuracy(films):
    _, run, said = films
    assert "epoch train F1 val F1 KL weight" in said
    assert "accuracy" not in said
    assert "test micro-F1, shipped file" in said
    assert "all labels of a text right" in said
    widths = {len(line) for line in said.splitlines() if re.match(r" +\d+ +0\.\d{4} ", line)}
    assert max(widths) <= 80
    result = json.loads((run / "result.json").read_text())
    assert result["test_micro_f1_file"] == result["test_micro_f1_masked"] > 0.9
    assert result["largest_difference"] < 1e-5
    assert not any("accuracy" in key for key in result)


def test_evaluate_splits_as_training_did_and_tells_label_by_label(films):
    source, run, _ = films
    result = json.loads((run / "result.json").read_text())
    figures = json.loads(worked("evaluate", run, source, "--json"))
    assert figures["micro_f1"] == result["test_micro_f1_file"]
    assert figures["exact_match"] == result["test_exact_match_file"]
    assert figures["labels"].keys() == set(LABELS)
    said = worked("evaluate", run / "model.bpr", source, "--split", "all", *SEPARATED)
    for name in ("micro-F1 ", "macro-F1 ", "exact match ", "nll ", "label ", *LABELS):
        assert f"\n{name}" in said
    held = json.loads(worked("evaluate", run, source, "--split", "validation", "--json"))
    best = read_history(run / "history.jsonl")[result["best_epoch"] - 1]
    assert held["micro_f1"] == best.validation_micro_f1


def test_predict_names_all_labels_of_a_text_or_none(films):
    _, run, _ = films
    both, none = answers(run, "a sad and long film", "the plot of it")
    assert both["labels"].keys() == {"sad", "long"}
    assert both["label"] == next(iter(both["labels"]))
    assert both["labels"] == {name: both["probabilities"][name] for name in both["labels"]}
    assert none["labels"] == {}
    assert set(none["probabilities"]) == set(LABELS)
    explained = json.loads(worked("explain", run, "a sad and long film", "--json"))
    assert explained["labels"] == pytest.approx(both["labels"], abs=2e-6)


def test_compress_says_what_it_costs_in_f1(films, tmp_path):
    _, run, _ = films
    said = worked("compress", run, "--output", "tiny.bpr")
    (line,) = [line for line in said.splitlines() if "micro-F1" in line]
    best = read_history(run / "history.jsonl")
    best = best[json.loads((run / "result.json").read_text())["best_epoch"] - 1]
    assert line.split()[1] == f"{best.validation_micro_f1:.4f}"
    assert line.endswith("validation texts")
    assert compact.load(tmp_path / "tiny.bpr").multi_label


def test_a_report_draws_f1(films, tmp_path):
    _, run, _ = films
    worked("report", run, "--output", "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Micro-F1 by epoch" in page
    assert "test micro-F1" in page
    assert "ccuracy" not in re.sub(r"(?s)<style>.*?</style>|<pre.*?</pre>", "", page)
    assert "Of the run’s test data." in page


def test_the_file_reads_raw_texts_as_the_data_say(films):
    source, run, _ = films
    texts = data.load_split(DataConfig(source=str(source), label_separator=";"), "all")
    found = runtime.load(run / "model.bpr").predict(texts.texts)
    right = [set(one) == set(label) for one, label in zip(found, texts.labels, strict=True)]
    assert sum(right) / len(right) > 0.85


def test_a_run_goes_on_where_it_was(films):
    source, _, _ = films
    flags = (*SEPARATED, *TINY, *FEW_STEPS, "--schedule", "paper", "--kl-warmup", "0", "--output")
    worked("train", source, *flags, "whole", "--epochs", "3")
    worked("train", source, *flags, "part", "--epochs", "2")
    worked("train", "--resume", "--output", "part", "--epochs", "3")
    assert compact.dumps(compact.load("part/model.bpr")) == compact.dumps(
        compact.load("whole/model.bpr")
    )
    line = refused("train", "--resume", "--output", "part", "--label-separator", ",")
    assert "label_separator is ';' there, not ','; leave it out or start a new run" in line


def test_lists_of_json_lines_are_labels(tmp_path):
    lines = [json.dumps({"text": t, "label": some.split(";") if some else []})
             for t, some in labelled(80)]  # fmt: skip
    (tmp_path / "films.jsonl").write_text("\n".join(lines))
    flags = (*TINY, "--epochs", "1", "--output", "run")
    line = refused("train", "films.jsonl", *flags)
    assert (
        "films.jsonl, line 1: the label must be one string or number, got list; if a text" in line
    )
    assert not (tmp_path / "run").exists()
    worked("train", "films.jsonl", *SEPARATED, *flags)
    assert compact.load("run/model.bpr").labels == LABELS


MISTAKES = {
    "empty name": ([("x", "a;b"), ("y", "a;;b")], "line 3: there must be a label on both sides"),
    "no labels": ([("x", ""), ("y", " ")] * 9, "no training text has a label; write some"),
    "one label": ([("x", "a"), ("y", "")] * 9, "but 'a' is the only one; give the texts without"),
}


@pytest.mark.parametrize(("made", "rule"), MISTAKES.values(), ids=MISTAKES)
def test_a_table_that_cannot_be_trained_on(tmp_path, made, rule):
    write_csv(tmp_path / "bad.csv", made)
    line = refused("train", "bad.csv", *SEPARATED, *TINY, "--output", "run")
    assert line.startswith("error: bad.csv")
    assert rule in line
    assert not (tmp_path / "run").exists()


def test_a_separator_that_is_empty_or_of_no_use(tmp_path):
    write_csv(tmp_path / "films.csv", labelled(20))
    line = refused("train", "films.csv", "--label-separator", "")
    assert "label_separator must be what stands between labels, for instance ';', got ''" in line
    line = refused("train", "films.csv", *SEPARATED, "--task", "lm")
    assert "label_separator is a setting of classifiers: a language model reads no labels" in line
    assert "demo: each text has one label there" in refused("train", "demo", *SEPARATED)


def test_a_table_of_single_labels_is_trained_on_with_a_doubt(tmp_path):
    write_csv(tmp_path / "reviews.csv", rows())
    done = call("train", "reviews.csv", *SEPARATED, *TINY, "--epochs", "1", "--output", "run")
    assert done.code == 0
    assert "no training text has more than one label; is ';' what stands between" in done.out


def test_evaluate_wants_as_many_labels_a_text_as_the_model_gives(films, tmp_path):
    _, run, _ = films
    new = write_csv(tmp_path / "new.csv", labelled(20, seed=2))
    line = refused("evaluate", run, new, "--split", "all")
    assert "say with --label-separator what stands between those of the source" in line
    compact.save(small_model(), "single.bpr")
    line = refused("evaluate", "single.bpr", new, "--split", "all", *SEPARATED)
    assert "the model gives a text one label: leave --label-separator out" in line
    odd = write_csv(tmp_path / "odd.csv", [("a film", "sad;odd")])
    line = refused("evaluate", run, odd, "--split", "all", *SEPARATED)
    assert "label 'odd' was not seen in training; the model knows funny, long, sad" in line
