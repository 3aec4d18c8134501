"""Run a sweep's trials, one after the other, and go on where it was ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from bayespress import data
from bayespress.config import Config, DataConfig
from bayespress.data import Splits, TextSplits
from bayespress.errors import RunError, TrainingError
from bayespress.history import EpochRecord
from bayespress.schedules import Value
from bayespress.storage import locked
from bayespress.sweep.plan import Done, Plan
from bayespress.sweep.study import Trials, readable, should_stop
from bayespress.sweep.trial import run_seeds
from bayespress.training import Silent

if TYPE_CHECKING:
    from optuna import Trial

_LOCK = ".lock"


class SweepListener(Protocol):
    """Is told of the progress."""

    def on_earlier(self, trials: list[Done]) -> None:
        """Hear of the trials that were done before."""

    def on_begin(self, number: int, seed: int, params: Mapping[str, Value]) -> None:
        """Hear that a run begins, or goes on."""

    def on_epoch(self, record: EpochRecord) -> None:
        """Hear that an epoch of it is done."""

    def on_end(self, trial: Done) -> None:
        """Hear that a trial is done."""


class _StoppedEarly(Exception):  # noqa: N818 - nothing went wrong
    """Most trials were better at this epoch."""


class _Follower(Silent):
    """Tells of a run's epochs, and ends it where most trials were better."""

    def __init__(self, listener: SweepListener, judged: Trial | None) -> None:
        self._listener, self._judged = listener, judged

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:  # noqa: ARG002
        self._listener.on_epoch(record)
        if self._judged is not None and should_stop(self._judged, record.epoch, record.score):
            raise _StoppedEarly


def run(plan: Plan, listener: SweepListener) -> list[Done]:
    """Run all trials that are not done, and give all that are.

    Raises
    ------
    RunError
        If the folder holds another sweep, or something else.
    DataError, StorageError
        If the data or the disk are not fit for it.
    """
    _check_folder(plan)
    user = f"another 'bayespress sweep --output {plan.output}'"
    with locked(plan.output / _LOCK, user), readable(plan):
        trials, read = Trials(plan), _Reader()
        listener.on_earlier(trials.done())
        while (trial := trials.next()) is not None:
            twin = trials.like(trial)
            if twin is not None and twin.figures is not None:
                listener.on_end(trials.end(trial, twin.figures))
                continue
            splits = read.splits(plan.config_of(trial.params))
            listener.on_end(_try(plan, trials, trial, splits, listener))
        return trials.done()


def _try(
    plan: Plan,
    trials: Trials,
    trial: Trial,
    splits: Splits | TextSplits,
    listener: SweepListener,
) -> Done:
    config = plan.config_of(trial.params)

    def follow(seed: int) -> _Follower:
        listener.on_begin(trial.number, seed, trial.params)
        # Epochs are compared once a trial: those of its first seed.
        is_judged = plan.stops_early and seed == config.training.seed
        return _Follower(listener, trial if is_judged else None)

    try:
        figures = run_seeds(config, plan.folder(trial.number), plan.seeds, splits, follow)
    except _StoppedEarly:
        return trials.give_up(trial, "stopped early", is_pruned=True)
    except TrainingError as error:
        return trials.give_up(trial, str(error), is_pruned=False)
    return trials.end(trial, figures)


class _Reader:
    """Reads data once, as long as trials read the same."""

    def __init__(self) -> None:
        self._known: tuple[DataConfig, Splits | TextSplits] | None = None

    def splits(self, config: Config) -> Splits | TextSplits:
        if self._known is None or self._known[0] != config.data:
            is_language = config.data.task == "lm"
            splits = data.load_text(config.data) if is_language else data.load(config.data)
            self._known = config.data, splits
        return self._known[1]


def _check_folder(plan: Plan) -> None:
    """Make sure that the folder is a sweep's, or free."""
    there = [path.name for path in plan.output.iterdir()] if plan.output.is_dir() else []
    if there and "sweep.db" not in there and there != [_LOCK]:
        raise RunError(
            f"{plan.output} holds something else than a sweep: choose another folder with --output"
        )
