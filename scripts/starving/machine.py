"""Too little memory, one processor, no compiler, no home folder."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from starving.attempt import Attempt
from starving.cases import Case, Given
from starving.program import Done, Report, call, environment, mistakes_of_line
from starving.rights import drop_rights
from starving.zygote import Zygote

_MIB = 1 << 20
_LOOSE = 0.02
"""How far apart probabilities may be that were reached with other code."""
_ABORT = re.compile(r"OpenBLAS error: Memory allocation|terminate called .* 'std::bad_alloc'")

READERS = (
    Case("predict", ("predict", "@run", "good film", "bad film")),
    Case("inspect", ("inspect", "@run")),
    Case("explain", ("explain", "@run", "good film", "--json")),
    Case("evaluate", ("evaluate", "@run", "@reviews.csv", "--json")),
    Case("generate", ("generate", "@language")),
)
"""Commands that write nothing."""


def memory(given: Given, zygote: Zygote, cases: Sequence[Case], limits: int) -> Report:
    """Limit the memory of a process: from its start, and from where all is imported."""
    report = Report()
    aborts: dict[str, list[str]] = {}
    for case in (*READERS, *cases):
        wanted = given.reference(case)
        for limit in _sizes(50, 1_600, limits):
            with Attempt.of(case, given, wanted) as attempt:
                attempt.run(first=lambda size=limit: _limit_memory(size))
                if not _is_abort(attempt, f"{limit} MiB", aborts):
                    attempt.judge(report, f"{limit} MiB", zygote)
        for more in _sizes(1, 400, limits):
            with Attempt.of(case, given, wanted) as attempt:
                attempt.run(zygote, more_memory=more * _MIB)
                if not _is_abort(attempt, f"{more} MiB more", aborts):
                    attempt.judge(report, f"{more} MiB beyond what is imported", zygote)
    report.figures["aborted_by_a_library"] = aborts
    return report


def _is_abort(attempt: Attempt, limit: str, aborts: dict[str, list[str]]) -> bool:
    """Note where a library ended the process by itself, so that nobody could say anything."""
    found = _ABORT.search(attempt.done.err)
    if attempt.done.code in (0, 2) or found is None:
        return False
    aborts.setdefault(found[0], []).append(f"{attempt.case.name}, {limit}")
    return True


def _sizes(least: int, most: int, count: int) -> Iterator[int]:
    """Give sizes, each larger than the one before by the same factor."""
    return (round(least * (most / least) ** (k / (count - 1))) for k in range(count))


def _limit_memory(mebibytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes * _MIB, mebibytes * _MIB))


def one_processor(given: Given, cases: Sequence[Case]) -> Report:
    """Let a command have one processor: the same bytes."""
    report = Report()
    if not hasattr(os, "sched_setaffinity"):
        report.figures["left_out"] = "this system binds no process to a processor"
        return report
    processor = min(os.sched_getaffinity(0))
    for case in cases:
        wanted = given.reference(case)
        with Attempt.of(case, given, wanted) as attempt:
            attempt.env.pop("OMP_NUM_THREADS")
            attempt.run(first=lambda: os.sched_setaffinity(0, {processor}))
            attempt.judge(report, "one processor")
            _must_work(report, case.name, attempt.done)
    return report


def _must_work(report: Report, what: str, done: Done) -> None:
    if done.code:
        report.wrong.append(f"{what} does not work: {done.err.strip()[-300:]}")


def _script(text: str) -> Callable[[Path], dict[str, str]]:
    def make(folder: Path) -> dict[str, str]:
        file = folder / "a-compiler"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return {"CC": str(file)}

    return make


def _nothing(folder: Path) -> dict[str, str]:
    (folder / "nothing").mkdir()
    return {"PATH": str(folder / "nothing"), "CC": ""}


def _none_named(folder: Path) -> dict[str, str]:
    return _nothing(folder) | {"CC": str(folder / "is-not-there")}


COMPILERS: dict[str, Callable[[Path], dict[str, str]]] = {
    "none": _nothing,
    "CC names none": _none_named,
    "fails": _script("echo 'no licence' >&2; exit 1"),
    "fails without a word": _script("exit 1"),
    "prints garbage": _script("head -c 3000 /dev/urandom; head -c 3000 /dev/urandom >&2; exit 1"),
    "says it worked and made nothing": _script("exit 0"),
    "makes a file that is no library": _script(
        'while [ $# -gt 0 ]; do [ "$1" = -o ] && echo garbage > "$2"; shift; done; exit 0'
    ),
    "is killed": _script("kill -9 $$"),
    "is no program": lambda folder: {"CC": _no_program(folder)},
    "hangs": _script("exec sleep 1000"),
}
"""What makes a compiler that is none, by what is wrong with it."""


def _no_program(folder: Path) -> str:
    file = folder / "no-program"
    file.write_bytes(b"\x00\x01")
    file.chmod(0o755)
    return str(file)


def no_compiler(given: Given, cases: Sequence[Case]) -> Report:
    """Train, answer files and ask the doctor with each compiler that is none."""
    report = Report()
    wanted = _answers(given.folder / "answers" / "texts.csv")
    for name, make in COMPILERS.items():
        for case in (*cases, Case("doctor", ("doctor", "--json"))):
            with given.root(case) as root:
                env = environment(root, root / "cache") | make(root)
                done = call(case.words(given), root, env)
                wrong = [f"exit code {done.code}: {done.err[-300:]}"] if done.code else []
                if done.code == 0:
                    wrong += _without_compiler(case, done, root, wanted)
                report.note(f"{case.name}, compiler {name}", done, wrong)
    return report


def _without_compiler(case: Case, done: Done, root: Path, wanted: list[float]) -> list[str]:
    if case.name == "doctor":
        found = {one["topic"]: one for one in json.loads(done.out)["findings"]}
        topics = [topic for topic in ("training steps",) if found[topic]["is_well"]]
        return [f"the doctor finds {topic} well" for topic in topics]
    if case.name.startswith("train"):
        return [] if "compiler" in done.out else ["it does not say that it is slower"]
    answers = _answers(root / "answers" / "texts.csv")
    largest = max(abs(a - b) for a, b in zip(answers, wanted, strict=True))
    return [f"answers differ by {largest}"] if largest > _LOOSE else []


def _answers(file: Path) -> list[float]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [float(row["probability"]) for row in csv.DictReader(lines)]


HOMES: dict[str, Callable[[Path], dict[str, str | None]]] = {
    "no HOME": lambda _: {"HOME": None},
    "HOME is not there": lambda root: {"HOME": str(root / "is-not-there")},
    "HOME is a file": lambda root: {"HOME": str(_file(root))},
    "HOME may not be written to": lambda root: {"HOME": str(_closed(root))},
    "XDG_CACHE_HOME is a file": lambda root: {"XDG_CACHE_HOME": str(_file(root))},
    "BAYESPRESS_CACHE is a file": lambda root: {"BAYESPRESS_CACHE": str(_file(root))},
    "BAYESPRESS_CACHE may not be written to": lambda r: {"BAYESPRESS_CACHE": str(_closed(r))},
    "BAYESPRESS_CACHE names an unknown user's": lambda _: {"BAYESPRESS_CACHE": "~nobody-here/x"},
    "TMPDIR is not there": lambda root: {"TMPDIR": str(root / "is-not-there")},
    "TMPDIR may not be written to": lambda root: {"TMPDIR": str(_closed(root))},
    "nothing may be written to": lambda r: {
        **dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(_closed(r))),
        "BAYESPRESS_CACHE": str(_closed(r)),
    },
}
"""What is wrong with a home, as changes of the environment."""


def _file(root: Path) -> Path:
    (root / "home" / "a-file").write_text("")
    return root / "home" / "a-file"


def _closed(root: Path) -> Path:
    folder = root / "home" / "closed"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    return folder


def no_home(given: Given, cases: Sequence[Case]) -> Report:
    """Run commands without a home, without a cache, without a place for temporary files."""
    report = Report()
    for case in (*cases, *READERS, Case("doctor", ("doctor", "--json"))):
        for name, change in HOMES.items():
            with given.root(case) as root:
                env = environment(root, given.cache)
                changes = change(root)
                if not any("CACHE" in key for key in changes):
                    del env["BAYESPRESS_CACHE"]
                if "XDG_CACHE_HOME" in changes:
                    env.pop("BAYESPRESS_CACHE", None)
                env = {k: v for k, v in {**env, **changes}.items() if v is not None}
                done = call(case.words(given), root, env, first=drop_rights)
                wrong = mistakes_of_line(done, case.notes) if done.code else []
                report.note(f"{case.name}, {name}", done, wrong)
    return report
