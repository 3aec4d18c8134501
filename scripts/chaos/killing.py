"""Start a program and end it: at a moment, at a step of writing, or as a temporary file appears."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

INJECTED = Path(__file__).parent / "inject"
TEMPORARY = (".part", "-journal")
"""Endings of files that are there while another one is written."""
PATIENCE = 600


@dataclass(frozen=True)
class Blow:
    """How a program is ended.

    Attributes
    ----------
    mode
        ``moment``, ``step`` or ``part``: a time, a number of steps, or that many sightings of a
        temporary file after which it comes; ``never``.
    at
        Seconds, steps or sightings.
    scope
        ``group``, ``parent`` or ``worker``: who is killed.
    signals
        What is sent, with `gap` seconds between.
    """

    mode: str = "never"
    at: float = 0.0
    scope: str = "group"
    signals: tuple[int, ...] = (signal.SIGKILL,)
    gap: float = 0.0


@dataclass(frozen=True)
class End:
    """How a program ended.

    Attributes
    ----------
    was_hit
        Whether something was alive to be hit.
    code
        Its exit code; minus the signal that killed it.
    error
        What it said on standard error.
    seconds, steps
        How long it ran, and the steps that it took.
    """

    was_hit: bool
    code: int
    error: str
    seconds: float
    steps: int


def run(command: Sequence[str], folder: Path, blow: Blow) -> End:
    """Run a command in ``folder/work``, and hit it.

    Files beside ``work`` are the program's cache, its temporary files and what it said.
    """
    said, steps = folder.with_suffix(".said"), folder.with_suffix(".steps")
    steps.unlink(missing_ok=True)
    began = time.monotonic()
    with said.open("wb") as error:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder / "work",
            env=_environment(folder, steps, blow),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=error,
            start_new_session=True,
        )
        try:
            was_hit = _hit(process, folder, blow)
            code = process.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    _wait_for_group(process.pid)
    count = steps.stat().st_size if steps.exists() else 0
    if blow.mode == "step":
        was_hit = count >= blow.at
    text = said.read_text(errors="replace")
    return End(was_hit, code, text, time.monotonic() - began, count)


def _environment(folder: Path, steps: Path, blow: Blow) -> dict[str, str]:
    paths = [str(INJECTED), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "BAYESPRESS_CACHE": str(folder / "cache"),
        "TMPDIR": str(folder / "tmp"),
        "CHAOS_FOLDER": str(folder),
        "CHAOS_STEPS": str(steps),
        "CHAOS_STEP": str(int(blow.at)) if blow.mode == "step" else "0",
        "CHAOS_SCOPE": blow.scope,
    }


def _hit(process: subprocess.Popen[bytes], folder: Path, blow: Blow) -> bool:
    """Wait for the moment, and hit whoever is alive then; tell whether somebody was."""
    if blow.mode == "moment":
        with suppress(subprocess.TimeoutExpired):
            process.wait(blow.at)
    elif blow.mode == "part":
        _watch(process, folder, int(blow.at))
    else:  # it ends by itself, or by what is injected
        return False
    if process.poll() is not None:
        return False
    for number, kind in enumerate(blow.signals):
        if number:
            time.sleep(blow.gap)
        if not _send(process, kind, blow.scope):
            return number > 0
    return True


def _watch(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Wait until so many different temporary files were seen."""
    seen: set[str] = {file.name for file in temporaries(folder)}
    count += len(seen)
    while process.poll() is None:
        seen.update(file.name for file in temporaries(folder))
        if len(seen) >= count:
            return
        time.sleep(0.0005)


def temporaries(folder: Path) -> Iterator[Path]:
    """Find files that are there while others are written."""
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names if name.endswith(TEMPORARY))


def _send(process: subprocess.Popen[bytes], kind: int, scope: str) -> bool:
    children = _children(process.pid) if scope == "worker" else []
    with suppress(ProcessLookupError):
        if scope == "group":
            os.killpg(process.pid, kind)
        elif children:
            os.kill(random.Random(len(children)).choice(children), kind)
        elif process.poll() is None:
            process.send_signal(kind)
        return True
    return False


def _children(pid: int) -> list[int]:
    """Find the processes that it started, where the system tells, but for Python's own."""
    file, found = Path(f"/proc/{pid}/task/{pid}/children"), []
    for word in file.read_text().split() if file.exists() else []:
        with suppress(OSError):
            if b"resource_tracker" not in Path(f"/proc/{word}/cmdline").read_bytes():
                found.append(int(word))
    return found


def _wait_for_group(group: int) -> None:
    """Wait until no process of the group is left."""
    while True:
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.005)
