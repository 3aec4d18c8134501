"""Run parts of a kernel at the same time, on the threads that torch itself works with.

torch's OpenMP threads spin for some milliseconds after each of its operations, so that threads of
our own would have to share the processor with them: a step takes a third longer then.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_uint, c_void_p
from pathlib import Path
from typing import Any

import torch

Range = tuple[int, int]
_BODY = ctypes.CFUNCTYPE(None, c_void_p)
_RUNTIME = re.compile(r"/\S*lib(?:gomp|iomp5|omp)[^/\s]*\.so[^/\s]*$", re.MULTILINE)


def ranges(count: int, least: int = 1) -> list[Range]:
    """Divide a count among torch's threads, each part at least so large; the same every time."""
    parts = max(1, min(torch.get_num_threads(), count // max(least, 1)))
    edges = [count * part // parts for part in range(parts + 1)]
    return list(itertools.pairwise(edges))


def run(call: Callable[[int, Range], Any], parts: Sequence[Range]) -> list[Any]:
    """Call with every part's number and range at the same time; results in order."""
    if len(parts) == 1:
        return [call(0, parts[0])]
    team = _team()
    if team is None:
        pool = _pool(os.getpid())
        others = [pool.submit(call, k, parts[k]) for k in range(1, len(parts))]
        return [call(0, parts[0]), *(other.result() for other in others)]
    results: list[Any] = [None] * len(parts)
    errors: list[BaseException] = []

    def body(_: int | None) -> None:
        try:
            # The team may have fewer threads than were asked for.
            for k in range(team.omp_get_thread_num(), len(parts), team.omp_get_num_threads()):
                results[k] = call(k, parts[k])
        except BaseException as error:  # noqa: BLE001 - it may not cross the C frames; see below
            errors.append(error)

    team.GOMP_parallel(_BODY(body), None, len(parts), 0)
    if errors:
        raise errors[0]
    return results


@functools.cache
def _team() -> ctypes.CDLL | None:
    """Find the OpenMP runtime that torch has loaded; None where it cannot be told."""
    try:
        loaded = _RUNTIME.findall(Path("/proc/self/maps").read_text(encoding="utf-8"))
        if len(set(loaded)) != 1:
            return None
        runtime = ctypes.CDLL(loaded[0])
        runtime.GOMP_parallel.argtypes = (_BODY, c_void_p, c_uint, c_uint)
        runtime.GOMP_parallel.restype = None
        runtime.omp_get_thread_num()
    except (OSError, AttributeError):
        return None
    return runtime


@functools.lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a forked child has no threads
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="bayespress")
