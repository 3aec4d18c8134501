"""The benchmark of the frontier makes points of every method, and does not make them twice."""

import importlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.helpers import worked

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "frontier.py"
KEYS = {
    "source",
    "method",
    "setting",
    "seed",
    "words",
    "bytes",
    "weights",
    "validation_accuracy",
    "test_accuracy",
    "seconds",
    "tokens_read",
}
SMALL = ["--embedding-size", "4", "--hidden-size", "3", "--epochs", "3", "--schedule", "paper"]


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "texts.csv", rows=600, more_words=40)


def write(file, rows, more_words):
    draw = random.Random(1)
    words = {"0": ["bad", "dull", "it"], "1": ["good", "fine", "it"]}
    lines = ["text,label"]
    for number in range(rows):
        label = "01"[number % 2]
        text = " ".join(draw.choices(words[label], k=5))
        lines.append(f"{text} w{number % more_words},{label}")
    file.write_text("\n".join(lines) + "\n")
    return file


def run(folder, source, *options):
    command = [sys.executable, SCRIPT, source, "--output", folder / "points.jsonl"]
    environment = {**os.environ, "BAYESPRESS_CACHE": str(folder / "cache")}
    options = [*options, "--cache", folder / "kept", "--dense-epochs", "1"]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "points.jsonl").read_text().splitlines()
    points = [json.loads(line) for line in lines]
    assert all(set(point) == KEYS for point in points)
    return points, done.stdout


def test_networks_are_points_once(tmp_path, source):
    pruning = ["--ratios", "20", "--ways", "counts", "lamp+axes+geometric"]
    options = ["--methods", "dense", "pruning", *pruning, "--prune-epochs", "1"]
    points, _ = run(tmp_path, source, *options, "--tune-epochs", "1")
    assert {point["method"] for point in points} == {"dense LSTM", "LSTM, magnitude pruning"}
    dense, pruned = points[0], points[-1]
    assert pruned["weights"] <= dense["weights"] / 19
    assert pruned["bytes"] < dense["bytes"]
    again, text = run(tmp_path, source, *options, "--tune-epochs", "1", "--table")
    assert again == points
    assert "| dense LSTM, 200 |" in text


def test_runs_are_points(tmp_path, source):
    worked("train", source, *SMALL, "--output", tmp_path / "run")
    points, _ = run(tmp_path, source, "--methods", "runs", "--run", f"ours={tmp_path / 'run'}")
    assert points[0]["setting"] == "ours, float32"
    assert points[0]["bytes"] > points[1]["bytes"]


@pytest.mark.parametrize("method", ["linear", "tfidf"])
def test_simple_methods_are_points(tmp_path, source, method):
    pytest.importorskip("sklearn")
    points, _ = run(tmp_path, source, "--methods", method)
    assert max(point["test_accuracy"] for point in points) > 0.9


def test_methods_without_their_package_are_skipped(tmp_path, source):
    # The benchmark looks for packages where Python does: none of these is there.
    script = "import sys; sys.modules['sklearn'] = None; import runpy; sys.argv = sys.argv[1:]; "
    script += "sys.path.insert(0, sys.argv[0].rsplit('/', 1)[0]); "
    script += "runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", script, SCRIPT, source, "--methods", "linear"]
    done = subprocess.run(
        [*command, "--output", tmp_path / "none.jsonl"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "linear is skipped: sklearn is missing" in done.stderr


def test_fasttext_is_a_point(tmp_path, monkeypatch):
    pytest.importorskip("fasttext")
    monkeypatch.syspath_prepend(SCRIPT.parent)
    fasttext, tasks = map(importlib.import_module, ("frontier_fasttext", "frontier_task"))
    monkeypatch.setattr(fasttext, "SETTINGS", [fasttext.Setting(dim=2, ngrams=1, cutoff=260)])
    # Enough words to quantize.
    source = write(tmp_path / "texts.csv", rows=2400, more_words=300)
    (point,) = fasttext.points(tasks.load_task(str(source), 1, tmp_path))
    assert (point.words, point.tokens_read) == (259, 200)
    assert point.test_accuracy > 0.9
