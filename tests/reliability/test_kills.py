"""Killed anywhere: `scripts/chaos` in short, and each thing that it once found."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bayespress import compiler
from bayespress.compiler import Library
from bayespress.export.folder import write_files
from bayespress.storage import StorageError, is_unfinished, locked, write_atomically, write_bytes
from bayespress.training import RunFolder
from tests.cli.helpers import TINY, call, refused, worked
from tests.reliability.helpers import PAPER, names_of, started

CHAOS = Path(__file__).parents[2] / "scripts" / "chaos"
DYING = """
import os, signal, sys
from pathlib import Path
from bayespress import storage
def die(path):
    os.kill(os.getpid(), signal.SIGKILL)
storage._flush_to_disk = die
storage.write_bytes(Path(sys.argv[1]), b"half of the new")
"""


def chaos(*arguments):
    command = [sys.executable, str(CHAOS), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def killed_while_writing(path):
    done = subprocess.run([sys.executable, "-c", DYING, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize(("job", "kills"), [("classifier", 4), ("export-c-new", 4), ("bulk", 5)])
def test_what_was_killed_comes_to_the_same_bytes_and_leaves_nothing(tmp_path, job, kills):
    told = chaos("--kills", str(kills), "--only", job, "--seed", "7", "--folder", tmp_path / "x")
    assert told["kills"] == told["kills_of"][job] == kills
    assert told["failures"] == []


def test_the_next_write_clears_what_a_killed_one_left(tmp_path):
    path = tmp_path / "model.bpr"
    path.write_bytes(b"old")
    other = tmp_path / ".thesis.part"
    other.touch()
    killed_while_writing(path)
    assert path.read_bytes() == b"old"
    assert sum(is_unfinished(file) for file in tmp_path.iterdir()) == 2
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [other, path]


def test_what_another_process_is_writing_is_not_cleared(tmp_path):
    path = tmp_path / "model.bpr"

    def write(temporary):
        temporary.write_bytes(b"slow")
        write_bytes(path, b"quick")  # as another process would: locks are the open file's
        assert temporary.exists()
        assert path.read_bytes() == b"quick"

    write_atomically(path, write)
    assert path.read_bytes() == b"slow"
    assert names_of(tmp_path) == ["model.bpr"]


def test_a_file_that_was_taken_for_abandoned_before_its_lock_is_made_again(tmp_path, monkeypatch):
    import fcntl  # noqa: PLC0415 - not on every system

    flock, taken = fcntl.flock, []

    def steal(handle, flags):
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        flock(handle, flags)

    monkeypatch.setattr(fcntl, "flock", steal)
    write_bytes(tmp_path / "a", b"new")
    assert len(taken) == 1
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names_of(tmp_path) == ["a"]


def test_where_there_are_no_locks_files_are_written_all_the_same(tmp_path, monkeypatch):
    import fcntl  # noqa: PLC0415 - not on every system

    def flock(handle, flags):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    killed = tmp_path / ".a.killed.part"
    killed.touch()
    with locked(tmp_path / "folder" / ".lock", "nobody"):
        write_bytes(tmp_path / "a", b"new")
    assert names_of(tmp_path) == [killed.name, "a"]  # it might be another process's


@pytest.mark.parametrize("left", [".lock", ".config.toml.x1y2.part"])
def test_a_run_that_was_killed_before_it_saved_anything_begins_again(source, left):
    Path("run").mkdir()
    Path("run", left).touch()
    worked("train", source, *PAPER, "--epochs", "1", "--output", "run")
    assert not list(Path("run").glob(".*"))


def test_a_run_that_was_killed_at_its_very_end_leaves_no_lock(source):
    worked("train", source, *PAPER, "--epochs", "1", "--output", "run")
    before = names_of("run")
    Path("run/.lock").touch()
    assert "is finished" in worked("train", "--resume", "--output", "run")
    assert names_of("run") == before


def test_a_run_that_was_refused_leaves_no_folder():
    refused("train", "missing.csv", *TINY, "--output", "runs/a/b")
    Path("one.csv").write_text("text,label\ngood,good\n")
    refused("train", "one.csv", *TINY, "--output", "runs/a/b")
    assert not Path("runs").exists()


def test_more_epochs_that_are_killed_at_once_do_not_look_finished(source, monkeypatch):
    arguments = ["--output", "run", "--epochs"]
    worked("train", source, *PAPER, *arguments, "1")

    def save_config(folder, config):
        save(folder, config)
        raise KeyboardInterrupt

    save = RunFolder.save_config
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save_config", save_config)
        assert call("train", "--resume", *arguments, "2").code == 130
    assert "is finished" not in worked("train", "--resume", "--output", "run")
    assert len(Path("run/history.jsonl").read_text().splitlines()) == 2


FILES = {"a.h": b"head", "a.c": "naïve", "Makefile": "all:"}


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_export_that_was_killed_goes_on_by_the_same_command(tmp_path, done):
    write_files(tmp_path, dict(list(FILES.items())[:done]), replace=True)
    killed_while_writing(tmp_path / list(FILES)[done])
    write_files(tmp_path, FILES, replace=False)
    assert names_of(tmp_path) == sorted(FILES)


@pytest.mark.parametrize("there", [FILES, {"a.h": b"mine"}, {"a.h": b"head", "thesis": b""}])
def test_an_export_that_is_done_or_another_is_not_replaced(tmp_path, there):
    write_files(tmp_path, there, replace=True)
    with pytest.raises(StorageError, match="is not empty: choose another --output, or add --force"):
        write_files(tmp_path, FILES, replace=False)


TINY_C = Library(files={"one.c": "int one(void) { return 1; }"}, sources=["one.c"], flags=["-O0"])


def test_the_next_build_clears_what_a_killed_one_left(tmp_path):
    (tmp_path / "build-killed").mkdir()
    (tmp_path / "build-killed" / "one.c").touch()
    (tmp_path / "mine").mkdir()
    built = TINY_C.built(tmp_path)
    assert names_of(tmp_path) == sorted(
        [".lock", built.name, built.with_suffix(".sha256").name, "mine"]
    )


def test_a_build_counts_when_nothing_of_it_is_left(tmp_path, monkeypatch):
    def write(path, content):
        assert names_of(tmp_path) == sorted([".lock", path.with_suffix(".so").name])
        write_bytes(path, content)

    monkeypatch.setattr(compiler, "write_bytes", write)
    built = TINY_C.built(tmp_path)
    assert built.with_suffix(".sha256").exists()


def test_the_compilers_own_files_are_where_they_are_cleared(tmp_path, monkeypatch):
    seen = []
    run = subprocess.run

    def look(command, **options):
        seen.append(Path(options["env"].get("TMPDIR", "/nowhere")).parent)
        return run(command, **options)

    monkeypatch.setattr(compiler.subprocess, "run", look)
    TINY_C.built(tmp_path)
    assert seen[-1] == tmp_path


BUILDS = """
import sys
from pathlib import Path
from bayespress.compiler import Library
Library._compile_in = None  # it must not be asked for
print("begins", flush=True)
Library(
    files={"one.c": "int one(void) { return 1; }"}, sources=["one.c"], flags=["-O0"]
).built(Path(sys.argv[1]))
"""


def test_two_that_build_the_same_build_it_once(tmp_path, monkeypatch):
    compile_in = Library._compile_in

    def slow(self, folder, compiler, target):
        assert other.stdout.readline() == "begins\n"
        return compile_in(self, folder, compiler, target)

    monkeypatch.setattr(Library, "_compile_in", slow)
    with started([tmp_path], [sys.executable, "-c", BUILDS]) as other:
        TINY_C.built(tmp_path)
        assert other.communicate() == ("", "")
        assert other.returncode == 0
    assert not list(tmp_path.glob("build-*"))


def test_a_killed_process_leaves_its_lock_open(source):
    arguments = ["train", source, *PAPER, "--epochs", "1000", "--output", "run"]
    with started(arguments) as process:
        while not process.stdout.readline().startswith("Linear"):
            assert process.poll() is None
        assert Path("run/.lock").exists()
        process.kill()
        process.wait()
    with RunFolder(Path("run")).locked():
        pass
    assert not Path("run/.lock").exists()
