"""What changes from step to step, and from phase to phase."""

import pytest
import torch

from bayespress import runtime
from bayespress.config import TrainingConfig
from bayespress.errors import TrainingError
from bayespress.history import read_history
from bayespress.training import RunFolder, Silent, Trainer, load_best, process
from bayespress.training.run import load_tensors
from bayespress.training.schedules import Phase, Schedule
from bayespress.training.state import make_optimizer
from bayespress.variational import named_variational_parameters
from tests.training.test_trainer import Stop, make_config, make_splits, same_tensors, train

STEPS = 10


def schedule(**changes):
    return Schedule(TrainingConfig(**changes), STEPS)


def test_phases_come_in_their_order():
    plan = schedule(epochs=6, dense_epochs=2, finetune_epochs=1)
    assert [plan.phase(epoch) for epoch in range(1, 7)] == [
        *[Phase.DENSE] * 2, *[Phase.SPARSE] * 3, Phase.FINETUNING,
    ]  # fmt: skip


def test_dense_epochs_come_first_where_there_is_no_room_for_all():
    plan = schedule(epochs=3, dense_epochs=2, finetune_epochs=4)
    assert [plan.phase(epoch) for epoch in (1, 2, 3)] == [Phase.DENSE] * 2 + [Phase.FINETUNING]


def test_the_divergence_counts_while_there_is_noise_and_warms_up():
    plan = schedule(epochs=8, dense_epochs=2, finetune_epochs=2, kl_warmup=0.5, kl_weight=3.0)
    weights = [plan.kl_weight(step) for step in range(8 * STEPS)]
    assert weights[: 2 * STEPS + 1] == [0.0] * (2 * STEPS + 1)
    assert weights[3 * STEPS] == 1.5
    assert weights[4 * STEPS : 6 * STEPS] == [3.0] * (2 * STEPS)
    assert weights[6 * STEPS :] == [0.0] * (2 * STEPS)


def test_rates_decay_late_and_begin_anew_for_finetuning():
    plan = schedule(epochs=8, finetune_epochs=3, decay="linear", decay_after=0.6)
    rates = [plan.rate_factor(step) for step in range(8 * STEPS)]
    assert rates[: 3 * STEPS + 1] == [1.0] * (3 * STEPS + 1)
    assert rates[4 * STEPS] == pytest.approx(0.5)
    assert rates[5 * STEPS - 1] == pytest.approx(1 / (2 * STEPS))
    assert rates[5 * STEPS] == 1.0
    assert rates[-1] == pytest.approx(1 / (3 * STEPS))


def test_rates_that_decay_after_all_epochs_do_not():
    plan = schedule(epochs=4, decay="linear", decay_after=1.0)
    assert {plan.rate_factor(step) for step in range(4 * STEPS)} == {1.0}


def test_every_kind_of_parameter_has_its_step_size(tmp_path):
    config = make_config(
        learning_rate=0.1, group_learning_rate=0.2, log_sigma_learning_rate=0.3,
        group_log_sigma_learning_rate=0.4,
    )  # fmt: skip
    net = train(tmp_path, epochs=1)[1].net
    rates = {
        id(p): group["lr"]
        for group in make_optimizer(net, config).param_groups
        for p in group["params"]
    }
    assert len(rates) == len(list(net.parameters()))
    for _, parameter in named_variational_parameters(net):
        is_group = parameter.mean.dim() == 1
        assert rates[id(parameter.mean)] == (0.2 if is_group else 0.1)
        assert rates[id(parameter.log_sigma)] == (0.4 if is_group else 0.3)
    assert rates[id(net.lstm.bias)] == 0.1


def test_dense_epochs_prune_nothing_and_touch_no_log_sigma(tmp_path):
    # So much noise that everything counts as pruned, would it be there.
    changes = {"weight_log_sigma": 3.5, "group_log_sigma": 3.5, "shrink_after": 1}
    probe = train(tmp_path, "probe", epochs=1, dense_epochs=1, weight_log_sigma=-20.0)[0]
    with pytest.raises(TrainingError, match="everything was pruned"):
        train(tmp_path, epochs=2, dense_epochs=2, **changes)
    folder = RunFolder(tmp_path / "run")
    (record,) = read_history(folder.history_file)
    assert record.nll == read_history(probe.history_file)[0].nll
    assert record.kl == record.kl_weight == 0
    tensors, facts = load_tensors(folder.checkpoint_file)
    assert facts["size"] == facts["full"]["size"]
    log_sigma = tensors["net.embedding.weight.log_sigma"]
    assert torch.equal(log_sigma, torch.full_like(log_sigma, 3.5))


