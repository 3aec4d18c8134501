"""Run the tests with the oldest, or with the newest, versions of everything that pyproject names.

    python scripts/check_versions.py oldest
    python scripts/check_versions.py newest --folder build/versions -- tests/nn -k gru

The oldest are the lower bounds of ``pyproject.toml``, one by one; the newest are what pip finds
today, without ``constraints.txt``. Both are installed into an environment of their own below
--folder, which is kept and brought up to date by the next run; an old torch needs a few gigabytes.
Prints a JSON object; ends with status 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Nothing in the tests imports these; examples and benchmarks do.
UNTESTED = ("bench", "ray")
BOUND = re.compile(r"^([A-Za-z0-9_.\[\]-]+)>=([0-9.]+)$")
VERSIONS = """
import json
from importlib import metadata
print(json.dumps({found.name.lower().replace("_", "-"): found.version
                  for found in metadata.distributions()}))
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the environment, run the tests in it, and say how they ended."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog="Behind a -- come arguments for pytest."
    )
    parser.add_argument("age", choices=("oldest", "newest"))
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "versions")
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    given, tests = parser.parse_args(words[:cut]), words[cut + 1 :]
    bounds = lower_bounds(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    place = given.folder.resolve() / given.age
    started = time.perf_counter()
    python = install(place, bounds, given.age)
    run = [python, "-m", "pytest", "-n", "2", "-q", *tests]
    done = subprocess.run(run, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    sys.stderr.write(done.stdout)
    figures = {
        "age": given.age,
        "python": ".".join(map(str, sys.version_info[:3])),
        "tests": done.stdout.splitlines()[-1].strip("= ") if done.stdout else "",
        "passed": done.returncode == 0,
        "seconds": round(time.perf_counter() - started),
        "versions": versions(python, bounds),
    }
    print(json.dumps(figures))
    sys.exit(not figures["passed"])


def lower_bounds(project: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Read the oldest version of each dependency; every one must have such a bound.

    Raises
    ------
    SystemExit
        If a requirement has another form than ``name>=version``.
    """
    bounds: dict[str, str] = {}
    for requirement in _requirements(project):
        match = BOUND.match(requirement)
        if match is None:
            raise SystemExit(f"{requirement!r} has no lower bound that can be tested")
        name, version = match.groups()
        name = name.lower().replace("_", "-")
        # The strictest counts where two extras name the same package.
        bounds[name] = max(bounds.get(name, "0"), version, key=_order)
    return bounds


def _requirements(project: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    table = project["project"]
    groups: Mapping[str, Sequence[str]] = table["optional-dependencies"]  # type: ignore[assignment]
    lists = [table["dependencies"], project["build-system"]["requires"]]
    lists += [names for extra, names in groups.items() if extra not in UNTESTED]
    for names in lists:
        yield from (name for name in names if not name.startswith("bayespress["))  # type: ignore[attr-defined]


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def install(place: Path, bounds: Mapping[str, str], age: str) -> str:
    """Make an environment with these versions of everything, or bring it up to date."""
    if not (place / "bin" / "python").exists():
        venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    sign = "==" if age == "oldest" else ">="
    named = [f"{name}{sign}{version}" for name, version in bounds.items()]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    print(f"installing the {age} versions into {place}…", file=sys.stderr)
    subprocess.run([*pip, "--upgrade", "editables", *named], check=True)
    subprocess.run([*pip, "--no-build-isolation", "--no-deps", "-e", str(ROOT)], check=True)
    return python


def versions(python: str, bounds: Mapping[str, str]) -> dict[str, str]:
    """Ask the environment which versions it has of what pyproject names."""
    done = subprocess.run([python, "-c", VERSIONS], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    names = sorted(name.partition("[")[0] for name in bounds)
    return {name: found[name] for name in names if name in found}


if __name__ == "__main__":
    main()
