"""``sweep``: all combinations or some, killed and resumed, refused in one line."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayespress.config import Config
from bayespress.errors import ConfigError, TrainingError
from bayespress.sweep import Done, Figures, front, parse, ranked
from bayespress.training import Trainer
from tests.cli.helpers import TINY, TINY_LANGUAGE, refused, worked

pytest.importorskip("optuna", reason="pip install 'bayespress[sweep]'")

FEW = ["--epochs", "1", "--schedule", "paper", "--output", "sw"]


@pytest.fixture
def base(source):
    return ["sweep", source, *TINY[:2], *TINY[4:], *FEW]


def lines_of(said):
    """Read the lines of trials: number, score, what was chosen."""
    return re.findall(r"^trial (\d+): score (\S+),.*\((.*)\)$", said, re.MULTILINE)


def histories(folder):
    return {
        path.relative_to(folder).as_posix(): [
            {**json.loads(line), "seconds": 0} for line in path.read_text().splitlines()
        ]
        for path in sorted(Path(folder).rglob("history.jsonl"))
    }


def test_all_combinations_are_tried_with_each_seed(base):
    search = ["--search", "hidden_size=4,5", "--search", "lowercase=yes,no", "--seeds", "2"]
    said = worked(*base, *search)
    chosen = [words for _, _, words in lines_of(said)]
    assert chosen == [
        f"hidden_size {size}, lowercase {case}" for size in (4, 5) for case in ("True", "False")
    ]
    runs = [f"trial-{n:04}/seed-{seed}/history.jsonl" for n in range(4) for seed in (1, 2)]
    assert [*histories("sw")] == runs
    assert "best trials, by score" in said
    assert worked(*base, *search).startswith("4 trials were done before\nbest trials")


def test_a_score_is_the_mean_of_its_seeds(base):
    ((_, score, _),) = lines_of(worked(*base, "--search", "hidden_size=4", "--seeds", "2"))
    scores = [history[0]["score"] for history in histories("sw").values()]
    assert float(score) == pytest.approx(sum(scores) / 2, abs=1e-4)


def test_each_trial_is_an_ordinary_run_that_has_not_seen_test_data(base):
    worked(*base, "--search", "hidden_size=4")
    run = Path("sw/trial-0000/seed-1")
    result = json.loads((run / "result.json").read_text())
    assert result["test_texts"] == 0
    assert "test_accuracy_file" not in result
    assert json.loads(worked("predict", run, "a good film"))["label"] in ("good", "bad")
    worked("train", "--resume", "--epochs", "2", "--output", run)


def test_the_command_that_is_printed_repeats_the_best_run(base):
    said = worked(*base, "--search", "learning_rate=0.001..0.1:log", "--trials", "2").splitlines()
    words = shlex.split(said[-1])
    assert words[:2] == ["bayespress", "train"]
    best = Path(said[-2].removeprefix("best: "))
    worked(*words[1:], "--output", "again")
    assert histories("again")["history.jsonl"] == histories(best)["history.jsonl"]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_more_trials_later_are_those_that_would_have_come(base, sampler):
    search = ["--search", "kl_weight=0.5..4:log", "--sampler", sampler]
    first = lines_of(worked(*base, *search, "--trials", "1"))
    more = lines_of(worked(*base, *search, "--trials", "3"))
    whole = lines_of(worked(*base[:-1], "whole", *search, "--trials", "3"))
    assert first + more == whole
    assert len({chosen for _, _, chosen in whole}) == 3


def test_what_was_tried_before_is_not_trained_again(base):
    said = worked(*base, "--search", "hidden_size=4,5", "--trials", "5", "--sampler", "random")
    assert len(lines_of(said)) == 5
    assert (
        len(histories("sw")) == len({(score, chosen) for _, score, chosen in lines_of(said)}) == 2
    )


def test_accuracy_and_compression_as_two_aims(base):
    said = worked(*base, "--search", "hidden_size=2..6", "--trials", "2", "--front")
    assert "no trial is both better and smaller" in said
    assert len(lines_of(said)) == 2


def test_a_language_model(tmp_path):
    Path("letters.txt").write_text("Dear friend, so it is.\nIt is so good.\n" * 40)
    said = worked(
        *("sweep", "letters.txt", *TINY_LANGUAGE, *FEW, "--search", "hidden_size=4,5"),
        *("--dense-epochs", "0", "--finetune-epochs", "0"),
    )
    assert " nats, " in said
    assert json.loads(Path("sw/trial-0001/seed-1/result.json").read_text())["test_tokens"] == 0


def test_a_trial_that_cannot_be_trained_is_noted_and_the_next_one_comes(base, monkeypatch):
    fit = Trainer.fit

    def fail(self):
        if self.config.model.hidden_size == 4:
            raise TrainingError("the loss is not finite")
        return fit(self)

    monkeypatch.setattr(Trainer, "fit", fail)
    said = worked(*base, "--search", "hidden_size=4,5")
    assert "trial 0: the loss is not finite  (hidden_size 4)" in said
    assert [number for number, _, _ in lines_of(said)] == ["1"]
    monkeypatch.setattr(Trainer, "fit", None)
    assert worked(*base, "--search", "hidden_size=4,5").startswith("2 trials were done before")


def test_if_no_trial_can_be_trained_it_says_so(base, monkeypatch):
    def fail(self):
        raise TrainingError("everything was pruned")

    monkeypatch.setattr(Trainer, "fit", fail)
    said = worked(*base, "--search", "hidden_size=4")
    assert said.endswith("no trial could be trained to its end: search other values\n")


def test_a_trial_ends_early_where_most_were_better(base, monkeypatch):
    from bayespress.sweep import study  # noqa: PLC0415 - it needs Optuna

    monkeypatch.setattr(study, "_FIRST_TRIALS", 1)
    flags = ["--epochs", "4", "--stop-early", "--search", "learning_rate=0.05,1e-6"]
    said = worked(*base, *flags)
    assert "trial 1: stopped early  (learning_rate 1e-06)" in said
    assert len(histories("sw")["trial-0001/seed-1/history.jsonl"]) < 4
    assert worked(*base, *flags).startswith("2 trials were done before")


# Killed, and run again.


def start(arguments):
    command = [sys.executable, "-m", "bayespress.cli", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(path, count, process):
    end = time.monotonic() + 120
    while not (path.exists() and len(path.read_text().splitlines()) >= count):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.slow
def test_a_killed_sweep_goes_on_with_the_run_that_was_at_work(base):
    arguments = [*base, "--epochs", "15", "--kl-weight", "0.01", "--seeds", "2"]
    arguments += ["--search", "hidden_size=3..9", "--trials", "2"]
    at_work = Path("sw/trial-0001/seed-2/history.jsonl")
    with start(arguments) as process:
        wait_for(at_work, 3, process)
        process.kill()
    before = at_work.read_text()
    assert not (at_work.parent / "result.json").exists()
    said = worked(*arguments)
    assert [number for number, _, _ in lines_of(said)] == ["1"]
    # Seconds too: no epoch was trained again but the one that was not yet saved.
    assert at_work.read_text().startswith("".join(before.splitlines(keepends=True)[:-1]))
    assert len(at_work.read_text().splitlines()) == 15
    worked(*[word if word != "sw" else "whole" for word in arguments])
    assert histories("sw") == histories("whole")


def test_ctrl_c_says_how_to_go_on(base):
    arguments = [*base, "--epochs", "1000", "--search", "hidden_size=4"]
    with start(arguments) as process:
        wait_for(Path("sw/trial-0000/seed-1/history.jsonl"), 1, process)
        assert "is at work there already" in refused(*arguments)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (130, "stopped; continue with: the same command\n")


# Refused in one line.


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("kl_weight", "--search kl_weight: write KEY=LOW..HIGH, or KEY=A,B, as in kl_weight=0.5"),
        ("kl_weight=", "write KEY=LOW..HIGH, or KEY=A,B"),
        ("kl_wieght=1,2", "unknown setting 'kl_wieght'; did you mean 'kl_weight'?"),
        ("hidden_size=4,x", "--search hidden_size=4,x: hidden_size must be int, got 'x'"),
        ("hidden_size=4..8.5", "hidden_size must be int, got '8.5'"),
        ("kl_weight=4..1", "a range goes from a number to a larger one"),
        ("kl_weight=1..inf", "a range goes from a number to a larger one"),
        ("kl_weight=0..1:log", "with :log, the least number must be over 0"),
        ("kl_weight=0.1..1:exp", "a range may end in :log, not in :exp"),
        ("code=a..b", "code is no number: write its values as A,B"),
        ("lowercase=maybe", "lowercase must be bool, got 'maybe'"),
        ("seed=1,2", "seed cannot be searched: say how many with --seeds"),
        ("source=a,b", "source cannot be searched: a sweep has one source"),
        ("compression_worth=0,1", "it decides what is best"),
    ],
)
def test_a_search_that_makes_no_sense(text, rule):
    with pytest.raises(ConfigError) as error:
        parse(text)
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        ([], "say what is searched with --search, as in --search kl_weight=0.5..4:log or hidden"),
        (["--search", "hidden_size=0..8", "--trials", "2"], "hidden_size must be at least 1, got"),
        (["--search", "code=w,w+x"], "unknown preset 'w+x'; did you mean"),
        (["--search", "hidden_size=1,2", "--search", "hidden_size=3"], "names hidden_size twice"),
        (["--search", "kl_weight=1..2"], "which has no last value: say how many --trials, or"),
        (["--search", "kl_weight=1,2", "--front", "--stop-early"], "leave --front out"),
        (["--search", "kl_weight=1,2", "--trials", "0"], "invalid value for '--trials'"),
        (["--search", "kl_weight=1,2", "--label-column", "no"], "has no column 'no'"),
    ],
)
def test_a_sweep_that_makes_no_sense(base, flags, rule):
    assert rule in refused(*base, *flags)
    assert not [*Path("sw").rglob("config.toml")]


def test_another_sweep_in_the_folder(base):
    worked(*base, "--search", "hidden_size=4")
    line = refused(*base, "--search", "hidden_size=4", "--kl-weight", "3")
    assert line == (
        "error: sw holds a sweep with kl_weight 1.0, not 3.0: say the same again, or choose "
        "another --output"
    )
    assert "sw holds a sweep with search " in refused(*base, "--search", "hidden_size=4,5")
    assert "sw holds a sweep with seeds 1, not 2" in refused(
        *base, "--search", "hidden_size=4", "--seeds", "2"
    )


def test_a_folder_that_holds_something_else(base):
    Path("sw").mkdir()
    Path("sw/notes").write_text("mine")
    line = refused(*base, "--search", "hidden_size=4")
    assert "sw holds something else than a sweep: choose another folder with --output" in line


def test_a_damaged_memory_is_one_line(base):
    Path("sw").mkdir()
    Path("sw/sweep.db").write_text("no database, but some text" * 100)
    line = refused(*base, "--search", "hidden_size=4")
    assert line.startswith("error: sw/sweep.db cannot be read or written (")


def test_without_optuna_it_names_the_extra(base, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("bayespress.sweep.run", "bayespress.sweep.study"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    line = refused(*base, "--search", "hidden_size=4")
    assert line == "error: a sweep needs the package 'optuna': pip install 'bayespress[sweep]'"
    assert not Path("sw").exists()


def test_several_processes_do_not_run_one_sweep(base, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    line = refused(*base, "--search", "hidden_size=4")
    assert line == "error: a sweep trains in one process: start it without torchrun"


def done(number, quality, ratio):
    return Done(number, {}, Figures(quality, quality, ratio))


def test_the_front_has_what_nothing_else_beats():
    trials = [
        done(0, 0.8, 10),
        done(1, 0.7, 5),
        done(2, 0.9, 2),
        done(3, 0.8, 10),
        done(4, 0.7, 20),
    ]
    unfinished = Done(5, {}, None, "stopped early")
    assert [trial.number for trial in front([*trials, unfinished])] == [2, 0, 4]
    assert [trial.number for trial in ranked([unfinished, *trials])] == [2, 0, 3, 1, 4]


def test_settings_are_those_of_a_run():
    assert parse("--hidden-size=4, 8").values == (4, 8)
    assert parse("kl_weight=1..2").bounds == (1.0, 2.0)
    assert isinstance(parse("batch_size=8..64:log").low, int)
    assert Config.from_flat({"hidden_size": 4}).model.hidden_size == 4
