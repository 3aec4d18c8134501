"""Training end to end on small data: it learns, it resumes bit for bit, and it refuses nonsense."""

import json
import math
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from bayespress import runtime
from bayespress.config import Config
from bayespress.data import LabelledTexts, Splits
from bayespress.errors import DataError, RunError, TrainingError
from bayespress.history import read_history
from bayespress.training import RunFolder, Silent, Trainer, finish, load_best, masked_probabilities
from bayespress.training.prepare import fingerprint, prepare
from bayespress.training.run import load_tensors

SMALL = {
    "embedding_size": 6,
    "hidden_size": 5,
    "batch_size": 16,
    "epochs": 3,
    "min_documents": 1,
    "max_length": 12,
    "learning_rate": 0.02,
}
NOISE = ["a", "the", "film", "plot", "of", "and", "it"]


def sentences(count, seed, labels=("bad", "good")):
    """Texts of random words, one of which is the label."""
    random = np.random.default_rng(seed)
    chosen = [labels[k] for k in random.integers(len(labels), size=count)]
    texts = []
    for label in chosen:
        words = list(random.choice(NOISE, size=random.integers(1, 9)))
        words.insert(int(random.integers(len(words) + 1)), label)
        texts.append(" ".join(words))
    return LabelledTexts(tuple(texts), tuple(chosen))


def make_splits(labels=("bad", "good")):
    return Splits(
        sentences(120, 1, labels), sentences(40, 2, labels), sentences(40, 3, labels), labels
    )


def make_config(**changes):
    return Config.from_flat(SMALL, changes)


def train(tmp_path, name="run", splits=None, listener=None, **changes):
    folder = RunFolder(tmp_path / name)
    config = make_config(**changes)
    folder.save_config(config)
    trainer = Trainer(config, splits or make_splits(), folder, listener)
    trainer.fit()
    return folder, trainer


class Stop(Silent):
    """Interrupts training, as Ctrl-C would, at a step of an epoch."""

    def __init__(self, epoch, step):
        self.moment = (epoch, step)
        self.epoch = 0

    def on_epoch_begin(self, epoch, steps):  # noqa: ARG002
        self.epoch = epoch

    def on_step(self, step, loss):  # noqa: ARG002
        if (self.epoch, step) == self.moment:
            raise KeyboardInterrupt


@pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "fine", "good")])
@pytest.mark.parametrize("unknown", ["zero", "learned"])
def test_it_learns_and_the_file_predicts_what_the_masked_network_does(tmp_path, labels, unknown):
    splits = make_splits(labels)
    folder, trainer = train(tmp_path, splits=splits, epochs=24, unknown=unknown, kl_warmup=0.5)
    result = finish(folder, splits.test)
    assert result["test_accuracy_file"] == result["test_accuracy_masked"] > 0.9
    assert result["largest_difference"] < 1e-5
    assert folder.artifact_file.stat().st_size == result["file_bytes"]
    strange = ["", "unseen words only", "good " * 50, *splits.test.texts]
    trained = load_best(folder)
    np.testing.assert_allclose(
        runtime.load(folder.artifact_file).predict_proba(strange),
        masked_probabilities(trained, strange),
        atol=1e-5,
    )
    assert trainer.progress.epoch == 24


