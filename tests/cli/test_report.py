"""The command ``report``, on runs as they are trained."""

import json
import re
import shutil
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner

from bayespress import compact
from bayespress.cli import train
from bayespress.cli.repeat import repeat_command
from bayespress.cli.train import layered
from bayespress.config import Config
from bayespress.history import read_history
from tests.cli.helpers import TINY, TINY_LANGUAGE, refused, worked
from tests.cli.test_mistakes import call_without
from tests.report.helpers import Strict, checked_drawing, network, text_of


@pytest.fixture
def run(trained, tmp_path):
    """A finished run of the test's own."""
    return shutil.copytree(trained.run, tmp_path / "mine")


def reported(*arguments):
    worked("report", *arguments, "--output", "page.html", "--force")
    content = Path("page.html").read_text(encoding="utf-8")
    Strict(content)
    return text_of(content)


def test_a_run_becomes_a_page_and_figures(run, tmp_path):
    said = worked("report", run, "--output", "page.html", "--figures", "figures").splitlines()
    assert said[0] == f"{(tmp_path / 'page.html').stat().st_size:>12,} bytes  page.html"
    assert said[-1] == "next: open page.html in a browser"
    drawings = sorted((tmp_path / "figures").iterdir())
    assert len(drawings) == len(said) - 2
    names = [path.stem for path in drawings]
    for name in ("classify-quality", "compression", "kept-gates", "run1-gates", "run1-weight_hh"):
        assert name in names
    for path in drawings:
        checked_drawing(path.read_text(encoding="utf-8"))


def test_the_page_says_what_the_run_says(run):
    text, result = reported(run), json.loads((run / "result.json").read_text())
    best = read_history(run / "history.jsonl")[result["best_epoch"] - 1]
    assert f"test accuracy of the shipped file {result['test_accuracy_file']:.2%}" in text.replace(
        " %", "%"
    )
    kept, total = (sum(one) for one in zip(*best.weights.values(), strict=True))
    network = f"The network of epoch {best.epoch} keeps {kept:,} of {total:,} weights"
    assert network in text
    for name, count in best.weights.items():
        shape = {"embedding": r"\d+ × 6", "weight_ih": "20 × 6", "weight_hh": "20 × 5"}
        assert re.search(rf"In the network: {count[0]} of {shape.get(name, '1 × 5')}", text)
    assert f"{result['words'][0]} of {result['words'][1]}" in text
    assert "Of the run’s test data." in text


