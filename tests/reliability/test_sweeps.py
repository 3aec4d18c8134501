"""A sweep that is ended between two steps makes the choices that it would have made."""

import re
from pathlib import Path

import pytest

from tests.cli.helpers import TINY, call, worked

pytest.importorskip("optuna", reason="pip install 'bayespress[sweep]'")

from bayespress.sweep import run, study
from bayespress.sweep.space import Range

FEW = [*TINY[:2], *TINY[4:], "--schedule", "paper"]


def lines_of(said):
    return re.findall(r"^trial \d+: .*$", said, re.MULTILINE)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_ended_between_the_choices_of_two_settings(source, monkeypatch, sampler):
    search = ["--search", "hidden_size=3..9", "--search", "learning_rate=0.001..0.1:log"]
    flags = ["--epochs", "1", "--trials", "2", "--sampler", sampler, *search]
    arguments = ["sweep", source, *FEW, *flags, "--output"]
    whole = lines_of(worked(*arguments, "whole"))
    suggest = Range.suggest

    def end(self, trial):
        if (self.key, trial.number) == ("learning_rate", 1):
            raise KeyboardInterrupt
        return suggest(self, trial)

    with monkeypatch.context() as patch:
        patch.setattr(Range, "suggest", end)
        done = call(*arguments, "sw")
    assert done.code == 130
    assert lines_of(done.out) + lines_of(worked(*arguments, "sw")) == whole


@pytest.mark.parametrize("moment", ["before", "after"])
def test_ended_at_the_epoch_that_would_have_stopped_a_trial(source, monkeypatch, moment):
    monkeypatch.setattr(study, "_FIRST_TRIALS", 1)
    flags = ["--epochs", "4", "--stop-early", "--search", "learning_rate=0.05,1e-6"]
    arguments = ["sweep", source, *FEW, *flags, "--output"]
    worked(*arguments, "whole")
    should_stop = study.should_stop

    def end(trial, epoch, score):
        if trial.number == 1 and epoch == last:
            if moment == "after":
                should_stop(trial, epoch, score)
            raise KeyboardInterrupt
        return should_stop(trial, epoch, score)

    last = epochs_of("whole")
    assert last < 4
    with monkeypatch.context() as patch:
        patch.setattr(run, "should_stop", end)
        assert call(*arguments, "sw").code == 130
    assert "trial 1: stopped early" in worked(*arguments, "sw")
    assert epochs_of("sw") == last


def epochs_of(folder):
    return len(Path(folder, "trial-0001/seed-1/history.jsonl").read_text().splitlines())
