"""Ctrl-C, SIGTERM or a full disk, and the command that goes on from there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from bayespress.storage import StorageError


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Somebody stopped the command.

    Parameters
    ----------
    message
        How to go on.
    number
        The signal that came.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def resumable(command: str) -> Iterator[None]:
    """Whatever ends the block early from outside, say that `command` goes on.

    Raises
    ------
    Stopped
        If Ctrl-C or SIGTERM came.
    StorageError
        If a file could not be written.
    """
    try:
        with _sigterm_raises():
            yield
    except KeyboardInterrupt as error:
        number = signal.SIGTERM if isinstance(error, _Terminated) else signal.SIGINT
        raise Stopped(f"stopped; continue with: {command}", number) from None
    except StorageError as error:
        reason = str(error).rpartition(";")[0]
        raise StorageError(f"{reason}; mend that, then continue with: {command}") from error


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated
