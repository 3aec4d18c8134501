"""Language models learn, shrink, resume and ship as classifiers do, from text without labels."""

import importlib
import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress import kernels, runtime
from bayespress.compression import Size, aggregate_live
from bayespress.config import TrainingConfig
from bayespress.data import TextSplits
from bayespress.errors import DataError
from bayespress.history import read_history
from bayespress.nn import kl
from bayespress.text import TokenEncoder
from bayespress.training import (
    RunFolder,
    Silent,
    Trainer,
    finish,
    load_best,
    masked_nll,
    masked_probabilities,
    process,
)
from bayespress.training.interfaces import LanguageInterface, interface_of
from bayespress.training.language import LanguageModelling
from bayespress.training.prepare import prepare
from bayespress.training.shrinking import LiveShrinking
from tests.training.language_helpers import (
    LEVELS,
    PRUNING_OF_LEVEL,
    lines,
    make_config,
    make_splits,
    train,
    unigram_nll,
)
from tests.training.test_shrinking import size_in
from tests.training.test_trainer import Stop, same_tensors
from tests.training.test_trainer import train as train_classifier

every_level = pytest.mark.parametrize("level", LEVELS)


class Losses(Silent):
    """Writes down the loss of every step, by epoch."""

    def __init__(self):
        self.of_epochs = []

    def on_epoch_begin(self, epoch, steps):  # noqa: ARG002
        self.of_epochs.append([])

    def on_step(self, step, loss):  # noqa: ARG002
        self.of_epochs[-1].append(loss)


@pytest.fixture(scope="module", params=LEVELS)
def shrunk(request, tmp_path_factory):
    """A run that live shrinking and fine-tuning took part in: its settings, folder and trainer."""
    changes = {"level": request.param, "shrink_after": 1, **PRUNING_OF_LEVEL[request.param]}
    folder, trainer = train(tmp_path_factory.mktemp("shrunk"), **changes)
    now, full = size_in(folder.checkpoint_file)
    assert now.rows < full.rows
    assert now.neurons <= full.neurons
    assert now.outputs == full.outputs
    return changes, folder, trainer


@every_level
def test_it_learns_far_more_than_how_often_tokens_occur(tmp_path, level):
    splits, changes = make_splits(train=110), {"epochs": 12, "finetune_epochs": 2}
    folder, trainer = train(tmp_path, splits=splits, level=level, kl_warmup=0.5, **changes)
    encoder = trainer.task.interface.encoder
    last = read_history(folder.history_file)[-1]
    least = math.exp(unigram_nll(encoder, splits.train, splits.validation))
    assert last.validation_perplexity < least / 5
    assert last.validation_bits == last.validation_nll / math.log(2)
    assert (last.train_accuracy, last.validation_accuracy, last.dims) == (None, None, None)


def test_the_file_predicts_what_the_masked_network_does(shrunk):
    _, folder, _ = shrunk
    test = make_splits().test
    result = finish(folder, test)
    model, trained = runtime.load_language_model(folder.artifact_file), load_best(folder)
    ids = model.encoder.encode(test)
    assert result["test_nll_file"] == pytest.approx(result["test_nll_masked"], abs=1e-6)
    assert result["largest_difference"] < 1e-5
    evaluation = model.evaluate(test)
    assert evaluation.nll == result["test_nll_file"]
    assert evaluation.perplexity == result["test_perplexity"] == math.exp(evaluation.nll)
    assert evaluation.tokens == result["test_tokens"] == len(model.nll(ids)[0])
    assert evaluation.bits_per_token == result["test_bits_per_token"]
    for text in (test, "two\n", "uh five sixty two !\n\n?", "one two three four five " * 30):
        expected = masked_nll(trained, text)
        found = model.nll(model.encoder.encode(text))[0]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        assert len(expected) > 0


def test_a_long_text_is_read_in_pieces_that_fit_into_memory(shrunk, monkeypatch):
    trained, test = load_best(shrunk[1]), make_splits().test
    whole = masked_nll(trained, test)
    # By its name the package shows the function.
    module = importlib.import_module("bayespress.training.finish")
    monkeypatch.setattr(module, "_MAX_LOGITS", 100)
    np.testing.assert_allclose(masked_nll(trained, test), whole, rtol=0, atol=1e-6)


RESULT_KEYS = {
    *("best_epoch", "test_tokens", "test_unknown", "test_nll_masked", "test_nll_file"),
    *("test_perplexity", "test_bits_per_token", "level", "largest_difference", "file_bytes"),
    *("size_ratio", "code", "words", "neurons", "gates", "compression_ratio"),
    *("stored_compression_ratio", "dense_ratio", "dense_bytes", "versions"),
}


