"""Counts the steps by which a program changes files, and kills it at the one that is named.

Python imports this by itself where its folder is on PYTHONPATH. A step is what makes, opens for
writing, renames, flushes or removes something below CHAOS_FOLDER; each adds a byte to the file
CHAOS_STEPS, before it is done, so that processes that a program starts count along. At step number
CHAOS_STEP the process kills itself, or with CHAOS_SCOPE=group all processes of its group.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

FOLDER = os.environ["CHAOS_FOLDER"] + os.sep
WANTED = int(os.environ["CHAOS_STEP"])
IS_GROUP = os.environ["CHAOS_SCOPE"] == "group"
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}

_steps = os.open(os.environ["CHAOS_STEPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
_fsync = os.fsync


def step() -> None:
    """Count a step, and die if it is the one."""
    os.write(_steps, b".")
    if os.fstat(_steps).st_size == WANTED:
        if IS_GROUP:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def hook(event: str, values: tuple[Any, ...]) -> None:
    """Hear of what Python is about to do."""
    is_write = event == "open" and isinstance(values[2], int) and values[2] & WRITES
    if not (is_write or event in CHANGES) or isinstance(values[0], int):
        return
    if os.path.abspath(os.fsdecode(values[0])).startswith(FOLDER):  # noqa: PTH100
        step()


def fsync(handle: int) -> None:
    """Flush, with a step before and one after."""
    step()
    _fsync(handle)
    step()


os.fsync = fsync
sys.addaudithook(hook)
