"""Fuzz one target under atheris; the driver starts this in a process of its own.

python -m scripts.fuzz.under_atheris TARGET COSTS.json [libFuzzer's arguments …]
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bayespress"]):
    from scripts.fuzz.meter import Meter, limit_memory
    from scripts.fuzz.targets import TARGETS

EVERY = 64


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, file, *arguments = sys.argv[1:]
    target = TARGETS[name]
    meter = Meter(target, EVERY, Path(file))
    # What a user would see on a terminal is a find.
    warnings.simplefilter("error")
    for seed in target.seeds():
        meter.target.read(seed)  # what is imported late is imported now
    limit_memory()

    def one(data: bytes) -> None:
        meter.run(data)

    def change(data: bytes, size: int, seed: int) -> bytes:
        def plain(piece: bytes) -> bytes:
            return bytes(atheris.Mutate(piece, max(size, len(piece), 1)))

        return target.change(data, random.Random(seed), plain)[:size]

    # To minimise a corpus libFuzzer starts itself again, by this name and with these arguments.
    launcher = os.environ.get("FUZZ_LAUNCHER", sys.argv[0])
    atheris.Setup([launcher, *arguments], one, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
