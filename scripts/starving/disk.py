"""A disk that is full at the n-th write, files that cannot grow, a folder that is only read."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from starving.attempt import Attempt
from starving.cases import Case, Given
from starving.program import Report, call, environment, mistakes_of_line
from starving.rights import drop_rights
from starving.zygote import Zygote

_SHIM = Path(__file__).with_name("shim.c")
_PAGE = 4096


def build_shim(folder: Path) -> Path | None:
    """Build what lets writes fail; None where there is no Linux or no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        return None
    target = folder / "shim.so"
    flags = ("-O1", "-shared", "-fPIC")
    subprocess.run([compiler, *flags, str(_SHIM), "-o", str(target), "-ldl"], check=True)
    return target


def every_write(given: Given, zygote: Zygote, cases: Sequence[Case], step: int) -> Report:
    """Let the disk be full from the n-th write on, for every n."""
    report, writes = Report(), {}
    if not zygote.can_fail:
        return _left_out("needs Linux and a C compiler")
    for case in cases:
        wanted = given.reference(case)
        with given.root(case) as root:
            zygote.call(case.words(given), root, environment(root, given.cache))
            writes[case.name] = zygote.writes()
        sys.stderr.write(f"{case.name}: {writes[case.name]} writes\n")
        for at in range(1, writes[case.name] + 1, step * case.every):
            with Attempt.of(case, given, wanted) as attempt:
                attempt.run(zygote, fail_at=at, error=errno.ENOSPC)
                attempt.judge(report, f"write {at} ({zygote.failed()})", zygote)
    report.figures["writes"] = writes
    return report


def file_sizes(given: Given, zygote: Zygote, cases: Sequence[Case], sizes: int) -> Report:
    """Let no file grow over a limit, for limits from nothing to the largest file."""
    report = Report()
    for case in cases:
        wanted = given.reference(case)
        largest = max(map(len, wanted.values()))
        limits = sorted({largest * k // sizes for k in range(sizes)} | {1, 100, largest - 1})
        for limit in limits:
            with Attempt.of(case, given, wanted) as attempt:
                attempt.run(zygote, files=limit)
                attempt.judge(report, f"files of {limit} bytes", zygote)
    return report


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[bool]:
    """Mount something on a folder as long as the context lasts, if this user may."""
    program = shutil.which("mount")
    done = program and subprocess.run(
        [program, *options, str(folder)], capture_output=True, check=False
    )
    there = bool(done) and done.returncode == 0
    try:
        yield there
    finally:
        if there:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def small_disks(given: Given, zygote: Zygote, cases: Sequence[Case], step: int) -> Report:
    """Let cache, output and temporary files share a disk that is too small, by a page less each."""
    report = Report()
    kernels = {"BAYESPRESS_KERNELS": "0"}  # whether they fit would decide the last digits
    for case in cases:
        wanted = given.reference(case, **kernels)
        for pages in range(2, 2_000, step):
            with (
                given.root() as root,
                mounted(root, "-t", "tmpfs", "-o", f"size={pages * _PAGE}", "none") as there,
            ):
                if not there:
                    return _left_out("this user may not mount")
                try:
                    case.before(given, root)
                    env = environment(root, root / "home" / "cache", **kernels)
                except OSError:  # what is there before does not fit either
                    continue
                attempt = Attempt(case, given, root, wanted, env, rounds=True)
                attempt.before = attempt.tree()
                attempt.run(zygote)
                mistakes = attempt.mistakes()
                grow = ["mount", "-o", "remount,size=256m", str(root)]
                subprocess.run(grow, check=True)
                mistakes += attempt.again(zygote) if attempt.done.code else []
                report.note(f"{case.name}, a disk of {pages} pages", attempt.done, mistakes)
                if attempt.done.code == 0:
                    break
    return report


def read_only(given: Given, zygote: Zygote, cases: Sequence[Case]) -> Report:
    """Let the folder be one that is only read: as its file system or its rights have it."""
    report = Report()
    ways = {"a system that says EROFS": errno.EROFS, "a system that says EACCES": errno.EACCES}
    for case in cases:
        wanted = given.reference(case)
        for way, error in ways.items() if zygote.can_fail else ():
            with Attempt.of(case, given, wanted) as attempt:
                attempt.run(zygote, fail_at=1, error=error)
                attempt.judge(report, way, zygote)
        for way, closed in (("mounted to read", _mounted_to_read), ("no right", _without_rights)):
            with Attempt.of(case, given, wanted) as attempt:
                with closed(attempt.root) as is_closed:
                    if not is_closed:
                        report.figures[way] = "left out: this user may not mount"
                        continue
                    attempt.run(first=drop_rights)
                    mistakes = attempt.mistakes()
                mistakes += attempt.again(zygote)
                report.note(f"{case.name}, {way}", attempt.done, mistakes)
    return report


@contextmanager
def _mounted_to_read(root: Path) -> Iterator[bool]:
    with mounted(root, "--bind", str(root)) as there:
        if there:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(root)], check=True)
        yield there


@contextmanager
def _without_rights(root: Path) -> Iterator[bool]:
    folders = [path for path in (root, *root.rglob("*")) if path.is_dir()]
    own = [
        path for path in folders if path.relative_to(root).parts[:1] not in (("tmp",), ("home",))
    ]
    for path in own:
        path.chmod(0o555)
    try:
        yield True
    finally:
        for path in own:
            path.chmod(0o755)


def standard_output(given: Given) -> Report:
    """Send what commands print to a disk that is full."""
    report = Report()
    commands = {
        "predict": ("predict", "@run", "good film"),
        "explain": ("explain", "@run", "good film", "--json"),
        "inspect": ("inspect", "@run"),
        "evaluate": ("evaluate", "@run", "@reviews.csv", "--json"),
        "generate": ("generate", "@language"),
        "doctor": ("doctor", "--json"),
        "recipes ls": ("recipes", "ls"),
        "help": ("--help",),
        "train": ("train", "@reviews.csv", "--epochs", "1", "--output", "run"),
        "export": ("export", "@run", "--to", "js", "--output", "m.mjs"),
        "predict files": ("predict", "@run", "--input", "@texts.csv", "--output", "answers"),
    }
    full = Path("/dev/full")
    if not full.exists():
        return _left_out("there is no /dev/full")
    for name, arguments in commands.items():
        words = Case(name, arguments).words(given)
        with given.root() as root, full.open("wb") as file:
            done = call(words, root, environment(root, given.cache), stdout=file.fileno())
            report.note(f"{name} > /dev/full", done, mistakes_of_line(done))
    return report


def _left_out(reason: str) -> Report:
    report = Report()
    report.figures["left_out"] = reason
    return report
