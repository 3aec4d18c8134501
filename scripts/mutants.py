"""Change the code in thousands of small ways, one at a time, and see that a test notices each.

    make mutants
    python scripts/mutants.py --list > survivors.md

Runs mutmut on the packages that ``pyproject.toml`` names under ``[tool.mutmut]``, in the folder
``mutants``; what was done before and did not change is not done again. Prints a JSON object: how
many mutants of each package were killed. Functions with a decorator are left alone by mutmut
(properties, ``no_grad``), and counted. With --list, writes the mutants that survived, and not the
object, from what the last run left. Ends with status 1 if less than --least of a package's are
killed.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "mutants" / "src" / "bayespress"
PACKAGES = ("variational", "compression", "compact")
# What mutmut notes for a mutant: pytest's exit code, or its own.
KILLED, SURVIVED, UNTESTED = 1, 0, (5, 33)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run mutmut, and count."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--least", type=float, default=0.85, help="share to be killed  [0.85]")
    parser.add_argument("--list", action="store_true", help="list those that survived, run nothing")
    parser.add_argument("--processes", type=int, default=2, help="that run tests  [2]")
    given = parser.parse_args(arguments)
    if given.list:
        print("\n".join(survivors()))
        return
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(given.processes)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    figures = {package: counted(package) for package in PACKAGES}
    print(json.dumps(figures))
    sys.exit(any(one["killed_share"] < given.least for one in figures.values()))


def counted(package: str) -> dict[str, float]:
    """Count a package's mutants; one that no test reaches was not killed."""
    codes = Counter(code for _, code in outcomes(package))
    untested = sum(codes[code] for code in UNTESTED)
    total = sum(codes.values())
    other = total - codes[KILLED] - codes[SURVIVED] - untested
    return {
        "mutants": total,
        "killed": codes[KILLED] + other,
        "of_them_by_crash_or_time": other,
        "survived": codes[SURVIVED],
        "without_a_test": untested,
        "killed_share": round((codes[KILLED] + other) / total, 4),
        "functions_left_alone": sum(1 for _ in decorated(package)),
    }


def outcomes(package: str) -> Iterator[tuple[str, int]]:
    """Read what became of each mutant."""
    for meta in sorted((PLACE / package).glob("*.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            if code is None:
                sys.exit(f"{name} was not tried: let a run end first")
            yield name, code


def decorated(package: str) -> Iterator[str]:
    """Name the functions that mutmut does not change."""
    for path in (ROOT / "src" / "bayespress" / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                names = {getattr(one, "id", "") for one in node.decorator_list}
                if not (len(node.decorator_list) == 1 and names <= {"staticmethod", "classmethod"}):
                    yield node.name


def survivors() -> Iterator[str]:
    """Write a table of those that survived, function by function."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant  # noqa: PLC0415 - slow to import

    found = defaultdict(list)
    for package in PACKAGES:
        for name, code in outcomes(package):
            if code != KILLED and (code == SURVIVED or code in UNTESTED):
                found[name.rpartition("__mutmut_")[0]].append(get_diff_for_mutant(name))
    yield "| function | was | became |"
    yield "| --- | --- | --- |"
    for function, diffs in found.items():
        for diff in diffs:
            was, became = (_lines(diff, sign) for sign in "-+")
            yield f"| {_readable(function)} | {was} | {became} |"


def _lines(diff: str, sign: str) -> str:
    chosen = [line[1:].strip() for line in diff.splitlines()[2:] if line.startswith(sign)]
    return " ".join(f"`{line}`".replace("|", "\\|") for line in chosen)


def _readable(function: str) -> str:
    module, _, name = function.removeprefix("bayespress.").rpartition(".")
    return f"{module}.{name.removeprefix('x_').replace('xǁ', '').replace('ǁ', '.')}"


if __name__ == "__main__":
    main()