def test_the_result_is_written_once_and_complete(tmp_path):
    folder, trainer = train(tmp_path, epochs=1)
    assert folder.result() is None
    result = finish(folder, f"{make_splits().test}uh seven\n")
    assert result.keys() == RESULT_KEYS
    assert json.loads(folder.result_file.read_text()) == json.loads(json.dumps(result))
    assert (result["level"], result["code"], result["test_unknown"]) == ("word", "LLLL", 1)
    assert result["file_bytes"] == folder.artifact_file.stat().st_size
    words = trainer.task.interface.encoder.tokens
    # Matrices and biases in 4 bytes, and each word with what ends it.
    parameters = 4 * 8 * (9 + 8 + 1) + 9 * 8 + 9
    assert result["dense_bytes"] == 4 * parameters + sum(len(word) + 1 for word in words)
    assert result["size_ratio"] == result["dense_bytes"] / result["file_bytes"]


@pytest.mark.parametrize("test", ["", "one", "unseen words\n"[:6]])
def test_a_test_text_without_two_tokens_gives_no_figures(tmp_path, test):
    folder, _ = train(tmp_path, epochs=1)
    result = finish(folder, test)
    assert (result["test_tokens"], result["level"]) == (0, "word")
    assert not any(key.startswith("test_nll") for key in result)
    assert folder.artifact_file.exists()


def test_figures_of_the_wrong_kind_of_network_are_refused(tmp_path):
    language_model = load_best(train(tmp_path, "lm", epochs=1)[0])
    classifier = load_best(train_classifier(tmp_path, "classifier", epochs=1)[0])
    with pytest.raises(TypeError, match="only a classifier has class probabilities"):
        masked_probabilities(language_model, ["one"])
    with pytest.raises(TypeError, match="only a language model predicts tokens"):
        masked_nll(classifier, "one two")


@pytest.mark.parametrize("moment", [(1, 2), (5, 3), (9, 1), (12, 3)])
def test_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, shrunk, moment):
    (changes, whole, trainer), splits = shrunk, make_splits()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(*moment), **changes)
    broken = RunFolder(tmp_path / "broken")
    if moment[0] >= 9:  # what goes on is smaller than what began
        now, full = size_in(broken.checkpoint_file)
        assert now.rows < full.rows
    again = Trainer(broken.config(), splits, broken)
    assert again.progress.epoch == moment[0] - 1
    again.fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    assert same_tensors(whole.best_file, broken.best_file)
    for one, other in zip(trainer.history, again.history, strict=True):
        assert replace(one, seconds=0) == replace(other, seconds=0)
    finish(whole, splits.test), finish(broken, splits.test)
    assert whole.artifact_file.read_bytes() == broken.artifact_file.read_bytes()


def test_best_epoch_follows_the_stated_rule(tmp_path):
    folder, trainer = train(tmp_path, compression_worth=0.3, **PRUNING_OF_LEVEL["word"])
    records = read_history(folder.history_file)
    scores = [0.3 * math.log10(r.compression_ratio) - r.validation_nll for r in records]
    assert [r.score for r in records] == pytest.approx(scores)
    assert trainer.progress.best_epoch == 1 + int(np.argmax(scores))
    assert load_best(folder).epoch == trainer.progress.best_epoch


def one_epoch(tmp_path, **changes):
    """A trainer after an epoch, in which everything bears on predictions."""
    _, trainer = train(tmp_path, epochs=1, **changes)
    for parameter in trainer.net.modules():
        if getattr(parameter, "log_sigma", None) is not None:
            with torch.no_grad():
                parameter.mean[parameter.mean.abs() < 0.05] = 0.05
                parameter.log_sigma.fill_(-5.0)
    return trainer


def prune(trainer, *, tokens=(), neurons=()):
    """Prune by the group variables, as training would."""
    rows = trainer.task.interface.rows[list(tokens)]
    assert (rows > 0).all() or not trainer.task.interface.zero_row
    with torch.no_grad():
        trainer.net.lstm.z_input.log_sigma[rows] = 9.0
        trainer.net.lstm.z_hidden.log_sigma[list(neurons)] = 9.0


def look(trainer, shrinking, times=1):
    for _ in range(times):
        trainer.task = shrinking.shrink(trainer.net, trainer.optimizer, trainer.task)
    return Size.of(trainer.net)


