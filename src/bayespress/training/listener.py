"""The moments of training that something else may want to know of."""

from __future__ import annotations

from typing import Protocol

from bayespress.history import EpochRecord


class Listener(Protocol):
    """Is told of training's progress; every moment may be ignored."""

    def on_note(self, text: str) -> None:
        """Hear a fact about the run that a user should know."""

    def on_epoch_begin(self, epoch: int, steps: int) -> None:
        """Hear that an epoch of so many steps begins."""

    def on_step(self, step: int, loss: float) -> None:
        """Hear that a step of the epoch, counted from 1, is done."""

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:
        """Hear that an epoch is done and its state is saved."""


class Silent:
    """A listener that ignores everything."""

    def on_note(self, text: str) -> None:
        """Ignore it."""

    def on_epoch_begin(self, epoch: int, steps: int) -> None:
        """Ignore it."""

    def on_step(self, step: int, loss: float) -> None:
        """Ignore it."""

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:
        """Ignore it."""
