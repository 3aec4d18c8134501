"""``bayespress demo``: the whole story in two minutes."""

from __future__ import annotations

import itertools
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bayespress import recipes, runtime
from bayespress.cli.train import run
from bayespress.config import Config
from bayespress.runtime import Inspection, TextPredictor

EXAMPLES = (
    "A moving, funny and beautifully acted film",
    "The plot is dull and the jokes are worse",
    "Two hours long, and not a minute too short",
)


@click.command("demo", short_help="Train on the text that comes along, and show what is left.")
@click.option("--seed", default=None, type=int, help="seed of initialisation, order and noise")
@click.option(
    "--output", type=click.Path(path_type=Path), help="folder of the run  [runs/demo, demo-2, …]"
)
def command(seed: int | None, output: Path | None) -> None:
    """Train on 7,405 film-review sentences, then show what is left of the network.

    \b
    Example:
      bayespress demo
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    settings = recipes.read("demo").settings
    config = Config.from_flat(settings, {} if seed is None else {"seed": seed})
    folder = output or _free_folder()
    run(config, folder, {})
    predictor = runtime.load(folder / "model.bpr")
    console = Console()
    _print_words(console, runtime.inspect(predictor.model, (folder / "model.bpr").stat().st_size))
    _print_examples(console, predictor)
    _print_next(console, folder)


def _free_folder() -> Path:
    names = itertools.chain(["demo"], (f"demo-{number}" for number in itertools.count(2)))
    return next(path for name in names if not (path := Path("runs") / name).exists())


def _print_words(console: Console, inspection: Inspection) -> None:
    by_effect = sorted(inspection.words, key=lambda word: word.effect)
    table = Table(title="The most telling of the kept words")
    table.add_column(inspection.labels[1])
    table.add_column(inspection.labels[0])
    half = min(10, len(by_effect) // 2)
    for good, bad in zip(by_effect[: -half - 1 : -1], by_effect[:half], strict=True):
        table.add_row(f"{good.word} {good.effect:+.2f}", f"{bad.word} {bad.effect:+.2f}")
    console.print(table)


def _print_examples(console: Console, predictor: TextPredictor) -> None:
    table = Table(title="Three predictions of the file")
    table.add_column("text")
    table.add_column("answer")
    table.add_column("probability", justify="right")
    for text, row in zip(EXAMPLES, predictor.predict_proba(EXAMPLES), strict=True):
        table.add_row(text, predictor.labels[int(row.argmax())], f"{row.max():.1%}")
    console.print(table)


def _print_next(console: Console, folder: Path) -> None:
    console.print("Try next (after: source .venv/bin/activate):", style="bold")
    for line in (
        f'bayespress predict {folder} "your own sentence"',
        f"bayespress inspect {folder}",
        "bayespress train reviews.csv --text-column text --label-column label",
        "bayespress recipes ls",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
