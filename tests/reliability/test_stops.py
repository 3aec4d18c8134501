"""Ctrl-C, once and twice, and SIGTERM, wherever they come."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from bayespress.bulk import workers
from bayespress.cli import stopping
from bayespress.storage import is_unfinished
from tests.cli.helpers import worked
from tests.reliability.helpers import PAPER, WAITING, started

BOTH = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)


@pytest.fixture
def commands(trained, source):
    """Commands that write, with the file in whose middle they are stopped, and how to go on."""
    run, model = str(trained.run), str(trained.model)
    bulk = ("--input", str(source), "--output", "out", "--prefix", "new_")
    again = "continue with: the same command"
    resume = "continue with: bayespress train --resume --output run"
    search = ("--search", "hidden_size=4", "--output", "out")
    return {
        "train": ("best", ["train", source, *PAPER, "--epochs", "2", "--output", "run"], resume),
        "compress": ("out", ["compress", run, "--output", "out", "--force"], ""),
        "export": ("model.c", ["export", model, "--to", "c", "--output", "out"], ""),
        "report": ("out", ["report", run, "--output", "out", "--force"], ""),
        "bulk": ("reviews.csv.json", ["predict", model, *bulk], again),
        "sweep": ("best", ["sweep", source, *PAPER, "--epochs", "1", *search], again),
    }


NAMES = ("train", "compress", "export", "report", "bulk", "sweep")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        *((name, signal.SIGINT, 130) for name in NAMES),
        *((name, signal.SIGTERM, 143) for name in ("train", "compress", "bulk")),
    ],
)
def test_stopped_in_the_middle_of_a_file(commands, name, number, code):
    file, arguments, advice = commands[name]
    if name in ("compress", "report"):
        Path("out").write_bytes(b"old")
    with started([f".{file}.", "once", *arguments], [sys.executable, "-c", WAITING]) as process:
        wait_for("writing", process)
        send(process, number)
        _, error = process.communicate()
    said = error.strip().splitlines()[-1]  # bulk may have told of its progress
    assert (process.returncode, said) == (code, f"stopped; {advice}".rstrip("; "))
    assert "Traceback" not in error
    assert not [path for path in Path().rglob("*") if is_unfinished(path)]
    if name in ("compress", "report"):
        assert Path("out").read_bytes() == b"old"
    worked(*(["train", "--resume", "--output", "run"] if name == "train" else arguments))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        *((name, signal.SIGINT, 130) for name in ("train", "export", "bulk")),
        ("compress", signal.SIGTERM, 143),
    ],
)
def test_stopped_again_while_it_is_being_stopped(commands, name, number, code):
    file, arguments, _ = commands[name]
    with started([f".{file}.", "twice", *arguments], [sys.executable, "-c", WAITING]) as process:
        wait_for("writing", process)
        send(process, number)
        wait_for("removing", process)
        send(process, number)
        _, error = process.communicate()
    # Python's keeper of semaphores may tell that it cleared those of bulk prediction.
    assert (process.returncode, "Traceback" in error) == (code, False)
    assert error == "" or name == "bulk"
    assert [path for path in Path().rglob("*") if is_unfinished(path)]
    worked(*(["train", "--resume", "--output", "run"] if name == "train" else arguments))
    assert not [path for path in Path().rglob("*") if is_unfinished(path)]


def wait_for(word, process):
    for line in process.stdout:
        if line.strip() == word:
            return
    pytest.fail(f"ended before {word!r}: {process.communicate()}")


def send(process, number):
    """As a terminal does it, to all of the group; SIGTERM comes to one."""
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)


EVALUATING = """
import time
from bayespress import runtime
from bayespress.cli import main
def evaluate(*_, **__):
    print("evaluating", flush=True)
    time.sleep(600)
runtime.evaluate = evaluate
main()
"""


@BOTH
def test_stopped_while_it_measures(trained, source, number, code):
    arguments = ["evaluate", trained.run, source]
    with started(arguments, [sys.executable, "-c", EVALUATING]) as process:
        wait_for("evaluating", process)
        send(process, number)
        _, error = process.communicate()
    assert (process.returncode, error) == (code, "\nstopped\n")


ENDING = """
import atexit, sys, time
from bayespress.cli import main
def end():
    print("ending", flush=True)
    time.sleep(600)
atexit.register(end)
main()
"""


def test_ctrl_c_while_the_interpreter_ends_is_no_traceback():
    with started(["--version"], [sys.executable, "-c", ENDING]) as process:
        wait_for("ending", process)
        send(process, signal.SIGINT)
        _, error = process.communicate()
    assert (process.returncode, error) == (130, "")


def test_a_command_that_shall_not_hear_ctrl_c_does_not(source):
    quiet = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", WAITING]
    arguments = [".best.", "once", "train", source, *PAPER, "--epochs", "1", "--output", "run"]
    with started(arguments, quiet) as process:
        wait_for("writing", process)
        send(process, signal.SIGINT)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 143


def test_a_cursor_that_was_hidden_is_shown(monkeypatch):
    written, codes = [], []
    monkeypatch.setattr(os, "isatty", lambda stream: stream == 2)
    monkeypatch.setattr(os, "write", lambda stream, text: written.append((stream, text)))
    monkeypatch.setattr(os, "_exit", codes.append)
    stopping._end_at_once(signal.SIGINT, None)
    assert (written, codes) == ([(2, b"\x1b[?25h")], [130])


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_process_of_a_bulk_prediction_hears_ctrl_c_even_while_it_starts(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with workers.Pool(None, 3) as pool:
        for _ in range(3):
            pool.submit(time.sleep, 0)
        started_ones = [Path(f"/proc/{pid}") for pid in pool._executor._processes]
        blocked = [re.search(r"SigBlk:\s(.*)", (p / "status").read_text())[1] for p in started_ones]
        threads = [(p / "environ").read_bytes().split(b"\0") for p in started_ones]
    assert len(started_ones) == 3
    assert all(int(mask, 16) & 1 << signal.SIGINT - 1 for mask in blocked)
    assert all(b"OMP_NUM_THREADS=1" in environment for environment in threads)


LOADING = """
import signal, sys
from importlib.abc import MetaPathFinder
from bayespress.cli import main
class Finder(MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "onnx":
            signal.raise_signal(signal.NUMBER)
            print("it waits", flush=True)
sys.meta_path.insert(0, Finder())
main()
"""


@BOTH
def test_stops_wait_while_onnx_loads_where_they_would_crash(trained, tmp_path, number, code):
    output = ("--output", tmp_path / "m.onnx")
    arguments = ["export", trained.model, "--to", "onnx", *output]
    program = [sys.executable, "-c", LOADING.replace("NUMBER", number.name)]
    with started(arguments, program) as process:
        said, error = process.communicate()
    assert said.startswith("it waits\n")
    assert (process.returncode, error) == (code, "\nstopped\n")
    assert not (tmp_path / "m.onnx").exists()