def same_tensors(first, second):
    one, other = load_tensors(first)[0], load_tensors(second)[0]
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("moment", [(1, 3), (2, 1), (4, 7)])
@pytest.mark.parametrize("finetune", [0, 2])
def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, moment, finetune):
    changes = {"epochs": 5, "finetune_epochs": finetune}
    whole, _ = train(tmp_path, "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(*moment), **changes)
    broken = RunFolder(tmp_path / "broken")
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    assert same_tensors(whole.best_file, broken.best_file)
    for one, other in zip(
        read_history(whole.history_file), read_history(broken.history_file), strict=True
    ):
        assert {**one.__dict__, "seconds": 0} == {**other.__dict__, "seconds": 0}
    test = make_splits().test
    finish(whole, test), finish(broken, test)
    assert whole.artifact_file.read_bytes() == broken.artifact_file.read_bytes()


KILLED = """
import sys, torch
torch.set_num_threads(1)
from pathlib import Path
from tests.training.test_trainer import train
train(Path(sys.argv[1]), "killed", epochs=25)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_run_that_was_killed_resumes_and_equals_the_uninterrupted_one(tmp_path, delay):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    killed = RunFolder(tmp_path / "killed")
    while not killed.checkpoint_file.exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    Trainer(killed.config(), make_splits(), killed).fit()
    whole, _ = train(tmp_path, "whole", epochs=25)
    assert same_tensors(whole.checkpoint_file, killed.checkpoint_file)


def test_more_epochs_continue_a_finished_run_where_nothing_decays(tmp_path):
    changes = {"schedule": "paper"}
    whole, _ = train(tmp_path, "whole", epochs=4, **changes)
    folder, _ = train(tmp_path, "part", epochs=2, **changes)
    Trainer(make_config(epochs=4, **changes), make_splits(), folder).fit()
    assert same_tensors(whole.checkpoint_file, folder.checkpoint_file)


def test_same_seed_same_network_other_seed_another(tmp_path):
    first, _ = train(tmp_path, "first", seed=7)
    again, _ = train(tmp_path, "again", seed=7)
    other, _ = train(tmp_path, "other", seed=8)
    assert same_tensors(first.best_file, again.best_file)
    assert not same_tensors(first.best_file, other.best_file)


def test_changed_data_are_noticed(tmp_path):
    folder, _ = train(tmp_path)
    changed = replace(make_splits(), train=sentences(120, 9))
    with pytest.raises(RunError, match=r"the data changed since the run in .* began"):
        Trainer(folder.config(), changed, folder)


@pytest.mark.parametrize("name", ["checkpoint_file", "best_file"])
def test_damaged_checkpoint_is_refused(tmp_path, name):
    folder, _ = train(tmp_path, epochs=1)
    file = getattr(folder, name)
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match=r"is damaged \(.*\); start the run anew"):
        load_best(folder) if name == "best_file" else Trainer(
            folder.config(), make_splits(), folder
        )


def test_unfinished_run_has_no_best_epoch(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(RunError, match="holds no run"):
        load_best(folder)
    folder.save_config(make_config())
    with pytest.raises(RunError, match="has not finished an epoch yet"):
        load_best(folder)


def test_folder_in_use_is_refused(tmp_path):
    folder, _ = train(tmp_path, epochs=1)
    with pytest.raises(RunError, match="already holds a run: continue it with --resume"):
        folder.check_free()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="is not an empty folder"):
        RunFolder(tmp_path / "mine").check_free()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_loss_that_is_not_finite_stops_with_a_clear_line(tmp_path):
    with pytest.raises(TrainingError, match=r"loss is not finite in epoch 1, step \d+: lower"):
        train(tmp_path, learning_rate=1e30, log_sigma_learning_rate=1e30, group_learning_rate=1e30)


def test_mean_of_exactly_zero_does_no_harm(tmp_path):
    folder = RunFolder(tmp_path / "run")
    trainer = Trainer(make_config(epochs=2), make_splits(), folder)
    with torch.no_grad():
        trainer.net.embedding.weight.mean[1] = 0
        trainer.net.lstm.z_gates.mean[0] = 0
    trainer.fit()
    assert all(torch.isfinite(p).all() for p in trainer.net.parameters())


def test_everything_pruned_stops_with_a_clear_line(tmp_path):
    with pytest.raises(TrainingError, match="everything was pruned in epoch 1"):
        train(tmp_path, weight_log_sigma=5.0, group_log_sigma=5.0, dense_epochs=0)


def test_patience_stops_early(tmp_path):
    _, trainer = train(tmp_path, epochs=60, patience=2, compression_worth=0.0)
    assert trainer.progress.epoch == trainer.progress.best_epoch + 2 < 60


def test_best_epoch_follows_the_stated_rule(tmp_path):
    folder, trainer = train(tmp_path, epochs=8, compression_worth=0.05)
    records = read_history(folder.history_file)
    scores = [r.validation_accuracy + 0.05 * math.log10(r.compression_ratio) for r in records]
    assert trainer.progress.best_epoch == 1 + int(np.argmax(scores))
    assert [r.score for r in records] == pytest.approx(scores)
    assert load_best(folder).epoch == trainer.progress.best_epoch


def test_balanced_classes_weigh_their_texts_in_every_batch():
    splits = make_splits()
    rare = [k for k, label in enumerate(splits.train.labels) if label == "bad"][:3]
    often = [k for k, label in enumerate(splits.train.labels) if label == "good"][:9]
    few = replace(splits, train=splits.train.select(rare + often))
    config = make_config(class_weight="balanced")
    task = prepare(config, few, fingerprint(few))
    for batch in task.batches(config.training, 1):
        expected = [2.0 if label == 0 else 2 / 3 for label in batch.labels]
        assert batch.weights.tolist() == pytest.approx(expected)
    given = replace(few, class_weights=(5.0, 1.0))
    assert fingerprint(given) != fingerprint(few)
    (first, *_) = prepare(config, given, "x").batches(config.training, 1)
    assert set(first.weights.tolist()) <= {5.0, 1.0}
    plain = prepare(make_config(), few, "y")
    assert all(batch.weights is None for batch in plain.batches(config.training, 1))


def test_length_batching_changes_the_order_only():
    splits = make_splits()
    config = make_config()
    task = prepare(config, splits, "")
    for by_length in (True, False):
        batches = list(task.train.batches(16, [1, 2], by_length=by_length))
        assert sum(map(len, batches)) == len(splits.train)
        seen = sorted(
            tuple(row[mask].tolist())
            for b in batches
            for row, mask in zip(b.ids, b.mask, strict=True)
        )
        assert seen == sorted(tuple(ids.tolist()) for ids in task.train.ids)
    padded = {
        by_length: sum(b.mask.numel() for b in task.train.batches(16, [1], by_length=by_length))
        for by_length in (True, False)
    }
    assert padded[True] < padded[False]


def test_finetuning_keeps_masks_and_noise_is_gone(tmp_path):
    folder, trainer = train(tmp_path, epochs=10, finetune_epochs=3, kl_warmup=0.5)
    records = read_history(folder.history_file)
    assert [r.kl_weight for r in records[-3:]] == [0, 0, 0]
    assert len({r.compression_ratio for r in records[-3:]}) == 1
    output = trainer.net.output.weight
    assert output.log_sigma[output.keep()].max() < -60
    assert output.sigma().min() > 1e-4


def test_pretrained_vectors_are_the_first_means(tmp_path):
    notes = []

    class Notes(Silent):
        def on_note(self, text):
            notes.append(text)

    file = tmp_path / "vectors.txt"
    file.write_text("good 1 2 3 4 5 6\nfilm 6 5 4 3 2 1\nunused 0 0 0 0 0 0\n")
    config = make_config(embeddings=str(file))
    trainer = Trainer(config, make_splits(), RunFolder(tmp_path / "run"), Notes())
    row = trainer.task.encoder.vocabulary.rows["good"]
    assert trainer.net.embedding.weight.mean[row].tolist() == [1, 2, 3, 4, 5, 6]
    assert notes == ["2 of 9 words have a pretrained vector"]


def test_no_validation_data_is_refused(tmp_path):
    nothing = LabelledTexts((), ())
    splits = Splits(sentences(10, 1), nothing, nothing, ("bad", "good"))
    with pytest.raises(DataError, match="raise --validation-fraction"):
        Trainer(make_config(), splits, RunFolder(tmp_path))


def test_no_frequent_word_is_refused(tmp_path):
    with pytest.raises(DataError, match="lower --min-documents"):
        Trainer(make_config(min_documents=999), make_splits(), RunFolder(tmp_path))


def test_result_is_written_once_and_complete(tmp_path):
    folder, _ = train(tmp_path)
    assert folder.result() is None
    result = finish(folder, make_splits().test)
    assert json.loads(folder.result_file.read_text()) == json.loads(json.dumps(result))
    assert not list(folder.path.glob(".*.part"))
