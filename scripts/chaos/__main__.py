"""Kill commands at random moments, let them go on, and compare with what was never killed.

    python scripts/chaos --kills 200 --seed 1
    python scripts/chaos --kills 20 --only bulk,sweep

Training, compressing, exporting, bulk prediction, sweeps and compiling are killed by SIGKILL at a
random time, at a random step of writing, or as soon as a temporary file appears; some rounds also
send Ctrl-C once or twice, or SIGTERM. After each kill all files must be whole; when all is done,
they must be those of a run that was never ended, byte for byte but for times, with none left over.
Prints a JSON object. Only kills of a process that was alive count.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checking import Broken, check_same, check_whole
from jobs import JOBS, Job
from killing import Blow, End, run

PLACES = ("work", "cache", "tmp")
MOST_BLOWS = 5
MAIN = re.compile(r'cli/__init__\.py", line \d+, in main\n')
STOPS = {
    "ctrl-c": (signal.SIGINT,),
    "ctrl-c twice": (signal.SIGINT, signal.SIGINT),
    "sigterm": (signal.SIGTERM,),
}


@dataclass
class Figures:
    """What happened."""

    kills: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    scopes: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    missed: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """A job that was prepared, and run once without being ended."""

    job: Job
    base: Path
    whole: Path
    seconds: float
    steps: int


def prepared(job: Job, folder: Path) -> Measured:
    """Make what a job reads, and what it comes to."""
    base, whole = folder / "base", folder / "whole"
    for name in PLACES:
        (base / name).mkdir(parents=True)
    job.prepare(base / "work")
    end = _uninterrupted(job, base, whole)
    if not job.is_cold:  # twice: what is compiled is kept, and equal runs shall be equal
        shutil.rmtree(base / "cache")
        shutil.copytree(whole / "cache", base / "cache")
        again = folder / "again"
        end = _uninterrupted(job, base, again)
        check_same(again, whole)
    return Measured(job, base, whole, end.seconds, end.steps)


def _uninterrupted(job: Job, base: Path, folder: Path) -> End:
    shutil.copytree(base, folder, copy_function=shutil.copy2)
    end = run(job.command(folder / "work"), folder, Blow())
    if end.code:
        raise Broken("refused", f"{job.name} fails unharmed: {end.error}")
    return end


def chosen(job: Measured, source: random.Random, *, stops: bool) -> Blow:
    """Choose how the next process is ended."""
    mode = source.choices(("moment", "step", "part"), (4, 4, 2))[0]
    if stops or (mode == "part" and job.job.is_cold):
        mode = "moment"
    at = {
        "moment": source.uniform(0, job.seconds),
        "step": source.randint(1, max(1, job.steps)),
        "part": source.randint(1, 6),
    }[mode]
    if stops:
        kind = source.choice(list(STOPS))
        scope = "group" if kind.startswith("ctrl") else "parent"
        return Blow(mode, at, scope, STOPS[kind], source.choice((0, 0.01, 0.1, 0.3)))
    scope = source.choice(job.job.scopes)
    if mode == "step" and scope != "group":
        scope = "itself"
    return Blow(mode, at, scope)


def one_round(job: Measured, folder: Path, source: random.Random, left: int, to: Figures) -> None:
    """Begin anew, end it several times, let it come to its end, and compare.

    Raises
    ------
    Broken
        If anything is not as it should be.
    """
    shutil.copytree(job.base, folder, copy_function=shutil.copy2)
    work, stops = folder / "work", source.random() < 0.2
    for _ in range(min(left, source.randint(1, MOST_BLOWS))):
        blow = chosen(job, source, stops=stops)
        end = run(job.job.command(work), folder, blow)
        if stops and _is_before_main(end):
            to.missed += 1
            continue
        _check_said(end, blow)
        if not end.was_hit:
            to.missed += 1
            break
        _count(job.job, blow, to)
        check_whole(job.job, folder, job.base, job.whole)
        if job.job.ends_once and _is_there(job, folder):
            break
    if not (job.job.ends_once and _is_there(job, folder)):
        end = run(job.job.command(work), folder, Blow())
        if end.code:
            raise Broken("refused", f"does not go on: {end.error[-500:]}")
    check_same(folder, job.whole)


def _is_there(job: Measured, folder: Path) -> bool:
    try:
        check_same(folder, job.whole)
    except Broken:
        return False
    return True


def _is_before_main(end: End) -> bool:
    """Whether Ctrl-C came while Python started and imported: the program was not there yet."""
    is_pythons = "Traceback" in end.error or not end.error
    return end.code in (1, -signal.SIGINT) and is_pythons and not MAIN.search(end.error)


def _check_said(end: End, blow: Blow) -> None:
    """Whoever was not killed says why it ends, in a line."""
    if "Traceback" in end.error:
        raise Broken("traceback", end.error[-1500:])
    allowed = {0, 2, -signal.SIGKILL}
    if blow.signals[0] == signal.SIGINT:
        # The signal itself where Python has ended but for a last moment: a shell says 130 then.
        allowed = {0, 130, -signal.SIGINT}
    elif blow.signals[0] == signal.SIGTERM:
        allowed = {0, 143, -signal.SIGTERM}
    if end.code not in allowed or (not end.was_hit and end.code):
        raise Broken("code", f"exit code {end.code}: {end.error[-500:]}")


def _count(job: Job, blow: Blow, to: Figures) -> None:
    if blow.signals == (signal.SIGKILL,):
        to.kills[job.name] += 1
        to.modes[blow.mode] += 1
        to.scopes[blow.scope] += 1
    else:
        to.stops[next(name for name, kinds in STOPS.items() if kinds == blow.signals)] += 1


def _kill_all(jobs: Sequence[Job], kills: int, seed: int, folder: Path) -> Figures:
    """Share the kills among the jobs, round by round."""
    to = Figures()
    for number, job in enumerate(jobs):
        wanted = kills // len(jobs) + (number < kills % len(jobs))
        began = time.monotonic()
        _kill(prepared(job, folder / job.name), wanted, random.Random(f"{seed} {job.name}"), to)
        seconds = time.monotonic() - began
        print(f"{job.name}: {to.kills[job.name]} kills in {seconds:.0f} s", file=sys.stderr)
    return to


def _kill(job: Measured, wanted: int, source: random.Random, to: Figures) -> None:
    """Kill one job as often as wanted."""
    name, rounds = job.job.name, 0
    while to.kills[name] < wanted:
        rounds += 1
        place = job.base.with_name(f"round-{rounds}")
        try:
            one_round(job, place, source, wanted - to.kills[name], to)
        except Broken as error:
            failure = {"job": name, "round": rounds, "kind": error.kind, "text": str(error)}
            to.failures.append(failure)
            print(f"{name}, round {rounds}: {error.kind}: {error}", file=sys.stderr)
        else:
            shutil.rmtree(place)
    to.rounds += rounds


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [job.name for job in JOBS]
    parser.add_argument("--kills", type=int, default=140, help="how many  [140]")
    parser.add_argument("--seed", type=int, default=1, help="of the moments  [1]")
    parser.add_argument("--only", help=f"some of {','.join(names)}  [all]")
    parser.add_argument("--folder", type=Path, help="where; what failed stays  [a temporary one]")
    given = parser.parse_args(arguments)
    wanted = given.only.split(",") if given.only else names
    if unknown := set(wanted) - set(names):
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        jobs = [job for job in JOBS if job.name in wanted]
        to = _kill_all(jobs, given.kills, given.seed, folder)
    figures = {
        "seed": given.seed,
        "kills": sum(to.kills.values()),
        "kills_of": dict(to.kills),
        "kills_by": dict(to.modes),
        "killed": dict(to.scopes),
        "stops": dict(to.stops),
        "ended_before": to.missed,
        "rounds": to.rounds,
        "seconds": round(time.monotonic() - began),
        "failures": to.failures,
    }
    print(json.dumps(figures))
    sys.exit(bool(to.failures))


if __name__ == "__main__":
    main()
