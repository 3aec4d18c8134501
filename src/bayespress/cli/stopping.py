"""Ctrl-C, SIGTERM or a full disk, and the command that goes on from there."""

from __future__ import annotations

import os
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
    exit_code
        What the program ends with.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class _Terminated(KeyboardInterrupt):
    """SIGTERM came."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt; a second one ends the program at once.

    So does Ctrl-C from the end of the block on, while the interpreter ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_heard = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # as nohup has it
    before = signal.signal(signal.SIGTERM, _stop)
    if is_heard:
        signal.signal(signal.SIGINT, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if is_heard:
            signal.signal(signal.SIGINT, _end_at_once)


def exit_code(error: BaseException) -> int:
    """Give the exit code of what one of both signals raised, or of click's word for it."""
    raised = error if isinstance(error, KeyboardInterrupt) else error.__context__
    return 128 + (signal.SIGTERM if isinstance(raised, _Terminated) else signal.SIGINT)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, _end_at_once)
    raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """End as if killed, which files and processes are made for; the cursor may be hidden."""
    for stream in (1, 2):
        if os.isatty(stream):
            os.write(stream, b"\x1b[?25h")
    os._exit(128 + number)


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
        yield
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; continue with: {command}", exit_code(error)) from None
    except StorageError as error:
        reason = str(error).rpartition(";")[0]
        raise StorageError(f"{reason}; mend that, then continue with: {command}") from error
