"""``predict --input``, run again: what is done is kept, what was killed goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayespress.bulk import memory, run, workers
from tests.cli.bulk_helpers import (
    MODEL,
    PART,
    cache,
    content_of,
    predict,
    read,
    small_parts_and_no_haste,
    texts_of,
    write,
)
from tests.cli.helpers import call, refused

__all__ = ["cache", "small_parts_and_no_haste"]  # fixtures


def test_what_is_done_is_skipped(monkeypatch):
    write("data/a.csv", texts_of())
    predict("data")
    before = Path("out/a.csv").stat().st_mtime_ns
    write("data/b.csv", texts_of())
    assert predict("data").endswith("rows/s; 1 done before\n")
    monkeypatch.setattr(run, "Pool", None)
    assert predict("data") == "nothing to do: all 2 done before, in out\n"
    assert Path("out/a.csv").stat().st_mtime_ns == before


def test_a_changed_input_is_read_again():
    write("a.csv", ["dull"])
    predict("a.csv")
    write("a.csv", ["a wonderful film"])
    done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert done.err == "out/a.csv is out of date: its input has changed\n"
    assert read("out/a.csv")[0]["text"] == "a wonderful film"


def test_an_answer_that_was_removed_is_written_again():
    write("a.csv", ["dull"])
    predict("a.csv")
    Path("out/a.csv").unlink()
    predict("a.csv")
    assert read("out/a.csv")[0]["label"] == "negative"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (["--prefix", "my_"], "out/a.csv was made with prefix '', now it is 'my_': choose another"),
        (["--probabilities"], "was made with probabilities False, now it is True"),
        (["--text-column", "id"], "was made with text_column 'text', now it is 'id'"),
    ],
)
def test_answers_of_other_settings_are_not_mixed(change, rule):
    write("a.csv", ["dull"])
    predict("a.csv")
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out", *change)
    assert rule in line
    assert line.endswith("--output, or add --force to make all answers anew")
    call("predict", MODEL, "--input", "a.csv", "--output", "out", "--force", *change)
    assert predict("a.csv", flags=change).startswith("nothing to do")


def test_answers_of_another_model_are_not_mixed():
    write("a.csv", ["dull"])
    predict("a.csv")
    other = MODEL.with_name("imdb.bpr")
    line = refused("predict", other, "--input", "a.csv", "--output", "out")
    assert line.startswith("error: out/a.csv was made with another model: choose another --output")
    done = call("predict", other, "--input", "a.csv", "--output", "out", "--force")
    assert (done.code, done.err) == (0, "out/a.csv is made anew\n")
    assert read("out/a.csv")[0]["label"] in ("neg", "pos")


def test_a_strangers_file_is_not_replaced():
    write("a.csv", ["dull"])
    Path("out").mkdir()
    Path("out/a.csv").write_text("mine")
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "out/a.csv exists already and is none of this command's files" in line
    assert content_of("out") == {"a.csv": b"mine"}


# Killed, and run again.

SLOW = f"""
from bayespress.bulk import cutting
from bayespress.cli import bulk, main
bulk._QUIET_SECONDS = 600
cutting.PART_BYTES = {PART}
main()
"""


def program(*inputs, output="out", workers=2):
    named = [word for path in inputs for word in ("--input", path)]
    command = [sys.executable, "-c", SLOW, "predict", str(MODEL), *named]
    return [*command, "--output", output, "--workers", str(workers)]


def parts_in(folder):
    return [*Path(folder, memory.FOLDER, "parts").rglob("0*")]


def wait_for(condition, process):
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_killed_run_goes_on_to_the_same_bytes(name):
    write(f"data/{name}", texts_of(3_000))
    write("data/b.csv", texts_of(500, seed=2))
    predict("data", output="whole")
    whole = content_of("whole")
    reused = 0
    for wanted in (1, 10, 20):
        before = set(parts_in("out"))
        with subprocess.Popen(program("data"), stderr=subprocess.DEVNULL) as process:
            wait_for(lambda known=before, n=wanted: len({*parts_in("out")} - known) >= n, process)
            process.kill()
        there = content_of("out")
        assert {key: whole[key] for key in there} == there
        reused += len(before)
    assert reused > 0
    subprocess.run(program("data", workers=3), check=True, stdout=subprocess.DEVNULL)
    assert content_of("out") == whole
    assert not parts_in("out")


def test_parts_that_are_there_are_not_answered_again(monkeypatch):
    write("a.csv", texts_of(600))
    predict("a.csv", output="whole")
    with monkeypatch.context() as patch:
        patch.setattr(workers, "join", os.kill)  # which cannot be called with a file
        call_fails("a.csv")
    assert len(parts_in("out")) > 5
    with monkeypatch.context() as patch:
        patch.setattr(workers, "answer", None)
        predict("a.csv")
    assert content_of("out") == content_of("whole")


def call_fails(*inputs):
    named = [word for path in inputs for word in ("--input", path)]
    with pytest.raises(TypeError):
        call("predict", MODEL, *named, "--output", "out", "--workers", "1")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_last_step(monkeypatch, moment):
    write("a.csv", texts_of())
    predict("a.csv", output="whole")
    replace = Path.replace

    def die(self, target):
        if self.name == "whole":
            if moment == "after":
                replace(self, target)
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert (done.code, done.err) == (130, "stopped; continue with: the same command\n")
    predict("a.csv")
    assert content_of("out") == content_of("whole")
    assert not parts_in("out")


def test_parts_of_another_model_or_of_changed_texts_are_not_taken(monkeypatch):
    write("a.csv", texts_of(600))
    with monkeypatch.context() as patch:
        patch.setattr(workers, "join", os.kill)
        call_fails("a.csv")
    assert parts_in("out")
    write("a.csv", ["a wonderful film", *texts_of(600)[1:]])
    predict("a.csv", flags=["--text-column", "id"])
    predict("a.csv", output="whole", flags=["--text-column", "id"])
    assert content_of("out") == content_of("whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(number):
    write("a.csv", texts_of(9_000))
    options = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program("a.csv"), start_new_session=True, **options) as process:
        wait_for(lambda: len(parts_in("out")) > 3, process)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (
        128 + number,
        "stopped; continue with: the same command\n",
    )
    assert content_of("out") == {}
    assert not [*Path("out").rglob("*.part")]


def processes_of(text):
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [path.parent.name] if text.encode() in path.read_bytes() else []
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_process_outlives_the_one_that_was_killed(tmp_path):
    write("a.csv", texts_of(9_000))
    mark = f"MARK={tmp_path}"
    environment = {**os.environ, "MARK": str(tmp_path)}
    with subprocess.Popen(program("a.csv"), env=environment) as process:
        wait_for(lambda: len(parts_in("out")) > 3, process)
        assert len(processes_of(mark)) >= 3
        process.kill()
    end = time.monotonic() + 20
    while processes_of(mark):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_do_not_write_to_one_folder():
    write("a.csv", texts_of(9_000))
    with subprocess.Popen(program("a.csv")) as process:
        wait_for(lambda: len(parts_in("out")) > 0, process)
        line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
        process.kill()
    assert line == (
        "error: another 'bayespress predict --output out' is at work there already: let it end, "
        "or choose another --output"
    )


def test_a_process_that_is_ended_from_outside_is_one_line(monkeypatch):
    write("a.csv", texts_of())
    monkeypatch.setattr(workers, "answer", os._exit)
    monkeypatch.setattr(run._Run, "_cut", lambda self, _: self._working.update({gone(self): print}))
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "memory ran out: lower --workers and run the same command again" in line


def gone(this):
    return this._pool.submit(os._exit, 1)


@pytest.mark.skipif(not Path("/dev/full").exists() or shutil.which("prlimit") is None, reason="")
def test_a_full_disk_is_one_line_and_the_same_command_goes_on():
    write("a.csv", texts_of(3_000))
    predict("a.csv", output="whole")
    size = Path("whole/a.csv").stat().st_size
    limited = ["prlimit", f"--fsize={size // 2}", *program("a.csv")]
    # Where coverage is measured, the command could not write down its own, and would say so.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}
    done = subprocess.run(limited, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write out/.bayespress/parts/a.csv/whole: no space")
    assert done.stderr.endswith("mend that, then continue with: the same command\n")
    assert content_of("out") == {}
    predict("a.csv")
    assert content_of("out") == content_of("whole")
