"""Training where a text may have several labels, end to end on small data."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from bayespress import runtime
from bayespress.data import LabelledTexts, Splits
from bayespress.history import EpochRecord, read_history
from bayespress.objective import nll
from bayespress.runtime import evaluate_labels
from bayespress.training import RunFolder, Trainer, finish, load_best, masked_probabilities
from bayespress.training.batches import TextBatch
from bayespress.training.classification import balanced_labels
from bayespress.training.judge import LabelJudge, judge_of
from bayespress.training.prepare import fingerprint, prepare
from bayespress.training.run import load_tensors
from bayespress.variational import Share
from tests.training.test_shrinking import PRUNING
from tests.training.test_trainer import NOISE, Stop, make_config, same_tensors, train
from tests.training.test_workers import ROOT, environment, torchrun

LABELS = ("funny", "long", "sad")


def sentences(count, seed):
    """Texts of random words; those that are labels are the text's labels."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        chosen = tuple(label for label in LABELS if random.random() < 0.4)
        words = [*random.choice(NOISE, size=random.integers(1, 6)), *chosen]
        random.shuffle(words)
        texts.append(" ".join(words))
        labels.append(chosen)
    return LabelledTexts(tuple(texts), tuple(labels))


def make_splits():
    parts = (sentences(count, seed) for count, seed in ((160, 1), (60, 2), (60, 3)))
    return Splits(*parts, LABELS, multi_label=True)


def train_labels(tmp_path, name="run", **changes):
    splits = changes.pop("splits", make_splits())
    return train(tmp_path, name, splits=splits, **{"hidden_size": 8, **changes})


STRANGE = ["", "unseen words only", "sad " * 50, "LONG", "funny long sad"]


@pytest.mark.parametrize("changes", [
    {},
    {"unknown": "learned"},
    {"cell": "gru", "layers": 2, "bidirectional": True, "pooling": "max"},
    {"shrink_after": 2, **PRUNING, "epochs": 30, "log_sigma_learning_rate": 0.06},
])  # fmt: skip
def test_it_learns_and_the_file_predicts_what_the_masked_network_does(tmp_path, changes):
    splits = make_splits()
    changes = {"epochs": 14, "kl_warmup": 0.5, **changes}
    folder, trainer = train_labels(tmp_path, splits=splits, **changes)
    result = finish(folder, splits.test)
    assert result["test_micro_f1_file"] == result["test_micro_f1_masked"] > 0.9
    assert result["test_exact_match_file"] > 0.8
    assert result["largest_difference"] < 1e-5
    predictor, trained = runtime.load(folder.artifact_file), load_best(folder)
    assert predictor.model.multi_label
    texts = [*STRANGE, *splits.test.texts]
    masked = masked_probabilities(trained, texts)
    np.testing.assert_allclose(predictor.predict_proba(texts), masked, atol=1e-5)
    assert set(predictor.predict(["a film, sad and long"])[0]) == {"sad", "long"}
    if changes.get("shrink_after"):
        facts = load_tensors(folder.checkpoint_file)[1]
        assert facts["size"] != facts["full"]["size"]
    record = trainer.history[trained.epoch - 1]
    found = evaluate_labels(predictor, splits.validation.texts, splits.validation.labels)
    assert found.micro_f1 == record.validation_micro_f1


def test_the_best_epoch_is_chosen_by_micro_f1_which_is_not_called_accuracy(tmp_path):
    folder, trainer = train_labels(tmp_path, epochs=8, compression_worth=0.05)
    records = read_history(folder.history_file)
    scores = [r.validation_micro_f1 + 0.05 * math.log10(r.compression_ratio) for r in records]
    assert [r.score for r in records] == pytest.approx(scores)
    assert trainer.progress.best_epoch == 1 + int(np.argmax(scores))
    for record in records:
        assert (record.train_accuracy, record.validation_accuracy) == (None, None)
        assert 0 <= record.train_micro_f1 <= 1
    assert records[-1].train_micro_f1 > records[0].train_micro_f1