@every_level
def test_shrinking_leaves_predictions_as_they_are(tmp_path, level):
    trainer = one_epoch(tmp_path, level=level)
    before, tokens = Size.of(trainer.net), len(trainer.task.interface.encoder.tokens)
    shrinking = LiveShrinking(1, before)
    # Token 0, and after that row 0, is not what it was: then it is the zero row.
    for gone, neurons, left in (((0, 3), (2,), 7), ((1, 5), (0, 6), 5), ((), (), 5)):
        prune(trainer, tokens=gone, neurons=neurons)
        expected = trainer.task.validate(trainer.net).nll
        weight = trainer.net.lstm.weight_ih.mean
        size = look(trainer, shrinking)
        # The zero row alone is no reason to slice anything.
        assert (trainer.net.lstm.weight_ih.mean is weight) == (not gone)
        assert trainer.task.validate(trainer.net).nll == pytest.approx(expected, abs=1e-6)
        assert size.neurons == left
    assert size.rows == tokens - 4 + 1  # and a zero row
    assert trainer.task.interface.inputs == (2, 4, *range(6, tokens))
    assert size.outputs == before.outputs


def test_only_what_stays_pruned_is_removed(tmp_path):
    trainer = one_epoch(tmp_path)
    before = Size.of(trainer.net)
    shrinking = LiveShrinking(3, before)
    prune(trainer, tokens=(2, 4), neurons=(1,))
    assert look(trainer, shrinking, times=2) == before
    with torch.no_grad():  # a token comes back: its count begins anew
        trainer.net.lstm.z_input.log_sigma[4] = -5.0
    assert look(trainer, shrinking) == replace(before, hidden=((before.neurons - 1,),))
    assert trainer.task.interface.inputs == (0, 1, *range(3, 9))
    prune(trainer, tokens=(4,))
    assert look(trainer, shrinking, times=2).rows == before.rows
    assert look(trainer, shrinking).rows == before.rows - 1
    assert trainer.task.interface.inputs == (0, 1, 3, *range(5, 9))


def test_a_zero_row_that_is_not_yet_given_up_is_no_token():
    encoder = TokenEncoder("word", "words", False, ("a", "b", "c"))
    interface = LanguageInterface(encoder, None, (1, 2))
    same, rows = interface.restrict(np.array([True, True, True]))
    assert (same, rows.tolist()) == (interface, [1, 2])
    less, rows = interface.restrict(np.array([True, False, True]))
    assert (less.inputs, rows.tolist()) == ((2,), [2])


@pytest.mark.parametrize("inputs", [None, (), (0, 2)])
@pytest.mark.parametrize("window", [None, 5])
def test_a_checkpoint_brings_its_interface_back(inputs, window):
    encoder = TokenEncoder("char", "words", True, ("a", "\n", "\\"))
    interface = LanguageInterface(encoder, window, inputs)
    assert interface_of(json.loads(json.dumps(interface.to_dict()))) == interface


def test_moments_stay_with_their_weights(tmp_path):
    trainer = one_epoch(tmp_path)
    net, optimizer = trainer.net, trainer.optimizer
    prune(trainer, tokens=(0, 3), neurons=(2,))
    kept = [0, 1, 3, 4, 5, 6, 7]
    gates = [8 * gate + neuron for gate in range(4) for neuron in kept]
    rows = [0, 1, 2, 4, 5, 6, 7, 8]
    expected = {
        key: value[rows][:, gates] if value.dim() else value
        for key, value in optimizer.state[net.lstm.weight_ih.mean].items()
    }
    look(trainer, LiveShrinking(1, Size.of(net)))
    state = optimizer.state[net.lstm.weight_ih.mean]
    assert state.keys() == expected.keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert all(torch.equal(state[key], expected[key]) for key in state)
    held = {p for group in optimizer.param_groups for p in group["params"]}
    assert held == set(net.parameters())


@every_level
def test_once_masks_are_fixed_the_smaller_network_learns_what_the_whole_would(tmp_path, level):
    # So much patience that only the beginning of fine-tuning removes anything.
    changes = {**PRUNING_OF_LEVEL[level], "level": level, "finetune_epochs": 3}
    whole, _ = train(tmp_path, "whole", shrink_after=0, **changes)
    small, trainer = train(tmp_path, "small", shrink_after=99, **changes)
    assert Size.of(trainer.net) != size_in(small.checkpoint_file)[1]
    tuning = [read_history(run.history_file)[-3:] for run in (whole, small)]
    for one, other in zip(*tuning, strict=True):
        assert other.nll == pytest.approx(one.nll, rel=1e-3)
        assert other.validation_nll == pytest.approx(one.validation_nll, rel=1e-3)
        for name in ("words", "neurons", "gates", "stored_compression_ratio", "dense_ratio"):
            assert getattr(other, name) == getattr(one, name)
    results = [finish(run, make_splits().test) for run in (whole, small)]
    assert results[0]["dense_bytes"] == results[1]["dense_bytes"]


