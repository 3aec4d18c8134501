"""``bayespress sweep``: many runs with settings that are searched for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from bayespress.cli.options import SettingsCommand, given, keys_of, settings
from bayespress.cli.repeat import repeat_command
from bayespress.cli.result import say, times
from bayespress.cli.stopping import resumable
from bayespress.cli.train import chosen_code, layered, source_and_code
from bayespress.config import Config
from bayespress.errors import ConfigError, MissingExtraError
from bayespress.history import EpochRecord
from bayespress.schedules import Value

if TYPE_CHECKING:
    from bayespress.sweep import Done, Plan

_SHOWN = 10


@click.command("sweep", cls=SettingsCommand, short_help="Search for settings, in many runs.")
@click.argument("sources", metavar="[SOURCE]… [CODE]", nargs=-1)
@click.option("--preset", help="code by the papers' name: w, w+voc, w+n, w+g+n, dense")
@click.option("--recipe", help="settings by name, see 'bayespress recipes ls'")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="folder of the sweep"
)
@click.option(
    "--search",
    "searched",
    multiple=True,
    help="what is searched: KEY=A,B,C or KEY=LOW..HIGH or KEY=LOW..HIGH:log; several times",
)
@click.option("--trials", type=click.IntRange(min=1), help="how many  [all combinations of values]")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, help="runs a trial, whose mean counts  [1]"
)
@click.option(
    "--sampler",
    type=click.Choice(("tpe", "random")),
    default="tpe",
    help="how --trials are chosen: where earlier ones were good, or blindly  [tpe]",
)
@click.option("--front", is_flag=True, help="search for accuracy and compression, not one score")
@click.option(
    "--stop-early", is_flag=True, help="end a trial at an epoch where most trials were better"
)
@settings(*keys_of("data", "text", "model", "training", without=["source", "code"]))
def command(
    sources: tuple[str, ...],
    preset: str | None,
    recipe: str | None,
    searched: tuple[str, ...],
    **values: Any,
) -> None:
    """Train with many settings on SOURCE, and say which were best by validation data.

    Each trial is a run, or with --seeds several, in a folder of its own below --output; test data
    are never looked at. A sweep can be stopped at any moment, even killed: the same command goes on
    with the run that was at work. More --trials may be asked for later.

    \b
    Example:
      bayespress sweep demo --output sweeps/demo --search hidden_size=8,16 --seeds 3
      bayespress sweep imdb --output sweeps/imdb --search kl_weight=0.5..4:log --trials 20
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    said = given(values)
    source, code = source_and_code(sources, said)
    said |= chosen_code(code, preset) | ({"source": source} if source else {})

    def config_of(changes: Mapping[str, Value]) -> Config:
        return layered(recipe, {**said, **changes})

    own = ("output", "trials", "seeds", "sampler", "front", "stop_early")
    search(config_of, searched, **{key: values[key] for key in own})


def search(
    config_of: Callable[[Mapping[str, Value]], Config],
    searched: Sequence[str],
    *,
    output: Path,
    trials: int | None,
    seeds: int,
    sampler: str,
    front: bool,
    stop_early: bool,
) -> None:
    """Run a sweep, and say what came of it.

    Raises
    ------
    BayespressError
        Any of its kinds.
    Stopped
        If Ctrl-C or SIGTERM came.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("a sweep trains in one process: start it without torchrun")
    try:
        from bayespress import sweep  # noqa: PLC0415 - torch is an extra, as Optuna is
        from bayespress.sweep.run import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", "a sweep") from None
    plan = sweep.Plan(
        config_of,
        tuple(sweep.parse(text) for text in searched),
        output,
        trials=trials,
        seeds=seeds,
        sampler=sampler,
        is_front=front,
        stops_early=stop_early,
    )
    console = Console()
    with SweepDisplay(console, plan) as display, resumable("the same command"):
        done = run(plan, display)
    _print(console, plan, done)


class SweepDisplay:
    """A listener that prints a line for each trial; use it as a context.

    Parameters
    ----------
    console
        Where to; a terminal also shows the run that is at work.
    plan
        What is tried.
    """

    def __init__(self, console: Console, plan: Plan) -> None:
        self._console, self._plan = console, plan
        self._status = console.status("reading")
        self._now = ""

    def __enter__(self) -> SweepDisplay:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def on_earlier(self, trials: list[Done]) -> None:
        """Say how many there are."""
        if trials:
            say(self._console, f"{len(trials)} trials were done before")

    def on_begin(self, number: int, seed: int, params: Mapping[str, Value]) -> None:
        """Show what is at work."""
        self._now = f"trial {number} ({_written(params)}), seed {seed}"
        self._status.update(self._now)

    def on_epoch(self, record: EpochRecord) -> None:
        """Show how far it is."""
        ratio = times(record.compression_ratio)
        self._status.update(f"{self._now}: epoch {record.epoch}, score {record.score:.4f}, {ratio}")

    def on_end(self, trial: Done) -> None:
        """Print a line."""
        say(self._console, f"trial {trial.number}: {_outcome(trial)}  ({_written(trial.params)})")


def _outcome(trial: Done) -> str:
    if trial.figures is None:
        return trial.remark
    quality, ratio = _quality(trial), times(trial.figures.compression_ratio)
    return f"score {trial.figures.score:.4f}, {quality}, {ratio}"


def _quality(trial: Done) -> str:
    if trial.figures is None:
        return "-"
    value = trial.figures.quality
    return f"{value:.2%}" if value >= 0 else f"{-value:.4f} nats"


def _written(params: Mapping[str, Value]) -> str:
    return ", ".join(f"{key} {_short(value)}" for key, value in params.items())


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print(console: Console, plan: Plan, done: list[Done]) -> None:
    from bayespress import sweep  # noqa: PLC0415 - torch is an extra

    best, unbeaten = sweep.ranked(done), sweep.front(done)
    if not best:
        say(console, "no trial could be trained to its end: search other values")
        return
    console.print(_table("best trials, by score", best[:_SHOWN], plan))
    console.print(_table("no trial is both better and smaller", unbeaten, plan))
    config = plan.config_of(best[0].params)
    say(console, f"best: {plan.folder(best[0].number) / f'seed-{config.training.seed}'}")
    say(console, repeat_command(config))


def _table(title: str, trials: Sequence[Done], plan: Plan) -> Table:
    keys = [search.key for search in plan.searches]
    table = Table(title=title, title_justify="left")
    for name in ("trial", *keys, "score", "validation", "compression"):
        table.add_column(name, justify="right")
    for trial in trials:
        if trial.figures is not None:
            params = (_short(trial.params[key]) for key in keys)
            figures = f"{trial.figures.score:.4f}", _quality(trial)
            ratio = times(trial.figures.compression_ratio)
            table.add_row(str(trial.number), *params, *figures, ratio)
    return table
