"""What Linux tells in /proc of a process and all that it started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEGABYTE = 1_000_000


def family(number: int) -> Iterator[int]:
    """Iterate over a process and all that it started."""
    yield number
    try:
        started = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="utf-8")
    except OSError:
        return
    for child in started.split():
        yield from family(int(child))


def highest(number: int) -> float:
    """Megabytes that a process had in memory at most, 0 if it has ended."""
    return _kibibytes(number, "VmHWM") * 1024 / MEGABYTE


def resident(number: int) -> float:
    """Megabytes that a process has in memory now, 0 if it has ended."""
    return _kibibytes(number, "VmRSS") * 1024 / MEGABYTE


def _kibibytes(number: int, field: str) -> int:
    try:
        status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith(field)), 0)