def test_a_run_shrinks_goes_on_and_ships(shrunk):
    _, folder, trainer = shrunk
    now, full = size_in(folder.checkpoint_file)
    assert now == Size.of(trainer.net)
    history = read_history(folder.history_file)
    assert {(r.words[1], r.neurons[1], r.gates[1]) for r in history} == {
        (full.rows, full.neurons, 4 * full.neurons)
    }
    live = aggregate_live(trainer.net)
    assert [int(live.vocab.sum()), int(live.hidden.sum())] == [
        history[-1].words[0], history[-1].neurons[0],
    ]  # fmt: skip
    result = finish(folder, make_splits().test)
    assert result["test_nll_file"] == pytest.approx(result["test_nll_masked"], abs=1e-6)
    assert result["words"][1] == full.rows


def test_the_objective_goes_on_counting_what_was_removed(tmp_path):
    """Also where only neurons leave, and a zero row comes in whose divergence is another's."""
    trainer = one_epoch(tmp_path, shrink_after=1)
    for tokens, neurons in (((), (2,)), ((0, 3), (1, 5)), ((4,), ())):
        prune(trainer, tokens=tokens, neurons=neurons)
        size, before = Size.of(trainer.net), objective_kl(trainer)
        trainer._shrink()
        assert Size.of(trainer.net) != size
        assert objective_kl(trainer) == pytest.approx(before, rel=1e-6)


def objective_kl(trainer):
    return float(kl(trainer.net).detach().double()) + trainer.progress.removed_kl


def plain_task(tokens, length, streams, *, carried):
    """Text of which every token is another."""
    encoder = TokenEncoder("word", "words", False, tuple(map(str, range(tokens))))
    ids = np.arange(tokens, dtype=np.int32)
    interface = LanguageInterface(encoder, None if carried else length)
    return LanguageModelling(interface, length, streams, ids, ids)


def training_config(**changes):
    return TrainingConfig(**{"seed": 3, **changes})