@pytest.mark.parametrize("dense_epochs", [1, 3])
def test_what_is_recorded_of_a_dense_epoch_is_what_would_be_shipped(tmp_path, dense_epochs):
    folder, trainer = train(
        tmp_path, epochs=3, dense_epochs=dense_epochs, finetune_epochs=0, weight_log_sigma=-2.0
    )
    record = trainer.history[trainer.progress.best_epoch - 1]
    texts = make_splits().validation
    predictor = runtime.TextPredictor(load_best(folder).to_compact())
    assert runtime.evaluate(predictor, texts.texts, texts.labels).accuracy == (
        record.validation_accuracy
    )
    assert len(predictor.model.embedding) == record.words[0]


def test_principal_axes_are_turned_to_when_noise_begins(tmp_path):
    changes = {"dense_epochs": 2, "finetune_epochs": 0, "learning_rate": 0.0, "kl_weight": 0.0}
    rates = dict.fromkeys(
        ("group_learning_rate", "log_sigma_learning_rate", "group_log_sigma_learning_rate"), 0.0
    )
    grams = []
    for name, turned in (("as they are", False), ("turned", True)):
        _, trainer = train(tmp_path, name, principal_axes=turned, epochs=3, **changes, **rates)
        table = trainer.net.embedding.weight.mean
        grams.append(table.t() @ table)
    assert not torch.allclose(grams[0], grams[0].diagonal().diag(), atol=1e-6)
    torch.testing.assert_close(grams[1], grams[1].diagonal().diag(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("epoch", [2, 3, 5])
def test_a_run_with_all_phases_resumes_bit_for_bit(tmp_path, epoch):
    changes = {
        "epochs": 5, "dense_epochs": 2, "principal_axes": True, "finetune_epochs": 1,
        "decay": "none", "kl_warmup": 0.0,
    }  # fmt: skip
    whole, _ = train(tmp_path, "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(epoch, 3), **changes)
    broken = RunFolder(tmp_path / "broken")
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    assert same_tensors(whole.best_file, broken.best_file)


@pytest.mark.skipif(
    not process.has_bfloat16(torch.device("cpu")), reason="this processor has no bfloat16"
)
def test_products_in_bfloat16_differ_a_little_and_learn(tmp_path):
    losses = []
    for precision in ("float32", "bfloat16"):
        folder, trainer = train(tmp_path, precision, precision=precision, epochs=6)
        assert trainer.net.lstm.bfloat16_products == (precision == "bfloat16")
        losses.append([record.nll for record in read_history(folder.history_file)])
        assert trainer.history[-1].validation_accuracy > 0.9
    assert losses[0] != losses[1]
    # Later on, rounding decides which weights are pruned first.
    assert losses[1][0] == pytest.approx(losses[0][0], rel=0.02)


def test_without_bfloat16_it_says_so_and_takes_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "has_bfloat16", lambda _: False)
    notes = []

    class Notes(Silent):
        def on_note(self, text):
            notes.append(text)

    _, trainer = train(tmp_path, precision="bfloat16", epochs=1, listener=Notes())
    assert "this processor has no instructions for bfloat16: float32 is used instead" in notes
    assert not trainer.net.lstm.bfloat16_products


def test_the_wanted_compression_ends_the_noise_and_finetuning_ends_the_run(tmp_path):
    changes = {"epochs": 40, "dense_epochs": 1, "finetune_epochs": 3, "compression_worth": 0.0}
    probe = read_history(train(tmp_path, "probe", **changes)[0].history_file)
    wanted = sorted(record.compression_ratio for record in probe)[20]
    notes = []

    class Notes(Silent):
        def on_note(self, text):
            notes.append(text)

    folder, trainer = train(tmp_path, target_compression=wanted, listener=Notes(), **changes)
    history = read_history(folder.history_file)
    reached = next(r.epoch for r in history if r.kl_weight > 0 and r.compression_ratio >= wanted)
    assert trainer.progress.reached_at == reached < 36
    assert len(history) == reached + 3
    assert [record.kl_weight for record in history[reached:]] == [0.0] * 3
    assert history[-1].compression_ratio >= wanted
    # What is shipped is as small as was wanted, whatever was better before.
    assert trainer.progress.best_epoch >= reached
    (said,) = (note for note in notes if "reached" in note)
    assert said == (
        f"epoch {reached} reached a compression ratio of "
        f"{history[reached - 1].compression_ratio:,.0f}: fine-tuning follows"
    )
    # Up to there, nothing is different.
    assert [r.nll for r in history[:reached]] == [r.nll for r in probe[:reached]]


def test_a_run_that_has_reached_its_target_resumes_bit_for_bit(tmp_path):
    changes = {"epochs": 40, "dense_epochs": 1, "finetune_epochs": 3, "target_compression": 1.5}
    whole, trainer = train(tmp_path, "whole", **changes)
    reached = trainer.progress.reached_at
    assert 1 < reached < 37
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(reached + 2, 3), **changes)
    broken = RunFolder(tmp_path / "broken")
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
