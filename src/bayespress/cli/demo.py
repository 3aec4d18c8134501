"""``bayespress demo``: the whole story in two minutes."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayespress import recipes, runtime
from bayespress.cli.options import given, settings
from bayespress.cli.result import say
from bayespress.cli.train import run
from bayespress.config import Config
from bayespress.runtime import Inspection, TextPredictor

EXAMPLES = (
    "A moving, funny and beautifully acted film",
    "The plot is dull and the jokes are worse",
    "Two hours long, and not a minute too short",
)
_MOST_WORDS = 10


@click.command("demo", short_help="Train on the text that comes along, and show what is left.")
@settings("seed")
@click.option(
    "--output", type=click.Path(path_type=Path), help="folder of the run  [runs/demo, demo-2, …]"
)
def command(output: Path | None, **values: Any) -> None:
    """Train on 8,421 film-review sentences, then show what is left of the network.

    \b
    Example:
      bayespress demo
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    config = Config.from_flat(recipes.read("demo").settings, given(values))
    folder = output or _free_folder()
    run(config, folder)
    predictor = runtime.load_classifier(folder / "model.bpr")
    console = Console()
    _print_words(console, runtime.inspect(predictor.model, (folder / "model.bpr").stat().st_size))
    _print_examples(console, predictor)
    _print_next(console, folder)


def _free_folder() -> Path:
    names = itertools.chain(["demo"], (f"demo-{number}" for number in itertools.count(2)))
    return next(path for name in names if not (path := Path("runs") / name).exists())


def _print_words(console: Console, inspection: Inspection) -> None:
    by_effect = sorted(inspection.words, key=lambda word: word.effect)
    half = min(_MOST_WORDS, len(by_effect) // 2)
    table = Table(title="The most telling of the kept words")
    table.add_column(Text(inspection.labels[1]))
    table.add_column(Text(inspection.labels[0]))
    for good, bad in zip(by_effect[: -half - 1 : -1], by_effect[:half], strict=True):
        table.add_row(*(Text(f"{word.word} {word.effect:+.2f}") for word in (good, bad)))
    console.print(table)


def _print_examples(console: Console, predictor: TextPredictor) -> None:
    table = Table(title="Three predictions of the file")
    table.add_column("text")
    table.add_column("answer")
    table.add_column("probability", justify="right")
    for text, row in zip(EXAMPLES, predictor.predict_proba(EXAMPLES), strict=True):
        table.add_row(text, Text(predictor.labels[int(row.argmax())]), f"{row.max():.1%}")
    console.print(table)


def _print_next(console: Console, folder: Path) -> None:
    program, run_folder = _program(), shlex.quote(str(folder))
    console.print("Try next:", style="bold")
    for line in (
        f'predict {run_folder} "your own sentence"',
        f'explain {run_folder} "your own sentence"',
        f"inspect {run_folder}",
        f"compress {run_folder} --output tiny.bpr",
        "train reviews.csv --text-column text --label-column label",
        "recipes ls",
    ):
        say(console, f"  {program} {line}")


def _program() -> str:
    """Tell what calls this program: its name, or its place where it is not on the path."""
    called = Path(sys.argv[0])
    if shutil.which("bayespress") or called.name != "bayespress":
        return "bayespress"
    return shlex.quote(os.path.relpath(called))
