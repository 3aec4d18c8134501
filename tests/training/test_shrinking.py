"""Live shrinking removes what stayed pruned, and nothing that training or figures would miss."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bayespress import runtime
from bayespress.compression import Size, aggregate_live
from bayespress.history import read_history
from bayespress.training import RunFolder, Trainer, finish, load_best
from bayespress.training.run import load_tensors
from bayespress.training.shrinking import LiveShrinking
from tests.training.test_trainer import Stop, make_splits, same_tensors, train

# Words leave from the first epochs on with these steps.
PRUNING = {
    "epochs": 14,
    "kl_warmup": 0.3,
    "log_sigma_learning_rate": 0.2,
    "weight_log_sigma": -3.0,
    "group_log_sigma": -2.0,
}


def size_in(file):
    metadata = load_tensors(file)[1]
    return Size.from_dict(metadata["size"]), Size.from_dict(metadata["full"]["size"])


def make_trainer(tmp_path, **changes):
    _, trainer = train(tmp_path, epochs=1, **changes)
    return trainer


def prune(trainer, *, word=None, dim=None, neuron=None):
    """Prune by the group variables, as training would."""
    embedding, lstm = trainer.net.embedding, trainer.net.lstm
    for parameter, index in (
        (embedding.z_vocab, word),
        (lstm.z_input, dim),
        (lstm.z_hidden, neuron),
    ):
        if index is not None:
            with torch.no_grad():
                parameter.log_sigma[index] = 9.0


def keep_all(trainer):
    """Make every structure bear on predictions."""
    for parameter in trainer.net.modules():
        if getattr(parameter, "log_sigma", None) is not None:
            with torch.no_grad():
                parameter.mean.fill_(1.0)
                parameter.log_sigma.fill_(-5.0)


def look(trainer, shrinking, times=1):
    for _ in range(times):
        trainer.task = shrinking.shrink(trainer.net, trainer.optimizer, trainer.task)
    return Size.of(trainer.net)


def test_only_what_stays_pruned_is_removed(tmp_path):
    trainer = make_trainer(tmp_path)
    keep_all(trainer)
    before = Size.of(trainer.net)
    shrinking = LiveShrinking(3, before)
    prune(trainer, word=2, dim=1, neuron=4)
    assert look(trainer, shrinking, times=2) == before
    with torch.no_grad():  # the dimension comes back: its count begins anew
        trainer.net.lstm.z_input.log_sigma[1] = -5.0
    assert look(trainer, shrinking) == replace(
        before, rows=before.rows - 1, hidden=((before.neurons - 1,),)
    )
    prune(trainer, dim=1)
    assert look(trainer, shrinking, times=2).dims == before.dims
    assert look(trainer, shrinking).dims == before.dims - 1


def test_no_patience_removes_nothing(tmp_path):
    trainer = make_trainer(tmp_path)
    before = Size.of(trainer.net)
    prune(trainer, word=2, dim=1, neuron=4)
    assert look(trainer, LiveShrinking(0, before), times=5) == before


@pytest.mark.parametrize("unknown", ["zero", "learned"])
def test_ids_follow_the_rows_they_spoke_of(tmp_path, unknown):
    trainer = make_trainer(tmp_path, unknown=unknown)
    keep_all(trainer)
    task, net = trainer.task, trainer.net
    table = 1 + torch.rand(net.embedding.weight.mean.shape)  # away from 0, which is pruned
    pruned = [task.encoder.vocabulary.rows[word] for word in ("film", "plot")]
    with torch.no_grad():
        net.embedding.weight.mean.copy_(table)
    if not task.encoder.vocabulary.skips:
        table[0] = 0
    table[pruned] = 0
    before = [table[torch.from_numpy(ids).long()] for ids in task.train.ids]
    prune(trainer, word=pruned)
    net.eval()
    look(trainer, LiveShrinking(1, Size.of(net)))
    smaller = trainer.task
    assert len(smaller.encoder.vocabulary.words) < len(task.encoder.vocabulary.words)
    for ids, vectors in zip(smaller.train.ids, before, strict=True):
        shown = net.embedding(torch.from_numpy(ids).long()[None])[0]
        torch.testing.assert_close(shown, vectors)
    text = "so the film was good and bad"
    np.testing.assert_array_equal(
        smaller.encoder.encode(text) > 0,
        [row > 0 and row not in pruned for row in task.encoder.encode(text)],
    )


def test_moments_stay_with_their_weights(tmp_path):
    trainer = make_trainer(tmp_path)
    keep_all(trainer)
    net, optimizer = trainer.net, trainer.optimizer
    prune(trainer, neuron=2)
    kept = [0, 1, 3, 4]
    expected = {
        key: value[:, kept] if value.dim() else value
        for key, value in optimizer.state[net.output.weight.mean].items()
    }
    look(trainer, LiveShrinking(1, Size.of(net)))
    state = optimizer.state[net.output.weight.mean]
    assert state.keys() == expected.keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert all(torch.equal(state[key], expected[key]) for key in state)
    held = {p for group in optimizer.param_groups for p in group["params"]}
    assert held == set(net.parameters())


def test_once_masks_are_fixed_the_smaller_network_learns_exactly_what_the_whole_would(tmp_path):
    # So much patience that only the beginning of fine-tuning removes anything.
    changes = {**PRUNING, "finetune_epochs": 4}
    whole, _ = train(tmp_path, "whole", shrink_after=0, **changes)
    small, trainer = train(tmp_path, "small", shrink_after=99, **changes)
    assert Size.of(trainer.net) != size_in(small.checkpoint_file)[1]
    tuning = [read_history(run.history_file)[-4:] for run in (whole, small)]
    for one, other in zip(*tuning, strict=True):
        assert other.nll == pytest.approx(one.nll, rel=1e-4)
        assert other.validation_accuracy == one.validation_accuracy
        assert other.words == one.words
        assert other.stored_compression_ratio == one.stored_compression_ratio
        assert other.dense_ratio == one.dense_ratio
    texts = make_splits().test.texts
    results = [finish(run, make_splits().test) for run in (whole, small)]
    assert results[0]["dense_bytes"] == results[1]["dense_bytes"]
    probabilities = [runtime.load(run.artifact_file).predict_proba(texts) for run in (whole, small)]
    np.testing.assert_allclose(*probabilities, atol=1e-3)


@pytest.mark.parametrize("unknown", ["zero", "learned"])
def test_a_run_shrinks_goes_on_and_ships(tmp_path, unknown):
    folder, trainer = train(tmp_path, shrink_after=2, unknown=unknown, **PRUNING)
    now, full = size_in(folder.checkpoint_file)
    assert now == Size.of(trainer.net)
    assert now.rows < full.rows
    history = read_history(folder.history_file)
    assert {record.words[1] for record in history} == {full.rows}
    assert [record.words[0] for record in history] == sorted(
        (record.words[0] for record in history), reverse=True
    ) or history[-1].words[0] < full.rows
    result = finish(folder, make_splits().test)
    assert result["test_accuracy_file"] == result["test_accuracy_masked"] > 0.9
    assert result["largest_difference"] < 1e-5
    assert result["words"][1] == full.rows
    assert Size.of(load_best(folder).net).rows <= full.rows


def test_the_objective_goes_on_counting_what_was_removed(tmp_path):
    _, shrinking = train(tmp_path, "shrinking", shrink_after=1, **PRUNING)
    _, whole = train(tmp_path, "whole", shrink_after=0, **PRUNING)
    last = [trainer.history[-1].kl for trainer in (shrinking, whole)]
    assert last[0] == pytest.approx(last[1], rel=0.05)
    assert abs(shrinking.progress.removed_kl) > 0.1 * abs(last[1])


@pytest.mark.parametrize("moment", [(6, 3), (9, 1), (13, 7)])
def test_a_shrinking_run_resumes_bit_for_bit(tmp_path, moment):
    changes = {**PRUNING, "shrink_after": 1, "finetune_epochs": 2}
    whole, _ = train(tmp_path, "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(*moment), **changes)
    broken = RunFolder(tmp_path / "broken")
    now, full = size_in(broken.checkpoint_file)
    assert now != full
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    assert same_tensors(whole.best_file, broken.best_file)


def test_nothing_that_bears_on_a_prediction_is_removed(tmp_path):
    _, trainer = train(tmp_path, shrink_after=1, **{**PRUNING, "epochs": 6})
    live = aggregate_live(trainer.net)
    kept = [int(mask.sum()) for mask in (live.vocab, live.emb, live.hidden)]
    record = trainer.history[-1]
    assert kept == [record.words[0], record.dims[0], record.neurons[0]]