@pytest.mark.parametrize("moment", [(1, 3), (4, 7)])
def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, moment):
    changes = {"epochs": 5, "finetune_epochs": 2, "class_weight": "balanced", "shrink_after": 1}
    whole, _ = train_labels(tmp_path, "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train_labels(tmp_path, "broken", listener=Stop(*moment), **changes)
    broken = RunFolder(tmp_path / "broken")
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    assert same_tensors(whole.best_file, broken.best_file)
    finish(whole, make_splits().test), finish(broken, make_splits().test)
    assert whole.artifact_file.read_bytes() == broken.artifact_file.read_bytes()


def test_histories_of_single_labels_are_written_as_they_were(tmp_path):
    folder, trainer = train(tmp_path, epochs=1)
    assert "f1" not in folder.history_file.read_text()
    assert read_history(folder.history_file) == trainer.history
    assert isinstance(trainer.history[0], EpochRecord)


def test_likelihoods_of_labels_multiply():
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 3), torch.rand(5, 3) < 0.5
    each = [
        F.binary_cross_entropy_with_logits(logits[:, k], labels[:, k].float()) for k in range(3)
    ]
    torch.testing.assert_close(nll(logits, labels), sum(each))
    weights = torch.rand(5, 3)
    expected = -(weights * torch.where(labels, logits, -logits).sigmoid().log()).sum(1).mean()
    torch.testing.assert_close(nll(logits, labels, weights), expected)


def test_training_counts_what_micro_f1_is_made_of():
    logits = torch.tensor([[1.0, -1.0], [2.0, 3.0], [-1.0, 0.0]])
    labels = torch.tensor([[True, True], [False, True], [False, False]])
    batch = TextBatch(torch.zeros(3, 1).long(), torch.ones(3, 1).bool(), labels)

    def module(_ids, _mask, _noise, share):
        return logits if share is None else share.of(logits)

    twice, both = batch.loss(module, torch.Generator(), None)[1].tolist()
    assert twice / both == pytest.approx(f1_score(labels, logits >= 0, average="micro"))
    parts = [batch.loss(module, torch.Generator(), Share(*ends, 3)) for ends in ((0, 1), (1, 3))]
    for number, whole in enumerate((twice, both)):
        first, second = (part[1][number].item() for part in parts)
        assert (first + 2 * second) / 3 == pytest.approx(whole)


def test_balanced_labels_let_having_and_not_having_each_count_alike():
    splits = make_splits()
    config = make_config(class_weight="balanced")
    task = prepare(config, splits, fingerprint(splits))
    total = {True: torch.zeros(3), False: torch.zeros(3)}
    for batch in task.batches(config.training, 1):
        assert batch.weights.shape == batch.labels.shape
        for has in total:
            total[has] += (batch.weights * (batch.labels == has)).sum(0)
    torch.testing.assert_close(total[True], total[False])
    torch.testing.assert_close(total[True] + total[False], torch.full((3,), 160.0))
    assert np.isfinite(balanced_labels(np.zeros((4, 2), bool))).all()


def test_changed_labels_are_other_data():
    splits = make_splits()
    labels = (("sad", "long", "funny"), *splits.train.labels[1:])
    changed = replace(splits, train=LabelledTexts(splits.train.texts, labels))
    assert fingerprint(changed) != fingerprint(splits)


def test_files_are_judged_by_micro_f1(tmp_path):
    made = sentences(80, 5)
    pairs = zip(made.texts, made.labels, strict=True)
    lines = [f"{text},{';'.join(some)}" for text, some in pairs]
    source = tmp_path / "films.csv"
    source.write_text("\n".join(["text,label", *lines]))
    config = make_config(source=str(source), label_separator=";")
    judge = judge_of(config.data)
    assert isinstance(judge, LabelJudge)
    folder, _ = train_labels(tmp_path, epochs=10)
    assert 0.8 < judge(load_best(folder).to_compact()) <= 1
    assert judge.shown(0.93456) == "0.9346"


SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
from bayespress.training import RunFolder, Trainer, Workers
from tests.training.test_several_labels import PRUNING, make_config, make_splits
folder = RunFolder(Path(sys.argv[1]))
changes = {**PRUNING, "epochs": 6, "dense_epochs": 1, "finetune_epochs": 2, "shrink_after": 1,
           "batch_size": 17, "class_weight": "balanced"}
config = make_config(**changes)
with Workers.join("cpu") as workers:
    if workers.is_first:
        folder.save_config(config)
    Trainer(config, make_splits(), folder, workers=workers).fit()
"""


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing_but_the_order_of_sums(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    alone, two = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "two")
    subprocess.run([sys.executable, script, alone.path], env=environment(), check=True, cwd=ROOT)
    done = torchrun(2, script, two.path)
    assert done.returncode == 0, done.stderr
    expected, tensors = (load_tensors(run.checkpoint_file)[0] for run in (alone, two))
    torch.testing.assert_close(tensors, expected, rtol=1e-7, atol=1e-9)
    histories = [read_history(run.history_file) for run in (alone, two)]
    for one, other in zip(*histories, strict=True):
        assert other.train_micro_f1 == pytest.approx(one.train_micro_f1)
        assert other.validation_micro_f1 == one.validation_micro_f1
