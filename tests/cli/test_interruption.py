"""Ctrl-C, signals, closed pipes and endless input, in processes of their own where that counts."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from bayespress import compact
from bayespress.cli import display
from tests.cli.helpers import TINY, call, refused, worked
from tests.compact.strategies import small_model

PROGRAM = [sys.executable, "-m", "bayespress.cli"]
GO_ON = "stopped; continue with: bayespress train --resume --output run\n"
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


@contextmanager
def started(command, **options):
    """A process that does not outlive a failed assertion about it."""
    with subprocess.Popen(command, **{**PIPES, **options}) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def kill_at(monkeypatch, number, *moment):
    """Send a signal to this process at a step of an epoch."""
    original = display.LiveDisplay.on_step
    epochs = []

    def on_step(self, step, loss):
        epochs.extend([0] if step == 1 else [])
        if (len(epochs), step) == moment:
            os.kill(os.getpid(), number)
        original(self, step, loss)

    monkeypatch.setattr(display.LiveDisplay, "on_step", on_step)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
@pytest.mark.parametrize("moment", [(1, 2), (3, 4)])
def test_a_stopped_run_says_how_to_go_on_and_loses_nothing(
    tmp_path, source, monkeypatch, number, code, moment
):
    arguments = ["train", source, *TINY, "--epochs", "4", "--output"]
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        kill_at(patch, number, *moment)
        done = call(*arguments, "run")
    assert (done.code, done.err) == (code, GO_ON)
    assert signal.getsignal(signal.SIGTERM) is before
    assert "is not finished: continue it with" in refused("predict", "run", "x")
    said = worked(*GO_ON.partition("bayespress ")[2].split())
    assert sum("Linear: output" in line for line in said.splitlines()) == 5 - moment[0]
    worked(*arguments, "whole")
    assert Path("run/model.bpr").read_bytes() == Path("whole/model.bpr").read_bytes()
    assert not list(tmp_path.rglob(".*"))


def test_the_command_to_go_on_is_quoted_for_the_shell(source, monkeypatch):
    kill_at(monkeypatch, signal.SIGINT, 1, 1)
    done = call("train", source, *TINY, "--output", "my run")
    assert done.err.endswith("--output 'my run'\n")


def test_a_stopped_run_can_be_compressed_as_it_is(source, monkeypatch):
    with monkeypatch.context() as patch:
        kill_at(patch, signal.SIGINT, 2, 1)
        call("train", source, *TINY, "--output", "run")
    assert "epoch 1 of run:" in worked("compress", "run", "--output", "early.bpr")
    assert json.loads(worked("predict", "early.bpr", "good"))["label"] in ("good", "bad")


def test_more_epochs_that_are_interrupted_do_not_look_finished(source, monkeypatch):
    arguments = ["--schedule", "paper", "--output", "run"]
    worked("train", source, *TINY, *arguments, "--epochs", "2")
    with monkeypatch.context() as patch:
        kill_at(patch, signal.SIGINT, 2, 3)
        assert call("train", "--resume", "--epochs", "4", "--output", "run").code == 130
    assert "is finished" not in worked("train", "--resume", "--output", "run")
    assert len(Path("run/history.jsonl").read_text().splitlines()) == 4
    assert "is finished" in worked("train", "--resume", "--output", "run")


def test_ctrl_c_before_training_is_one_word(source, monkeypatch):
    def load(_config):
        raise KeyboardInterrupt

    monkeypatch.setattr("bayespress.data.load", load)
    done = call("train", source, *TINY)
    assert (done.code, done.err) == (130, "\nstopped\n")  # below the terminal's ^C
    assert not Path("runs").exists()


def test_ctrl_c_in_a_process_of_its_own(source):
    command = [*PROGRAM, "train", str(source), *TINY, "--epochs", "100000", "--output", "run"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    with started(command, env=environment, stdin=None, text=True) as process:
        while not process.stdout.readline().startswith("Linear"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        # Read on, or the program waits for room in the pipe.
        _, error = process.communicate(timeout=20)
    assert (process.returncode, error) == (130, GO_ON)
    assert not list(Path("run").glob(".*"))


def test_a_reader_who_has_seen_enough_hears_no_complaint(trained):
    command = [*PROGRAM, "predict", str(trained.run)]
    with started(command) as process:
        writer = threading.Thread(target=write_lines, args=(process.stdin, 50_000))
        writer.start()
        assert json.loads(process.stdout.readline())["label"] == "good"
        process.stdout.close()
        assert process.stderr.read() == b""
        writer.join()


def write_lines(pipe, count):
    try:
        for _ in range(count // 1000):
            pipe.write(b"a good film of the plot\n" * 1000)
        pipe.close()
    except BrokenPipeError:
        pass


MEASURED = """
import sys
from pathlib import Path
from bayespress.cli import main
main()
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in l)
print(peak.split()[1], file=sys.stderr)
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


def peak_kilobytes(model, count):
    command = [sys.executable, "-c", MEASURED, "predict", str(model)]
    with started(command) as process:
        writer = threading.Thread(target=write_lines, args=(process.stdin, count))
        writer.start()
        assert sum(1 for _ in process.stdout) == count
        writer.join()
        return int(process.stderr.read())


@needs_proc
def test_memory_does_not_grow_with_the_input(trained):
    few, many = (peak_kilobytes(trained.run, count) for count in (4_000, 200_000))
    assert many - few < 8_000


def test_the_first_answers_come_before_the_input_ends(trained):
    command = [*PROGRAM, "predict", str(trained.run)]
    with started(command, stderr=None) as process:
        for text, label in ((b"good\n", "good"), (b"bad\nba", "bad"), (b"d plot\ngo", "bad")):
            process.stdin.write(text)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["label"] == label
        process.stdin.write(b"od")
        process.stdin.close()
        assert json.loads(process.stdout.readline())["label"] == "good"
        assert process.wait(10) == 0


def test_answers_are_utf_8_whatever_the_locale():
    compact.save(small_model(), "small.bpr")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for flags in ([], ["--json"]):
        command = [*PROGRAM, "inspect", "small.bpr", *flags]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "naïve" in done.stdout.decode("utf-8")


WATCHED = """
import sys
sys.argv[0] = "bayespress"
from bayespress.cli import main
main()
heavy = ("torch", "rich", "pyarrow", "safetensors", "pooch", "bayespress.data")
print([name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize("arguments", [["predict", "RUN", "x"], ["inspect", "RUN"], ["--help"]])
def test_what_runs_finished_models_imports_nothing_heavy(trained, arguments):
    known = [str(trained.run) if word == "RUN" else word for word in arguments]
    command = [sys.executable, "-W", "error", "-c", WATCHED, *known]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("\n[]\n"), done.stderr
