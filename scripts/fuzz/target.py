"""What is fuzzed: a function of bytes, what it begins with, and how its bytes are changed well."""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bayespress.errors import BayespressError

Change = Callable[[bytes], bytes]
"""Changes bytes that have no structure, as libFuzzer or :func:`plain_change` does."""


class ViolationError(Exception):
    """A reader did what it must not do."""


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes
    ----------
    name
        Of the target, and of its corpus.
    read
        Reads the bytes; tells whether they were taken (True) or refused in one line (False). Any
        error is a find.
    seeds
        Gives what fuzzing begins with.
    change
        Changes bytes so that they get behind what guards the reader: checksums, lengths, JSON.
    words
        What such files consist of.
    longest
        Bytes that are tried at most.
    memory
        Bytes that reading so many may take.
    """

    name: str
    read: Callable[[bytes], bool]
    seeds: Callable[[], Iterable[bytes]]
    change: Callable[[bytes, random.Random, Change], bytes]
    words: tuple[bytes, ...] = ()
    longest: int = 4096
    memory: Callable[[int], int] = lambda size: 2**22 + 1024 * size


def refused(read: Callable[[], object]) -> bool:
    """Read; tell whether that was refused, which must be in one line.

    Raises
    ------
    ViolationError
        If there are several lines, or none. All other errors go their way.
    """
    try:
        read()
    except BayespressError as error:
        text = str(error)
        if not text.strip() or len(text.splitlines()) != 1:
            raise ViolationError(f"{type(error).__name__} is not one line: {text!r}") from error
        return True
    return False


def held(holds: bool, rule: str) -> None:
    """Make sure that a rule holds.

    Raises
    ------
    ViolationError
        If it does not.
    """
    if not holds:
        raise ViolationError(rule)


@functools.cache
def scratch() -> Path:
    """Make a folder for files that are read by their path; it goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def plain_change(source: random.Random, words: tuple[bytes, ...] = ()) -> Change:
    """Give what changes bytes without a fuzzer: a few of them, a piece, or a word put in."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(source.randint(1, 3)):
            place = source.randint(0, len(changed))
            end = place + source.choice((0, 1, 1, source.randint(0, 16)))
            piece = source.choice(words) if words and source.random() < 0.4 else b""
            changed[place:end] = piece or source.randbytes(source.randint(0, 4))
        return bytes(changed)

    return change


def only_bytes(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change bytes as they are."""
    del source
    return change(data)
