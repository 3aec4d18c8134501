"""What reading costs: the slowest input, and the memory of those that are measured."""

from __future__ import annotations

import base64
import json
import resource
import time
import tracemalloc
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scripts.fuzz.target import Target, ViolationError

_HEAD_ROOM = 2**29
"""Bytes that the process may take beyond what it has when it begins: no input needs a fraction."""


@dataclass
class Costs:
    """Of all inputs so far.

    Attributes
    ----------
    runs, taken
        Inputs, and those that were not refused.
    slowest_s, slowest_bytes
        The longest time that one took, and its length.
    measured, peak_bytes, peak_of
        Inputs whose memory was measured; the largest peak, and the length of its input.
    """

    runs: int = 0
    taken: int = 0
    slowest_s: float = 0.0
    slowest_bytes: int = 0
    measured: int = 0
    peak_bytes: int = 0
    peak_of: int = 0


@dataclass
class Meter:
    """Runs a target and keeps account.

    Attributes
    ----------
    target
        What is run.
    every
        One input of so many has its memory measured, which takes ten times as long; 1: all.
    file
        Where the costs are written now and then, for a fuzzer ends its process without a word.
    """

    target: Target
    every: int = 1
    file: Path | None = None
    costs: Costs = field(default_factory=Costs)
    slowest: bytes = b""

    def run(self, data: bytes) -> bool:
        """Read an input.

        Raises
        ------
        ViolationError
            If it takes more memory than the target allows. All other errors go their way.
        """
        costs = self.costs
        costs.runs += 1
        is_measured = costs.runs % self.every == 0
        if is_measured:
            tracemalloc.start()
        began = time.perf_counter()
        try:
            is_taken = self.target.read(data)
        finally:
            seconds = time.perf_counter() - began
            if is_measured:
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
        costs.taken += is_taken
        if is_measured:
            self._remember_peak(peak, len(data))
        elif seconds > costs.slowest_s:  # what is measured is slow for that
            costs.slowest_s, costs.slowest_bytes, self.slowest = seconds, len(data), data
        if self.file is not None and costs.runs % 1000 == 0:
            self.write()
            limit_memory()  # anew: what measures memory, and a corpus that grows, take some too
        return is_taken

    def _remember_peak(self, peak: int, size: int) -> None:
        costs = self.costs
        costs.measured += 1
        if peak > costs.peak_bytes:
            costs.peak_bytes, costs.peak_of = peak, size
        allowed = self.target.memory(size)
        if peak > allowed:
            raise ViolationError(f"{size} bytes take {peak} of memory, over {allowed}")

    def figures(self) -> dict[str, Any]:
        """Give the costs as JSON."""
        return {**asdict(self.costs), "slowest": base64.b64encode(self.slowest).decode()}

    def write(self) -> None:
        """Write the costs."""
        if self.file is not None:
            self.file.write_text(json.dumps(self.figures()), encoding="utf-8")


def limit_memory() -> None:
    """Let the process take so much more memory than it has, and no more: for every input."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + _HEAD_ROOM
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
