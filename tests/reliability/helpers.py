"""Processes that stop where they are told, and what folders hold."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from bayespress.cli import display
from tests.cli.helpers import TINY

PROGRAM = [sys.executable, "-m", "bayespress.cli"]
PAPER = [*TINY, "--schedule", "paper"]

# Waits, in the middle of writing a file and again while the half of it is removed, for signals.
WAITING = """
import pathlib, sys, time
from bayespress import storage
from bayespress.cli import main
file, times = sys.argv.pop(1), sys.argv.pop(1)
def wait(word):
    print(word, flush=True)
    time.sleep(600)
def flush(path):
    if path.name.startswith(file):
        pathlib.Path.unlink = slow if times == "twice" else unlink
        wait("writing")
unlink = pathlib.Path.unlink
def slow(path, missing_ok=False):
    if path.name.endswith(".part"):
        wait("removing")
    unlink(path, missing_ok)
storage._flush_to_disk = flush
main()
"""


@contextmanager
def started(arguments, program=PROGRAM):
    """A process that does not outlive the test, with a group of its own as a shell gives it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*program, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stop_at(monkeypatch, epoch, step):
    """Send Ctrl-C to this process at a step of an epoch."""
    original = display.LiveDisplay.on_step
    epochs = []

    def on_step(self, number, loss):
        epochs.extend([0] if number == 1 else [])
        if (len(epochs), number) == (epoch, step):
            os.kill(os.getpid(), signal.SIGINT)
        original(self, number, loss)

    monkeypatch.setattr(display.LiveDisplay, "on_step", on_step)


def names_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*"))