def test_several_runs_stand_side_by_side(run, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.copytree(run, tmp_path / "other" / "mine")
    text = reported("mine", "other/mine")
    assert "figure mine other/mine letter code" in text.replace("./", "")


def test_chosen_texts_are_explained(run):
    text = reported(run, "--text", "a good film", "--text", "bad <b>zebra</b>")
    assert "zebra" in text
    assert "Of the run’s test data." not in text


def test_a_language_model_has_perplexity_and_writes(tmp_path):
    (tmp_path / "t.txt").write_text("the cat sat on the mat .\n" * 60)
    worked("train", "t.txt", *TINY_LANGUAGE, "--epochs", "2", "--output", "lm")
    text = reported("lm")
    assert "test perplexity" in text
    assert "Written by the model" in text
    assert "The network of epoch" in text


def test_a_run_that_goes_on_shows_its_best_epoch_so_far(run):
    for name in ("model.bpr", "result.json"):
        (run / name).unlink()
    text = reported(run)
    assert "The run is not finished: its best epoch so far stands for it." in text
    assert "There is no model file yet: shown is what its best epoch would ship." in text
    assert "Where " in text


def test_a_run_that_has_only_begun_is_reported(run):
    for path in run.iterdir():
        if path.name != "config.toml":
            path.unlink()
    text = reported(run)
    assert "No epoch is finished yet: there is no history." in text
    assert "The network (best.safetensors) is not there" in text


def test_a_model_file_alone_shows_what_is_shipped(run):
    text = reported(run / "model.bpr")
    assert "There is a model file alone: no history, no settings, no network." in text
    assert "In the file:" in text
    assert "In the network:" not in text


def test_every_cell_of_a_network_is_shown(tmp_path):
    compact.save(network(multi_label=True), tmp_path / "m.bpr")
    said = worked("report", "m.bpr", "--output", "page.html", "--figures", "figures")
    for name in ("gates", "gates_l1_reverse", "weight_ih_l0_reverse", "weight_hh_l1"):
        assert f"run1-{name}.svg" in said
        checked_drawing((tmp_path / "figures" / f"run1-{name}.svg").read_text("utf-8"))
    assert "Gates: layer 2, backwards" in reported("m.bpr")


def test_without_torch_the_rest_is_shown(run, trained):
    done = call_without("torch,safetensors,tensorboard", "report", run, "--output", "page.html")
    assert (done.returncode, done.stderr) == (0, "")
    text = text_of(Path("page.html").read_text(encoding="utf-8"))
    assert (
        "The masks of the network are not shown: reading the network needs the package 'torch': "
        "pip install 'bayespress[train]'." in text
    )
    assert "In the file:" in text


def test_without_its_source_a_run_has_example_sentences(run):
    settings = (run / "config.toml").read_text()
    (run / "config.toml").write_text(re.sub('source = ".*"', 'source = "gone.csv"', settings))
    assert "Example sentences; the run’s test data (gone.csv) are not at hand." in reported(run)


def test_a_source_that_is_broken_by_now_is_said(run, tmp_path):
    settings = (run / "config.toml").read_text()
    (tmp_path / "broken.csv").write_text("a,b\n1,2\n")
    (run / "config.toml").write_text(re.sub('source = ".*"', 'source = "broken.csv"', settings))
    assert "the run’s test data cannot be read: broken.csv" in reported(run)


def test_mistakes_are_one_line(run, tmp_path):
    assert refused("report", run) == (
        "error: nothing is asked for: give --output report.html, --figures or --tensorboard"
    )
    assert "holds no run" in refused("report", tmp_path / "none", "--output", "page.html")
    (tmp_path / "page.html").write_text("mine")
    assert refused("report", run, "--output", "page.html") == (
        "error: page.html exists already: choose another place, or add --force"
    )
    assert (tmp_path / "page.html").read_text() == "mine"
    assert "mine is a folder: give --output" in refused("report", run, "--output", run)
    assert "is a file: give --figures" in refused("report", run, "--figures", "page.html")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.svg").write_text("")
    assert "old.svg exists already" in refused("report", run, "--figures", "figures")


def test_a_damaged_history_or_result_is_one_line(run):
    (run / "history.jsonl").write_text('{"epoch": 1}\n')
    assert "history.jsonl, line 1 is not an epoch's record" in refused(
        "report", run, "--output", "page.html"
    )
    (run / "history.jsonl").unlink()
    for damaged in ("{", "[]"):
        (run / "result.json").write_text(damaged)
        said = refused("report", run, "--output", "page.html")
        assert "result.json is damaged" in said
        assert "write it anew with 'bayespress train --resume" in said
    (run / "result.json").unlink()
    (run / "model.bpr").write_bytes(b"nothing")
    assert "is not a bayespress model file" in refused("report", run, "--output", "page.html")


SETTINGS = {
    "plain": {"source": "demo"},
    "seed": {"source": "demo", "seed": 3, "epochs": 9},
    "paper": {"source": "imdb", "schedule": "paper", "code": "LCLCCL", "lowercase": True},
    "floats": {"source": "a file.csv", "learning_rate": 0.000123456789, "principal_axes": False},
    "language": {"source": "a.txt:b c.txt", "task": "lm", "level": "char", "hidden_size": 16},
    "demo of language": {"source": "demo", "task": "lm", "epochs": 4, "code": "LLRL"},
    "penn": {"source": "ptb-word", "task": "lm", "carry_state": False},
    "further": {"source": "x.csv", "test_source": "y.csv", "kl_form": "molchanov"},
}


@pytest.mark.parametrize("said", SETTINGS.values(), ids=SETTINGS)
def test_the_command_of_a_page_repeats_the_run(said):
    for config in (layered(None, said), Config.from_flat(said)):
        program, name, *arguments = train.shlex.split(repeat_command(config))
        assert (program, name) == ("bayespress", "train")
        with mock.patch.object(train, "run_and_say_next") as ran:
            assert CliRunner().invoke(train.command, arguments).exit_code == 0
        assert ran.call_args.args[0] == config


def test_training_writes_events_for_tensorboard_once_per_epoch(source, tmp_path):
    pytest.importorskip("tensorboard")
    from tests.report.test_tensorboard import scalars  # noqa: PLC0415 - needs tensorboard

    flags = [*TINY, "--output", "run", "--tensorboard"]
    worked("train", source, *flags, "--epochs", "2")
    worked("train", "--resume", "--output", "run", "--epochs", "3", "--tensorboard")
    records = read_history(tmp_path / "run/history.jsonl")
    found = scalars(tmp_path / "run/tensorboard")["training/loss"]
    assert found == [(record.epoch, pytest.approx(record.loss)) for record in records]
    assert len(found) == 3
    said = worked("report", "run", "--tensorboard", "events")
    count, advice = said.splitlines()
    assert count == "           3 epochs  events/run"
    assert advice == "next: tensorboard --logdir events"
    assert scalars(tmp_path / "events/run")["training/loss"] == found


def test_without_tensorboard_nothing_is_begun(source, run, tmp_path):
    missing = "needs the package 'tensorboard': pip install 'bayespress[tensorboard]'"
    for arguments in (
        ["train", source, "--tensorboard", "--output", "new"],
        ["report", run, "--tensorboard", "events"],
    ):
        done = call_without("tensorboard", *arguments)
        assert (done.returncode, done.stderr) == (
            2,
            f"error: writing TensorBoard's event files {missing}\n",
        )
    assert not (tmp_path / "new").exists()


def test_bytes_of_the_shipped_file_are_counted(run):
    counts = compact.byte_counts(compact.load(run / "model.bpr"))
    assert sum(counts.values()) == (run / "model.bpr").stat().st_size
