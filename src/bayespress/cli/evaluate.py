"""``bayespress evaluate``: a model on labelled texts, or on a text to predict, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bayespress import data, runtime
from bayespress.cli.options import (
    MODEL,
    SettingsCommand,
    given,
    keys_of,
    model_file,
    settings,
)
from bayespress.cli.result import say
from bayespress.cli.shown import tame, to_json
from bayespress.config import Config, DataConfig
from bayespress.errors import ConfigError
from bayespress.runtime import (
    Evaluation,
    LabelEvaluation,
    LanguageEvaluation,
    LanguageModel,
    TextPredictor,
)
from bayespress.schedules import Value

_DATA_KEYS = keys_of("data")


@click.command("evaluate", cls=SettingsCommand, short_help="Measure a model on texts.")
@click.argument("model", type=MODEL)
@click.argument("source")
@click.option(
    "--split",
    type=click.Choice(("test", "validation", "train", "all")),
    default="test",
    help="part of the source, split as in training; all takes every row, or the whole text  [test]",
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
@settings(*keys_of("data", without=["source", "task"]))
def command(model: Path | str, source: str, split: str, *, as_json: bool, **values: Any) -> None:
    """Measure a model on the labelled texts of SOURCE; a language model on its plain text.

    MODEL is a model file, the folder of a finished run, or hf://owner/name, which is fetched from
    the Hugging Face hub; a run's own SOURCE is read and split as it was in training. SOURCE is
    demo, imdb, ag-news, hf:owner/name, a file or a folder; for a language model ptb-word, ptb-char
    or a text file.

    \b
    Example:
      bayespress evaluate model.bpr demo
      bayespress evaluate model.bpr new.csv --split all --label-column stars --json
      bayespress evaluate language.bpr new.txt --split all
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    ready = runtime.load(model_file(model))
    task: dict[str, Value] = {"task": "lm" if isinstance(ready, LanguageModel) else "classify"}
    layers = (data.source_defaults(source), {"source": source}, settings_of_run(model, source))
    config = Config.from_flat(*layers, given(values), task)
    _check_separator(ready, config.data.label_separator)
    # To people alone: this goes to the terminal, never into a file.
    console = Console(stderr=True)
    if console.is_terminal:
        say(console, f"reading {source}")
    result = _measure(ready, config.data, split, console)
    if as_json:
        click.echo(to_json(result.to_dict()))
    elif isinstance(result, LanguageEvaluation):
        _print_language(result, f"{source}, {split}")
    elif isinstance(result, LabelEvaluation):
        _print_labels(result, f"{source}, {split}")
    else:
        _print(result, f"{source}, {split}")


def settings_of_run(model: Path | str, source: str) -> dict[str, Value]:
    """Tell how a run read and split its data, if `model` is its folder and `source` its source.

    Raises
    ------
    RunError, ConfigError
        If the run's settings are damaged.
    """
    file = Path(model) / "config.toml"
    if not file.is_file():
        return {}
    flat = Config.from_file(file).flat()
    return {key: flat[key] for key in _DATA_KEYS} if flat["source"] == source else {}


def _check_separator(ready: TextPredictor | LanguageModel, separator: str | None) -> None:
    """Make sure that the source is read to as many labels a text as the model gives.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if isinstance(ready, LanguageModel):
        return
    if ready.model.multi_label and separator is None:
        raise ConfigError(
            "the model gives a text several labels: say with --label-separator what stands between "
            "those of the source, for instance ';' (lists are taken as they are)"
        )
    if separator is not None and not ready.model.multi_label:
        raise ConfigError("the model gives a text one label: leave --label-separator out")


def _measure(
    ready: TextPredictor | LanguageModel, config: DataConfig, split: str, console: Console
) -> Evaluation | LabelEvaluation | LanguageEvaluation:
    if isinstance(ready, LanguageModel):
        text = data.load_text_split(config, split)
        with console.status(f"evaluating {len(text):,} characters"):
            return ready.evaluate(text)
    texts = data.load_split(config, split)
    with console.status(f"evaluating {len(texts):,} texts"):
        if ready.model.multi_label:
            return runtime.evaluate_labels(ready, texts.texts, texts.labels)
        return runtime.evaluate(ready, texts.texts, texts.labels)


def _print(result: Evaluation, origin: str) -> None:
    click.echo(f"texts     {result.texts:,} ({origin})")
    click.echo(f"accuracy  {result.accuracy:.2%}")
    click.echo(f"nll       {result.nll:.4f} nats")
    width = max(map(len, [*map(tame, result.classes), "class"]))
    click.echo(f"\n{'class':<{width}} {'texts':>8} {'recall':>8} {'precision':>10}")
    for label, figures in result.classes.items():
        recall, precision = (_percent(figures[key]) for key in ("recall", "precision"))
        click.echo(f"{tame(label):<{width}} {figures['texts']:>8,} {recall:>8} {precision:>10}")


def _print_labels(result: LabelEvaluation, origin: str) -> None:
    click.echo(f"texts        {result.texts:,} ({origin})")
    click.echo(f"micro-F1     {result.micro_f1:.4f}")
    click.echo(f"macro-F1     {result.macro_f1:.4f}")
    click.echo(f"exact match  {result.exact_match:.2%}")
    click.echo(f"nll          {result.nll:.4f} nats")
    width = max(map(len, [*map(tame, result.labels), "label"]))
    click.echo(f"\n{'label':<{width}} {'texts':>8} {'recall':>8} {'precision':>10} {'F1':>7}")
    for label, figures in result.labels.items():
        recall, precision = (_percent(figures[key]) for key in ("recall", "precision"))
        f1 = "-" if figures["f1"] is None else f"{figures['f1']:.4f}"
        row = f"{figures['texts']:>8,} {recall:>8} {precision:>10} {f1:>7}"
        click.echo(f"{tame(label):<{width}} {row}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _print_language(result: LanguageEvaluation, origin: str) -> None:
    click.echo(f"tokens              {result.tokens:,} predicted ({origin})")
    click.echo(f"unknown tokens      {result.unknown:,}")
    if result.level == "char":
        click.echo(f"bits per character  {result.bits_per_token:.4f}")
    else:
        click.echo(f"perplexity          {result.perplexity:,.2f}")
    click.echo(f"nll                 {result.nll:.4f} nats")
