"""The moments of training that something else may want to know of."""

from __future__ import annotations

from collections.abc import Sequence
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


class Several:
    """Tells several listeners, one after another.

    Parameters
    ----------
    listeners
        Who is told.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def on_note(self, text: str) -> None:
        """Pass it on."""
        for listener in self._listeners:
            listener.on_note(text)

    def on_epoch_begin(self, epoch: int, steps: int) -> None:
        """Pass it on."""
        for listener in self._listeners:
            listener.on_epoch_begin(epoch, steps)

    def on_step(self, step: int, loss: float) -> None:
        """Pass it on."""
        for listener in self._listeners:
            listener.on_step(step, loss)

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:
        """Pass it on."""
        for listener in self._listeners:
            listener.on_epoch_end(record, is_best=is_best)
