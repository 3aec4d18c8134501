"""Take from the commands what they need, one thing at a time, and see that nothing is lost.

    python scripts/starve.py
    python scripts/starve.py --only disk-full --only memory

A disk that is full at every write, a folder that may only be read, too little memory, one
processor, no compiler, no network, no home folder, a cache that is damaged. A command must then do
without or refuse in one line that names the remedy; what was there before must be there still, and
with all that it needs the same command must give the same bytes as ever. Prints a JSON object;
exit code 1 where anything is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from starving import damage, disk, machine, network
from starving.cases import CASES, Given
from starving.program import Report
from starving.servers import WAYS
from starving.zygote import Zygote

QUICK = ("train", "train --resume", "compress", "export --to c", "predict csv", "push --output")


def parts_of(
    given: Given, zygote: Zygote, seed: int, names: Sequence[str], *, quick: bool
) -> dict[str, Callable[[], Report]]:
    """Name all parts, and what runs each."""
    cases = [case for case in CASES if case.name in names]
    some = [case for case in cases if case.name in ("train", "predict csv")]
    ways = WAYS[:3] if quick else WAYS
    return {
        "disk-full": lambda: disk.every_write(given, zygote, cases, 7 if quick else 1),
        "file-sizes": lambda: disk.file_sizes(given, zygote, cases, 2 if quick else 12),
        "small-disk": lambda: disk.small_disks(given, zygote, cases, 5 if quick else 1),
        "read-only": lambda: disk.read_only(given, zygote, cases),
        "standard-output": lambda: disk.standard_output(given),
        "memory": lambda: machine.memory(given, zygote, cases, 4 if quick else 14),
        "one-processor": lambda: machine.one_processor(given, cases),
        "compiler": lambda: machine.no_compiler(given, some),
        "home": lambda: machine.no_home(given, some),
        "network": lambda: network.failures(given, zygote, seed, ways),
        "cache": lambda: damage.damaged_cache(given, zygote, seed, 3 if quick else 8),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", help="a part, several times  [all]")
    parser.add_argument("--case", action="append", help="a command, as 'train --resume'  [all]")
    parser.add_argument("--quick", action="store_true", help="a few commands and values alone")
    parser.add_argument("--seed", type=int, default=1, help="of texts and of damage  [1]")
    parser.add_argument("--lines", action="store_true", help="show each line of error that came")
    asked = parser.parse_args(arguments)
    names = asked.case or (QUICK if asked.quick else [case.name for case in CASES])
    if strange := {*names} - {case.name for case in CASES}:
        parser.error(f"there is no command called {', '.join(strange)}")
    found, wrong = {}, 0
    with ExitStack() as on_exit, tempfile.TemporaryDirectory(prefix="starve-") as name:
        folder = Path(name).resolve()
        given = Given.make(folder, asked.seed)
        zygote = on_exit.enter_context(Zygote(folder, disk.build_shim(folder)))
        parts = parts_of(given, zygote, asked.seed, names, quick=asked.quick)
        unknown = set(asked.only or ()) - set(parts)
        if unknown:
            parser.error(f"there is no part {', '.join(unknown)}: choose of {', '.join(parts)}")
        for part in asked.only or parts:
            sys.stderr.write(f"{part}\n")
            began = time.perf_counter()
            report = parts[part]()
            found[part] = report.to_dict() | {"seconds": round(time.perf_counter() - began)}
            sys.stderr.write(json.dumps({part: found[part]}) + "\n")
            wrong += len(report.wrong)
            for line, what in report.lines.items() if asked.lines else ():
                sys.stderr.write(f"  {what}\n    {line}\n")
    sys.stdout.write(json.dumps({"seed": asked.seed, "wrong": wrong, **found}) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
