"""Two processes at one folder, and folders and data that are moved between runs."""

import shutil
import signal
from pathlib import Path

import pytest

from bayespress.storage import locked
from bayespress.training import RunFolder
from tests.cli.helpers import call, refused, rows, worked, write_csv
from tests.reliability.helpers import PAPER, names_of, started, stop_at

AT_WORK = (
    "error: another 'bayespress train --output run' is at work there already: let it end, "
    "or choose another --output"
)
FOUR = [*PAPER, "--epochs", "4"]


def stopped(monkeypatch, source, output="run"):
    """A run that was stopped in its third epoch."""
    with monkeypatch.context() as patch:
        stop_at(patch, 3, 2)
        assert call("train", source, *FOUR, "--output", output).code == 130


def same(run, source):
    """Compare a run's file with that of one that was never stopped."""
    worked("train", source, *FOUR, "--output", "whole")
    assert Path(run, "model.bpr").read_bytes() == Path("whole/model.bpr").read_bytes()
    assert names_of(run) == names_of("whole")


@pytest.mark.parametrize("how", ["moved", "copied", "linked"])
def test_a_run_goes_on_where_its_folder_is_now(source, monkeypatch, how):
    stopped(monkeypatch, source)
    now = Path("elsewhere/my run")
    now.parent.mkdir()
    if how == "moved":
        shutil.move("run", now)
    elif how == "copied":
        shutil.copytree("run", now)
    else:
        now.symlink_to(Path("run").resolve(), target_is_directory=True)
    worked("train", "--resume", "--output", now)
    assert now.is_symlink() == (how == "linked")
    same(now, source)


def test_bulk_answers_go_on_where_their_folder_is_now(trained, source):
    Path("more").mkdir()
    shutil.copy2(source, "more/a.csv")
    arguments = ["predict", trained.run, "--input", "more", "--prefix", "new_", "--workers", "1"]
    assert call(*arguments, "--output", "out").code == 0
    shutil.move("out", "elsewhere")
    shutil.copy2(source, "more/b.csv")
    assert call(*arguments, "--output", "elsewhere").out.endswith("1 done before\n")
    assert call(*arguments, "--output", "whole").code == 0
    for name in ("a.csv", "b.csv"):
        assert Path("elsewhere", name).read_bytes() == Path("whole", name).read_bytes()


def test_data_that_were_moved_are_missed_in_one_line(source, monkeypatch):
    stopped(monkeypatch, source)
    source.rename("moved.csv")
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
    line = refused("train", "--resume", "--output", "run")
    assert line == (
        f"error: source {source}: there is no such file or folder; check the path, or name the "
        "place where it is now: bayespress train PLACE --resume --output run"
    )
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before
    worked("train", "moved.csv", "--resume", "--output", "run")
    Path("moved.csv").rename(source)
    same("run", source)


def test_other_data_are_not_taken_for_those_that_were_moved(source, monkeypatch):
    stopped(monkeypatch, source)
    write_csv(Path("other.csv"), rows(80))
    line = refused("train", "other.csv", "--resume", "--output", "run")
    assert line.startswith("error: the data changed since the run in run began: start a new run")
    assert str(source) in Path("run/config.toml").read_text()
    worked("train", "--resume", "--output", "run")


@pytest.mark.slow
def test_the_second_that_trains_in_a_folder_is_refused_and_the_first_unharmed(source):
    arguments = ["train", source, *FOUR, "--epochs", "60", "--kl-weight", "0.01", "--output"]
    with started([*arguments, "run"]) as process:
        while not process.stdout.readline().startswith("Linear"):
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGSTOP)  # it must not be over before the others have tried
        assert refused("train", "--resume", "--output", "run") == AT_WORK
        assert "already holds a run" in refused(*arguments, "run")
        assert "epoch 1 of run:" in worked("compress", "run", "--output", "early.bpr")
        process.send_signal(signal.SIGCONT)
        _, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    worked(*arguments, "whole")
    assert Path("run/model.bpr").read_bytes() == Path("whole/model.bpr").read_bytes()


def test_a_new_run_is_refused_where_another_reads_its_data(source):
    with RunFolder(Path("run")).locked():
        assert refused("train", source, *FOUR, "--output", "run") == AT_WORK
    assert not Path("run").exists()


def test_a_sweep_keeps_out_of_a_run_that_somebody_goes_on_with(source):
    pytest.importorskip("optuna", reason="pip install 'bayespress[sweep]'")
    arguments = ["sweep", source, *FOUR, "--search", "hidden_size=4", "--output", "sw"]
    Path("sw").mkdir()
    Path("sw/sweep.db").touch()  # as one that was killed at its first step leaves it
    with RunFolder(Path("sw/trial-0000/seed-1")).locked():
        line = refused(*arguments)
    assert "another 'bayespress train --output sw/trial-0000/seed-1' is at work there" in line
    worked(*arguments)


@pytest.mark.parametrize("lock", ["out/.bayespress/lock", "out/.lock"])
def test_the_second_at_an_output_folder_is_refused(trained, source, lock):
    bulk = ["predict", trained.run, "--input", source, "--prefix", "new_", "--output", "out"]
    sweep = ["sweep", source, *FOUR, "--search", "hidden_size=4", "--output", "out"]
    command = bulk if "bayespress" in lock else sweep
    with locked(Path(lock), "another one"):
        line = refused(*command)
    assert line == (
        f"error: another 'bayespress {command[0]} --output out' is at work there already: "
        "let it end, or choose another --output"
    )
