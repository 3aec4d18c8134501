"""Load strangers' files, and tell what Python's own audit hears of meanwhile.

    python -m scripts.fuzz.audit [TARGET …]

Each target reads its corpus and honest files in this process, model files by ``loads`` alone.
Prints a JSON object: for each target the events of audit hooks, such as ``import``, ``exec``,
``compile``, ``open``, ``socket.connect`` or ``pickle.find_class``, with what was opened. Ends with
status 1 if there is any that matters, besides the opening of the file that is read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.fuzz import corpus
from scripts.fuzz.target import refused, scratch
from scripts.fuzz.targets import TARGETS

from bayespress.compact import loads

_HARMLESS = {"open of the input", "builtins.id"}
_heard: set[str] | None = None


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    """Note an event; a hook cannot be taken off again, but it can be told not to note."""
    if _heard is not None:
        _heard.add(f"{event} {_file(arguments[0])}" if event == "open" else event)


def _file(opened: object) -> str:
    if isinstance(opened, (str, os.PathLike)) and Path(opened).is_relative_to(scratch()):
        return "of the input"
    return str(opened)


@contextmanager
def listening() -> Iterator[set[str]]:
    """Collect the events of a block."""
    global _heard  # noqa: PLW0603 - a hook is global
    events: set[str] = set()
    scratch()  # to make the folder opens files, and asks for it again
    _heard = events
    try:
        yield events
    finally:
        _heard = None


def events_of(name: str) -> list[str]:
    """Tell what is heard while a target's corpus and honest files are read, twice."""
    target = TARGETS[name]
    inputs = [*target.seeds(), *corpus.kept(name)]
    read: Callable[[bytes], object] = target.read
    if name == "loader":
        read = _load
    else:  # what is used for the first time may be imported; what it reads may not
        read(inputs[0])
    with listening() as events:
        for data in inputs:
            read(data)
    return sorted(events)


def _load(data: bytes) -> bool:
    return not refused(lambda: loads(data))


def main(arguments: Sequence[str] | None = None) -> None:
    """Listen to the targets that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET")
    names = parser.parse_args(arguments).targets
    sys.addaudithook(_hear)
    heard = {name: events_of(name) for name in names}
    print(json.dumps(heard))
    sys.exit(any(set(events) - _HARMLESS for events in heard.values()))


if __name__ == "__main__":
    main()
