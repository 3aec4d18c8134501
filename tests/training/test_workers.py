"""Several processes train one network: the one that a single process would have made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bayespress.errors import ConfigError
from bayespress.history import read_history
from bayespress.training import RunFolder, Workers
from bayespress.training.run import load_tensors
from bayespress.training.workers import choose_device
from bayespress.variational import Share, per_sequence

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
# What differs beyond the order of sums would show in double precision.
torch.set_default_dtype(torch.float64)
from bayespress.training import RunFolder, Trainer, Workers
from tests.training import language_helpers, test_trainer
from tests.training.test_shrinking import PRUNING

folder, level = RunFolder(Path(sys.argv[1])), sys.argv[2]
# Mini-batches that two processes cannot halve; of characters the last one has a single window.
changes = {"epochs": 8, "dense_epochs": 1, "finetune_epochs": 2, "shrink_after": 1,
           "precision": "float32", "batch_size": {"": 17, "word": 5, "char": 13}[level]}
if level:
    made = language_helpers
    # Short, and with small steps: sums in another order are a difference that grows.
    gentle = {"epochs": {"word": 5, "char": 6}[level], "finetune_epochs": 1,
              "learning_rate": 0.005, "clip_norm": 1.0}
    changes = {"level": level, **made.PRUNING_OF_LEVEL[level], **changes, **gentle}
else:
    made, changes = test_trainer, {**PRUNING, **changes}
config = made.make_config(**changes)
with Workers.join("cpu") as workers:
    if workers.is_first:
        folder.save_config(config)
    Trainer(config, made.make_splits(), folder, workers=workers).fit()
"""
ROOT = Path(__file__).parents[2]


def environment():
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def torchrun(count, *arguments):
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}",
        *map(str, arguments),
    ]  # fmt: skip
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "counts"),
    [("", (2, 3)), ("word", (2,)), ("char", (2,))],
    ids=["classifier", "words", "characters"],
)
def test_the_number_of_processes_changes_nothing_but_the_order_of_sums(tmp_path, level, counts):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    alone = RunFolder(tmp_path / "alone")
    command = [sys.executable, script, alone.path, level]
    subprocess.run(command, env=environment(), check=True, cwd=ROOT)
    expected, facts = load_tensors(alone.checkpoint_file)
    assert facts["size"] != facts["full"]["size"]  # live shrinking took part
    for count in counts:
        folder = RunFolder(tmp_path / f"{count} processes")
        done = torchrun(count, script, folder.path, level)
        assert done.returncode == 0, done.stderr
        tensors, found = load_tensors(folder.checkpoint_file)
        assert found["size"] == facts["size"]
        torch.testing.assert_close(tensors, expected, rtol=1e-7, atol=1e-9)
        for one, other in zip(
            read_history(alone.history_file), read_history(folder.history_file), strict=True
        ):
            for name in ("train_accuracy", "validation_nll", "score"):
                assert getattr(other, name) == pytest.approx(getattr(one, name)), name
            assert other.loss == pytest.approx(one.loss)
            assert other.words == one.words
            assert other.validation_accuracy == one.validation_accuracy


@pytest.mark.slow
def test_the_command_line_trains_with_torchrun_and_says_everything_once(tmp_path):
    run = tmp_path / "run"
    train = ("-m", "bayespress.cli", "train", "demo", "--device", "cpu", "--epochs", "1")
    done = torchrun(2, *train, "--output", run)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert done.stdout.count("reading demo") == 1
    assert done.stdout.count("test accuracy, shipped file") == 1
    assert (run / "model.bpr").exists()
    again = torchrun(2, *train, "--output", run)
    assert again.returncode != 0
    assert "already holds a run" in again.stderr


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("batch", [1, 2, 7, 128])
def test_shares_cover_a_batch_and_their_weighted_means_are_its_mean(count, batch):
    values = torch.arange(1.0, batch + 1)
    total, covered = 0.0, 0
    for rank in range(count):
        workers = Workers(rank, count)
        share = workers.share(batch)
        part = values if share is None else share.of(values)
        assert len(part) > 0
        weight = workers.weight_of(share)
        covered += len(part) if weight else 0
        total += weight * float(part.mean())
    assert covered == batch
    assert total / count == pytest.approx(float(values.mean()))


def test_a_share_draws_the_noise_of_the_whole_batch():
    def draw(batch):
        return per_sequence(batch, (3,), torch.zeros(()), torch.Generator().manual_seed(1))

    assert torch.equal(draw(Share(2, 4, 7)), draw(7)[2:4])


def test_auto_finds_a_device_and_one_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    for name in ("cuda", "mps"):
        with pytest.raises(ConfigError, match=f"no {name} device here: set --device cpu"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", 1) == torch.device("cuda", 1)
    assert choose_device("cpu", 1) == torch.device("cpu")
