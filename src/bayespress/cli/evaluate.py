"""``bayespress evaluate``: a model on labelled texts, without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from bayespress import data, runtime
from bayespress.cli.options import SettingsCommand, given, keys_of, model_file, settings
from bayespress.config import Config


@click.command("evaluate", cls=SettingsCommand, short_help="Measure a model on labelled texts.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source")
@click.option(
    "--split",
    type=click.Choice(("test", "validation", "train", "all")),
    default="test",
    help="part of the source, split as in training; all takes every row  [test]",
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
@settings(*keys_of("data", without=["source"]))
def command(model: Path, source: str, split: str, *, as_json: bool, **values: Any) -> None:
    """Measure a model file on the labelled texts of SOURCE.

    SOURCE is demo, imdb, ag-news, hf:owner/name, a file or a folder, as for training.

    \b
    Example:
      bayespress evaluate model.bpr demo
      bayespress evaluate model.bpr new.csv --split all --label-column stars --json
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    predictor = runtime.load(model_file(model))
    config = Config.from_flat(data.source_defaults(source), {"source": source}, given(values))
    texts = data.load_split(config.data, split)
    result = runtime.evaluate(predictor, texts.texts, texts.labels)
    if as_json:
        click.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    click.echo(f"texts     {result.texts:,} ({source}, {split})")
    click.echo(f"accuracy  {result.accuracy:.2%}")
    click.echo(f"nll       {result.nll:.4f} nats")
    click.echo(f"\n{'class':<20} {'texts':>8} {'recall':>8} {'precision':>10}")
    for label, figures in result.classes.items():
        recall, precision = (_percent(figures[key]) for key in ("recall", "precision"))
        click.echo(f"{label:<20} {figures['texts']:>8,} {recall:>8} {precision:>10}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"
