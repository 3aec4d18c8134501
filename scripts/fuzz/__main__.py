"""Fuzz all that reads what a stranger wrote, by coverage, from the corpora that are kept.

    python -m scripts.fuzz                         every target, a million inputs each
    python -m scripts.fuzz loader c-words --runs 20000 --seed 3
    python -m scripts.fuzz --keep                  put what was found into the corpora

Readers in Python run under atheris, what is exported as C under clang's libFuzzer. Prints a line of
JSON for each target, and one for all at the end; progress goes to standard error. Ends with
status 1 if an input broke a rule: it is written to the folder that --finds names.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.fuzz import c_text, libfuzzer
from scripts.fuzz.targets import TARGETS

_MEMORY = Path("/dev/shm")  # each input of some targets is written as a file
NAMES = (*TARGETS, *c_text.NETWORKS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fuzz the targets that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--runs", type=int, default=1_000_000, help="of each  [1000000]")
    parser.add_argument("--seconds", type=int, default=0, help="of each at most; 0: all runs  [0]")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzers  [1]")
    parser.add_argument("--finds", type=Path, default=Path("build/fuzz"), help="[build/fuzz]")
    parser.add_argument("--keep", action="store_true", help="put what was found into the corpora")
    given = parser.parse_args(arguments)
    names = given.targets or NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"there is no target {unknown[0]!r}; there are {', '.join(NAMES)}")
    given.finds.mkdir(parents=True, exist_ok=True)
    lines = [fuzz(name, given) for name in names]
    everything = {
        "seed": given.seed,
        "targets": len(lines),
        "runs": sum(line["runs"] for line in lines),
        "finds": sum(line["finds"] for line in lines),
        "not_run": [line["target"] for line in lines if "not_run" in line],
    }
    print(json.dumps(everything))
    sys.exit(bool(everything["finds"] or everything["not_run"]))


def fuzz(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Fuzz a target; give its figures."""
    sys.stderr.write(f"{name}: {given.runs:,} inputs …\n")
    problem = missing(name)
    if problem is not None:
        sys.stderr.write(f"{name}: not run, {problem}\n")
        line: dict[str, Any] = {"target": name, "runs": 0, "finds": 0, "not_run": problem}
    else:
        with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            kind = libfuzzer.of_python if name in TARGETS else c_text.fuzz
            line = kind(name, libfuzzer.Order(Path(folder), **_order(given)))
    print(json.dumps(line), flush=True)
    return line


def _order(given: argparse.Namespace) -> dict[str, Any]:
    keys = ("runs", "seconds", "seed", "finds", "keep")
    return {key: getattr(given, key) for key in keys}


def missing(name: str) -> str | None:
    """Tell what a target needs that is not there."""
    if name in TARGETS:
        has_atheris = importlib.util.find_spec("atheris") is not None
        return None if has_atheris else "atheris is missing: pip install 'bayespress[fuzz]'"
    return None if c_text.clang() else "clang is missing: install it with its libFuzzer"


if __name__ == "__main__":
    main()
