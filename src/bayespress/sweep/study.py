"""The memory of a sweep: a study of Optuna in SQLite, which a killed process leaves whole."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bayespress.errors import MissingExtraError, RunError
from bayespress.storage import StorageError
from bayespress.sweep.plan import Done, Plan
from bayespress.sweep.trial import Figures

try:
    import optuna
    from optuna.exceptions import StorageInternalError
    from optuna.pruners import BasePruner, MedianPruner, NopPruner
    from optuna.samplers import BaseSampler, RandomSampler, TPESampler
    from optuna.trial import TrialState
    from sqlalchemy.exc import SQLAlchemyError
except ModuleNotFoundError:
    raise MissingExtraError("optuna", "a sweep") from None

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

_NAME, _FILE = "sweep", "sweep.db"
_IDENTITY, _FIGURES, _REMARK = "identity", "figures", "remark"
_FIRST_TRIALS = 5
"""Trials to compare with, before any is stopped early."""
_FINISHED = tuple(state for state in TrialState if state.is_finished())
_SAMPLERS: dict[str, type[TPESampler | RandomSampler]] = {
    "tpe": TPESampler,
    "random": RandomSampler,
}


class Trials:
    """All trials of a sweep: those that are done, the one at work, those to come.

    Parameters
    ----------
    plan
        What is tried.

    Raises
    ------
    RunError
        If the folder holds another sweep, or something else.
    """

    def __init__(self, plan: Plan) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._plan = plan
        self._study = optuna.create_study(
            storage=f"sqlite:///{plan.output / _FILE}",
            study_name=_NAME,
            directions=["maximize"] * (2 if plan.is_front else 1),
            pruner=_pruner(plan),
            load_if_exists=True,
        )
        self._check_identity()
        for params in plan.combinations():
            self._study.enqueue_trial(params, skip_if_exists=True)

    def next(self) -> Trial | None:
        """Give the trial that was at work when the sweep was ended, or a new one; None at the end.

        The one process that may write here is this one: nobody else is at work on a trial.
        """
        running = self._of(TrialState.RUNNING)
        if running:
            # Optuna has no public name for what it calls trials by.
            trial = optuna.Trial(self._study, running[0]._trial_id)
        elif self._is_over():
            return None
        else:
            trial = self._study.ask()
        for search in self._plan.searches:
            self._study.sampler = self._sampler(trial.number, search.key)
            search.suggest(trial)
        return trial

    def like(self, trial: Trial) -> Done | None:
        """Give an earlier trial that chose the same: another one would come to the same."""
        done = (one for one in self.done() if one.figures and one.params == trial.params)
        return next(done, None)

    def end(self, trial: Trial, figures: Figures) -> Done:
        """Note what came of a trial."""
        trial.set_user_attr(_FIGURES, asdict(figures))
        values = [figures.quality, figures.compression_ratio]
        self._study.tell(trial, values if self._plan.is_front else figures.score)
        return Done(trial.number, trial.params, figures)

    def give_up(self, trial: Trial, remark: str, *, is_pruned: bool) -> Done:
        """Note why nothing came of a trial."""
        trial.set_user_attr(_REMARK, remark)
        self._study.tell(trial, state=TrialState.PRUNED if is_pruned else TrialState.FAIL)
        return Done(trial.number, trial.params, None, remark)

    def done(self) -> list[Done]:
        """Give all trials that are done."""
        return [_done(trial) for trial in self._of(*_FINISHED)]

    def _of(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)

    def _is_over(self) -> bool:
        if self._plan.trials is None:
            return not self._of(TrialState.WAITING)
        return len(self._of(*_FINISHED)) >= self._plan.trials

    def _sampler(self, number: int, key: str) -> BaseSampler:
        """Make what chooses one setting of a trial, with a seed of its own.

        So an end changes no choice, even if it came when the trial had chosen some of them.
        """
        text = f"{self._plan.base.training.seed} {number} {key}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        return _SAMPLERS[self._plan.sampler](seed=seed)

    def _check_identity(self) -> None:
        wanted: dict[str, Any] = self._plan.identity()
        there = self._study.user_attrs.get(_IDENTITY)
        if there is None:
            self._study.set_user_attr(_IDENTITY, wanted)
            return
        other = next((key for key in {**there, **wanted} if there.get(key) != wanted.get(key)), "")
        if other:
            raise RunError(
                f"{self._plan.output} holds a sweep with {other} {there.get(other)!r}, not "
                f"{wanted.get(other)!r}: say the same again, or choose another --output"
            )


def _done(trial: FrozenTrial) -> Done:
    figures = trial.user_attrs.get(_FIGURES) if trial.state is TrialState.COMPLETE else None
    return Done(
        trial.number,
        trial.params,
        Figures(**figures) if figures else None,
        trial.user_attrs.get(_REMARK, ""),
    )


def _pruner(plan: Plan) -> BasePruner:
    if not plan.stops_early:
        return NopPruner()
    return MedianPruner(
        n_startup_trials=_FIRST_TRIALS, n_warmup_steps=plan.base.training.epochs // 3
    )


@contextmanager
def readable(plan: Plan) -> Iterator[None]:
    """Say in a line what is wrong with the memory.

    Raises
    ------
    StorageError
        If it is damaged, or cannot be written.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        file = plan.output / _FILE
        raise StorageError(
            f"{file} cannot be read or written ({reason}); free some space, or choose another "
            "--output"
        ) from error


def should_stop(trial: Trial, epoch: int, score: float) -> bool:
    """Report an epoch's score; tell whether most trials had a better one at this epoch."""
    with warnings.catch_warnings():
        # That it was reported before, where a sweep goes on.
        warnings.simplefilter("ignore", UserWarning)
        trial.report(score, epoch)
    return trial.should_prune()