@settings(max_examples=60)
@given(
    streams=st.integers(1, 6),
    length=st.integers(2, 9),
    more=st.integers(0, 60),
    epoch=st.integers(1, 9),
)
def test_streams_are_read_once_in_order_and_every_token_but_the_first_is_predicted(
    streams, length, more, epoch
):
    tokens = 2 * streams + more
    task = plain_task(tokens, length, streams, carried=True)
    batches = list(task.batches(training_config(batch_size=streams), epoch))
    each = tokens // streams
    whole = torch.arange(streams * each).view(streams, each)
    assert torch.equal(torch.cat([b.rows for b in batches], dim=1), whole[:, :-1])
    assert torch.equal(torch.cat([b.following for b in batches], dim=1), whole[:, 1:])
    assert {b.rows.shape[1] for b in batches[:-1]} <= {length}
    assert len(batches) == task.steps(training_config())
    predicted = sum(b.following.numel() for b in batches)
    assert predicted == task.num_train == streams * (tokens // streams - 1)
    assert [len(b) for b in batches] == [streams] * len(batches)


@settings(max_examples=60)
@given(
    batch=st.integers(1, 6), length=st.integers(2, 9), more=st.integers(0, 90), seed=st.integers(0)
)
def test_windows_cover_the_text_from_a_random_place_on_in_random_order(batch, length, more, seed):
    tokens = length + more
    task, training = (
        plain_task(tokens, length, batch, carried=False),
        training_config(batch_size=batch, seed=seed),
    )
    batches = list(task.batches(training, 1))
    rows, following = (torch.cat([getattr(b, n) for b in batches]) for n in ("rows", "following"))
    windows = task.num_train // (length - 1)
    assert rows.shape == following.shape == (windows, length - 1)
    assert torch.equal(rows + 1, following)
    assert torch.equal(rows[:, 1:], following[:, :-1])
    begins = rows[:, 0].sort().values
    assert torch.equal(begins, begins[0] + length * torch.arange(windows))
    assert 0 <= begins[0] < length
    assert windows == max(1, (tokens - length + 1) // length)
    assert all(len(b) == batch for b in batches[:-1])
    assert len(batches) == task.steps(training)
    assert all(b.carried is None for b in batches)


def windows_of(epoch, **changes):
    task = plain_task(200, 7, 5, carried=False)
    batches = task.batches(training_config(batch_size=5, **changes), epoch)
    return torch.cat([batch.rows[:, 0] for batch in batches]).tolist()


def test_offset_and_order_of_windows_depend_on_epoch_and_seed_alone():
    assert windows_of(2) == windows_of(2) == windows_of(2, learning_rate=1.0)
    assert windows_of(2) != windows_of(3)
    assert windows_of(2) != windows_of(2, seed=4)
    begins = {min(windows_of(epoch)) for epoch in range(1, 80)}
    assert begins == set(range(7))
    assert len({tuple(np.argsort(windows_of(epoch))) for epoch in range(1, 20)}) == 19


@pytest.mark.parametrize("clip_norm", [0.0, 0.05])
@pytest.mark.parametrize("shrunk", [False, True])
def test_the_state_is_carried_from_batch_to_batch_and_epochs_begin_with_zeros(
    tmp_path, clip_norm, shrunk
):
    """Two epochs written out by hand."""
    losses, splits = Losses(), make_splits(train=20)
    changes = {"code": "DCCD", "decay": "none", "clip_norm": clip_norm}
    config = make_config(epochs=2, **changes)
    trainer = Trainer(config, splits, RunFolder(tmp_path), losses)
    net = trainer.task.interface.build(config)
    encoder = trainer.task.interface.encoder
    trainer.fit()
    adam = torch.optim.Adam(net.parameters(), lr=config.training.learning_rate)
    ids = torch.from_numpy(encoder.encode(splits.train)).long()
    streams = ids[: len(ids) // 4 * 4].view(4, -1)
    zeros = (torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))
    for found in losses.of_epochs:
        state, expected = zeros, []
        for begin in range(0, streams.shape[1] - 1, 9):
            part = streams[:, begin : begin + 10]
            logits, state = net(part[:, :-1], state)
            state = tuple(one.detach() for one in state)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten())
            adam.zero_grad()
            loss.backward()
            if clip_norm:
                torch.nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
            adam.step()
            expected.append(loss.item())
        assert len(expected) == 4
        assert found == pytest.approx(expected, rel=1e-4)


@every_level
def test_losses_of_an_epoch_are_those_of_whole_sequences(tmp_path, level):
    """Without noise and steps: what segments add up to is the stream, what windows do is not."""
    trainer = one_epoch(tmp_path, level=level)
    net, task, training = trainer.net.eval(), trainer.task, trainer.config.training
    prune(trainer, tokens=(0, 3))
    found = []
    for epoch, smaller in itertools.product((1, 2), (False, True)):
        if smaller:
            task = LiveShrinking(1, Size.of(net)).shrink(net, trainer.optimizer, task)
        with torch.no_grad():
            parts = [
                (batch.loss(net, torch.Generator(), None)[0].item(), batch.following.numel())
                for batch in task.batches(training, epoch)
            ]
        found.append(sum(loss * count for loss, count in parts) / task.num_train)
    if level == "char":
        assert found[0] != pytest.approx(found[2], rel=1e-5)  # other windows
    else:
        assert found == pytest.approx([found[0]] * 4, rel=1e-5)
        rows, streams = torch.from_numpy(task.interface.rows), task.streams
        each = len(task.train) // streams
        ids = torch.from_numpy(task.train[: streams * each]).long().view(streams, each)
        with torch.no_grad():
            logits, _ = net(rows[ids[:, :-1]])
        whole = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        assert found[0] == pytest.approx(whole.item(), rel=1e-5)


def test_gradients_end_where_a_segment_begins(tmp_path):
    trainer = one_epoch(tmp_path)
    first, second = itertools.islice(trainer.task.batches(trainer.config.training, 1), 2)
    noise = torch.Generator().manual_seed(1)
    trainer.net.train()
    first.loss(trainer.net, noise, None)[0].backward()
    assert not any(part.requires_grad for part in second.carried.state)
    assert any(part.abs().sum() > 0 for part in second.carried.state)
    second.loss(trainer.net, noise, None)[0].backward()  # an error, had it led into the first


@pytest.mark.parametrize(
    ("level", "forget_bias", "noise"), [("word", 1, "batch"), ("char", 0, "sequence")]
)
def test_what_carries_its_state_begins_and_draws_noise_as_the_papers_do(level, forget_bias, noise):
    config, splits = make_config(level), make_splits()
    net = prepare(config, splits, "").interface.build(config)
    assert net.lstm.bias.view(4, -1).mean(1).tolist() == [0, forget_bias, 0, 0]
    assert net.output.noise == noise


@every_level
def test_the_same_seed_gives_the_same_network_and_another_one_another(tmp_path, level):
    runs = [
        train(tmp_path, f"{k}", make_splits(train=20), level=level, seed=seed, epochs=2)[0]
        for k, seed in enumerate((7, 7, 8))
    ]
    assert same_tensors(runs[0].best_file, runs[1].best_file)
    assert not same_tensors(runs[0].best_file, runs[2].best_file)


def test_principal_axes_are_for_classifiers(tmp_path):
    splits = make_splits(train=20)
    changes = {"epochs": 3, "dense_epochs": 1, "vector_scale": 0.5}
    plain, _ = train(tmp_path, "plain", splits, principal_axes=False, **changes)
    turned, _ = train(tmp_path, "turned", splits, principal_axes=True, **changes)
    assert same_tensors(plain.checkpoint_file, turned.checkpoint_file)


@pytest.mark.skipif(
    kernels.problem() is not None, reason=f"no compiled kernels: {kernels.problem()}"
)
@every_level
def test_gradients_are_clipped_alike_with_compiled_kernels_and_without(tmp_path, level):
    found = {}
    for enabled, clip_norm in itertools.product((True, False), (0.0, 0.02)):
        losses = Losses()
        with kernels.use(enabled):
            train(
                tmp_path, f"{enabled}{clip_norm}", make_splits(train=12), losses, level=level,
                epochs=3, dense_epochs=1, clip_norm=clip_norm, kl_warmup=0.0,
            )  # fmt: skip
        found[enabled, clip_norm] = [loss for epoch in losses.of_epochs for loss in epoch]
    for clip_norm in (0.0, 0.02):
        assert found[True, clip_norm] == pytest.approx(found[False, clip_norm], rel=2e-3)
    assert found[True, 0.0] != pytest.approx(found[True, 0.02], rel=2e-3)


NOTHING = TextSplits("", "", "")


@pytest.mark.parametrize(
    ("splits", "changes", "rule"),
    [
        (
            replace(make_splits(), train="uh one two\n"),
            {"min_documents": 1, "batch_size": 4},
            "the training text has 4 tokens and needs 8: take a longer text, or lower --batch-size",
        ),
        (
            replace(make_splits(), train="uh one two three\n"),
            {"level": "char", "segment_length": 18},
            "the training text has 17 tokens and needs 18: take a longer text, or lower --segment",
        ),
        (
            replace(make_splits(), train="a" * 500),
            {"level": "char"},
            "the training text has 1 distinct tokens at char level, at least two are needed",
        ),
        (
            replace(make_splits(), train="one " * 500),
            {},
            "the training text has 1 distinct tokens at word level, at least two are needed",
        ),
        (
            replace(make_splits(), validation=""),
            {},
            "there is none of two tokens: raise --validation-fraction, take a longer text, or name",
        ),
        (
            replace(make_splits(), validation="o"),
            {"level": "char"},
            "there is none of two tokens",
        ),
        (NOTHING, {}, "the training text has 0 distinct tokens at word level"),
    ],
)
def test_texts_that_cannot_be_learned_from_are_refused(tmp_path, splits, changes, rule):
    with pytest.raises(DataError) as error:
        Trainer(make_config(**changes), splits, RunFolder(tmp_path))
    assert rule in str(error.value)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("level", "text"), [("word", "one two three\none two\n"), ("char", lines(1, 1)[:18])]
)
def test_the_shortest_texts_that_can_be_learned_from(tmp_path, level, text):
    splits = TextSplits(text, text, "")
    changes = {"batch_size": 3, "segment_length": len(text)} if level == "char" else {}
    changes = {"batch_size": 3, **changes}
    _, trainer = train(tmp_path, splits=splits, level=level, epochs=2, **changes)
    assert trainer.task.steps(trainer.config.training) == 1
    assert all(math.isfinite(record.validation_nll) for record in trainer.history)


def test_bfloat16_is_said_to_change_nothing(tmp_path):
    config = make_config(precision="bfloat16")
    (note,) = [note for note in process.missing(config, torch.device("cpu")) if "bfloat16" in note]
    assert note == "a language model's input needs no product: bfloat16 changes nothing"
