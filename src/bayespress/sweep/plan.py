"""What a sweep tries, and what came of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bayespress.config import Config
from bayespress.errors import ConfigError
from bayespress.schedules import Value
from bayespress.sweep.space import Search, check, grid
from bayespress.sweep.trial import Figures

SAMPLERS = ("tpe", "random")
"""Ways to choose what is tried next, where it is not the next of all combinations."""
_FREE = ("device",)
"""Settings that may be others when a sweep goes on."""


@dataclass(frozen=True)
class Plan:
    """What is tried, and where.

    Attributes
    ----------
    config_of
        Makes a run's settings of what a trial changes.
    searches
        What is searched.
    output
        Folder of the sweep: ``sweep.db`` is Optuna's, and each trial has a folder.
    trials
        How many; None: all combinations of values.
    seeds
        Runs a trial.
    sampler
        How the next trial is chosen, of ``SAMPLERS``.
    is_front
        Whether accuracy and compression are two aims, rather than one score.
    stops_early
        Whether a trial ends at an epoch where it is worse than most were.

    Raises
    ------
    ConfigError
        If a trial could not be run as it is planned.
    """

    config_of: Callable[[Mapping[str, Value]], Config]
    searches: tuple[Search, ...]
    output: Path
    trials: int | None = None
    seeds: int = 1
    sampler: str = "tpe"
    is_front: bool = False
    stops_early: bool = False

    def __post_init__(self) -> None:
        check(self.searches, self.config_of)
        if self.trials is None:
            for params in self.combinations():
                self.config_of(params)
        if self.is_front and self.stops_early:
            raise ConfigError("--stop-early compares trials by one score: leave --front out")

    @cached_property
    def base(self) -> Config:
        """The settings that trials change."""
        return self.config_of({})

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Iterate over all combinations of values; there are none where trials are counted."""
        return grid(self.searches) if self.trials is None else iter(())

    def identity(self) -> dict[str, Any]:
        """Tell all that makes it this sweep and no other."""
        flat = {key: value for key, value in self.base.flat().items() if key not in _FREE}
        return {
            **flat,
            "search": [str(search) for search in self.searches],
            "trials": "all" if self.trials is None else "counted",
            "seeds": self.seeds,
            "sampler": self.sampler,
            "front": self.is_front,
            "stop_early": self.stops_early,
        }

    def folder(self, number: int) -> Path:
        """Name the folder of a trial's runs."""
        return self.output / f"trial-{number:04}"


@dataclass(frozen=True)
class Done:
    """A trial that is done.

    Attributes
    ----------
    number
        Of the trial, from 0.
    params
        What was chosen.
    figures
        What came of it; None if it could not be trained, or was stopped early.
    remark
        Why there are no figures.
    """

    number: int
    params: Mapping[str, Value]
    figures: Figures | None
    remark: str = ""


def ranked(trials: Sequence[Done]) -> list[Done]:
    """Sort the trials that have figures, the best score first."""
    known = [(trial.figures.score, trial) for trial in trials if trial.figures]
    return [trial for _, trial in sorted(known, key=lambda pair: -pair[0])]


def front(trials: Sequence[Done]) -> list[Done]:
    """Choose the trials that no other one beats in both quality and compression.

    They are sorted by compression; of equal ones the first stays.
    """
    best: list[Done] = []
    known = [(trial.figures, trial) for trial in trials if trial.figures]
    for figures, trial in sorted(known, key=lambda p: (-p[0].compression_ratio, -p[0].quality)):
        last = best[-1].figures if best else None
        if last is None or figures.quality > last.quality:
            best.append(trial)
    return best[::-1]
