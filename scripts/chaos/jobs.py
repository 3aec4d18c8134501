"""What is run and killed: commands of the program, what they read, and how they go on."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = ("-m", "bayespress.cli")
# Files are answered by parts of 4 MiB: smaller ones make a small file several parts.
_SMALL_PARTS = """
from bayespress.bulk import cutting
from bayespress.cli import main
cutting.PART_BYTES = 3_000
main()
"""
IN_PARTS = ("-c", _SMALL_PARTS)
MODELS = Path(__file__).parents[2] / "examples" / "models"
NOISE = ["a", "the", "film", "plot", "of", "and", "it", "cast", "naïve"]
SMALL = (
    *("--batch-size", "16", "--min-documents", "1", "--max-length", "12"),
    *("--learning-rate", "0.02"),
)
TINY = ("--embedding-size", "24", "--hidden-size", "16", *SMALL)
# Prunes from the first epoch on, so that live shrinking finds something to take away.
SPARSE = (
    *("--schedule", "paper", "--shrink-after", "1", "--kl-weight", "0.1"),
    *("--log-sigma-learning-rate", "0.05", "--group-learning-rate", "0.02"),
    *("--group-log-sigma-learning-rate", "0.05"),
)


@dataclass(frozen=True)
class Job:
    """A command that is killed.

    Attributes
    ----------
    name
        What it is called.
    start
        Its words.
    prepare
        Fills the folder that it works in.
    run
        A run's folder: once it has settings, the command goes on with them.
    is_cold
        Whether each round begins with an empty cache, so that it compiles anew.
    has_old
        Whether it replaces files, of which the old or the new content must be there.
    ends_once
        Whether the command refuses to run again once its file is there.
    scopes
        Who is killed.
    """

    name: str
    start: Sequence[str]
    prepare: Callable[[Path], None]
    run: str | None = None
    is_cold: bool = False
    has_old: bool = True
    ends_once: bool = False
    scopes: Sequence[str] = ("group",)

    def command(self, work: Path) -> list[str]:
        """Tell what to type, after whatever happened in the folder."""
        if self.run and (work / self.run / "config.toml").exists():
            return [*PROGRAM, "train", "--resume", "--output", self.run]
        program = IN_PARTS if self.start[0] == "predict" else PROGRAM
        return [*program, *self.start]


def _rows(count: int) -> list[tuple[str, str]]:
    """Make texts of random words, one of which is the label."""
    source = random.Random(1)
    made = []
    for number in range(count):
        label = ("bad", "good")[number % 2]
        words = source.choices(NOISE, k=source.randint(1, 9))
        words.insert(source.randint(0, len(words)), label)
        made.append((" ".join(words), label))
    return made


def _write_rows(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *_rows(count)])


def _reviews(work: Path) -> None:
    _write_rows(work / "reviews.csv", 500)


def _letters(work: Path) -> None:
    lines = [text + ".\n" for text, _ in _rows(400)]
    (work / "letters.txt").write_text("".join(lines), encoding="utf-8")


def _many_texts(work: Path) -> None:
    """Make files of several kinds to answer, one of them long."""
    shutil.copy(MODELS / "demo.bpr", work / "model.bpr")
    _write_rows(work / "data" / "a.csv", 3_000)
    _write_rows(work / "data" / "deeper" / "b.csv", 300)
    lines = "".join(f"{text}\n" for text, _ in _rows(600))
    (work / "data" / "c.txt").write_text(lines, encoding="utf-8")


def _few_texts(work: Path) -> None:
    shutil.copy(MODELS / "demo.bpr", work / "model.bpr")
    _write_rows(work / "data" / "a.csv", 50)


def _call(work: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, *PROGRAM, *words], cwd=work, check=True, stdout=subprocess.DEVNULL
    )


def _trained(work: Path) -> None:
    """Make a finished run, and an older file of it."""
    _reviews(work)
    _call(work, "train", "reviews.csv", *TINY, *SPARSE, "--epochs", "6", "--output", "run")
    _call(work, "compress", "run", "--output", "small.bpr", "--precision", "float32")


def _exported(*words: str) -> Callable[[Path], None]:
    """Tell how to export another model, whose files the command replaces."""

    def prepare(work: Path) -> None:
        shutil.copy(MODELS / "demo.bpr", work / "model.bpr")
        _call(work, "export", str(MODELS / "imdb.bpr"), *words)

    return prepare


def _model(work: Path) -> None:
    shutil.copy(MODELS / "demo.bpr", work / "model.bpr")


def _train(name: str, *words: str, source: str = "reviews.csv", is_cold: bool = False) -> Job:
    prepare = _reviews if source == "reviews.csv" else _letters
    start = ("train", source, *words, "--output", "run")
    return Job(name, start, prepare, run="run", is_cold=is_cold, has_old=False)


def _export(target: str, output: str, *, over: bool = True) -> Job:
    words = ("--to", target, "--output", output)
    start = ("export", "model.bpr", *words, *(["--force"] if over else []))
    name = f"export-{target}{'' if over else '-new'}"
    prepare = _exported(*words) if over else _model
    return Job(name, start, prepare, ends_once=not over)


_BULK = (
    *("predict", "model.bpr", "--input", "data", "--output", "out"),
    *("--prefix", "new_", "--workers", "2"),
)
_SWEEP = (
    *("sweep", "reviews.csv", "--embedding-size", "8", *SMALL, "--epochs", "3"),
    *("--schedule", "paper", "--search", "hidden_size=3..9"),
    *("--search", "learning_rate=0.001..0.1:log", "--trials", "7", "--stop-early"),
    *("--output", "sw"),
)
JOBS = (
    _train("classifier", *TINY, *SPARSE, "--epochs", "12"),
    _train("layers", *TINY, *SPARSE, "--layers", "2", "--bidirectional", "--epochs", "8"),
    _train(
        "language",
        *("--task", "lm", "--hidden-size", "16", "--batch-size", "4", "--segment-length", "9"),
        *("--min-documents", "1", "--learning-rate", "0.02", "--epochs", "8"),
        source="letters.txt",
    ),
    _train("kernels", *TINY, "--epochs", "1", "--schedule", "paper", is_cold=True),
    Job("sweep", _SWEEP, _reviews, has_old=False),
    Job("compress", ("compress", "run", "--output", "small.bpr", "--force"), _trained),
    Job("report", ("report", "run", "--output", "page.html"), _trained, ends_once=True),
    _export("c", "c"),
    _export("c", "c", over=False),
    _export("js", "model.mjs"),
    _export("html", "model.html"),
    _export("onnx", "model.onnx", over=False),
    Job("bulk", _BULK, _many_texts, scopes=("group", "parent", "worker")),
    Job("predictor", _BULK, _few_texts, is_cold=True, scopes=("group", "parent")),
)
"""All of them; each is run anew in every round, in a folder of its own."""
