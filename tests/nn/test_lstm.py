import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.nn import LSTM, named_variational_parameters

INPUTS, HIDDEN, BATCH, STEPS = 3, 4, 2, 5


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def dense(**options):
    kinds = {"prior": "D", "gates_prior": "C", "neurons_prior": "C"}
    return LSTM(INPUTS, HIDDEN, **kinds, generator=generator(), **options)


def noisy(dtype=torch.float32, log_sigma=-1.0, **options):
    """All kinds of noise, so much that it shows."""
    lstm = LSTM(
        INPUTS, HIDDEN, log_sigma=log_sigma, group_log_sigma=log_sigma, generator=generator(),
        **options,
    )  # fmt: skip
    return lstm.to(dtype)


def sequences(steps=STEPS, batch=BATCH, seed=2, dtype=torch.float32):
    return torch.randn(steps, batch, INPUTS, generator=generator(seed), dtype=dtype)


def twin_of(lstm, *, batch_first=False):
    """torch's own LSTM with the same weights."""
    twin = torch.nn.LSTM(INPUTS, HIDDEN, batch_first=batch_first)
    with torch.no_grad():
        twin.weight_ih_l0.copy_(lstm.weight_ih.mean)
        twin.weight_hh_l0.copy_(lstm.weight_hh.mean)
        twin.bias_ih_l0.copy_(lstm.bias)
        twin.bias_hh_l0.zero_()
    return twin


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
def test_without_sparsity_it_is_the_lstm_of_torch(batch_first, with_state):
    ours = dense(batch_first=batch_first)
    theirs = twin_of(ours, batch_first=batch_first)
    x = sequences()
    x = x.transpose(0, 1) if batch_first else x
    ours_in, theirs_in = x.clone().requires_grad_(), x.clone().requires_grad_()
    hx = (0.1 * torch.ones(1, BATCH, HIDDEN), -0.2 * torch.ones(1, BATCH, HIDDEN))
    actual = ours(ours_in, hx if with_state else None)
    expected = theirs(theirs_in, hx if with_state else None)
    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)
    for output, (h, c) in (actual, expected):
        (output.square().sum() + h.sum() + c.prod()).backward()
    for gradient, twins in (
        (ours_in.grad, theirs_in.grad),
        (ours.weight_ih.mean.grad, theirs.weight_ih_l0.grad),
        (ours.weight_hh.mean.grad, theirs.weight_hh_l0.grad),
        (ours.bias.grad, theirs.bias_ih_l0.grad),
    ):
        torch.testing.assert_close(gradient, twins, atol=1e-5, rtol=1e-5)


def test_the_state_is_carried_from_call_to_call():
    lstm, x = dense(), sequences()
    whole, state = lstm(x)
    first, between = lstm(x[:2])
    second, last = lstm(x[2:], between)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(last, state)


@settings(max_examples=30)
@given(
    left=st.integers(0, 4),
    right=st.integers(0, 4),
    gate_activation=st.sampled_from(["sigmoid", "hard_sigmoid"]),
    filling=st.sampled_from([0.0, 7.0, -1e6]),
    training=st.booleans(),
)
def test_padding_never_changes_a_result_or_a_gradient(
    left, right, gate_activation, filling, training
):
    lstm = noisy(torch.float64, gate_activation=gate_activation).train(training)
    x = sequences(dtype=torch.float64)
    pad = torch.full((1, BATCH, INPUTS), filling, dtype=torch.float64)
    padded = torch.cat([pad.repeat(left, 1, 1), x, pad.repeat(right, 1, 1)])
    mask = torch.zeros(len(padded), BATCH, dtype=torch.bool)
    mask[left : left + STEPS] = True
    gradients = []
    for sequence, real in ((x, None), (padded, mask)):
        lstm.zero_grad()
        _, (h, c) = lstm(sequence, mask=real, generator=generator(5))
        (h.square().sum() + c.sum()).backward()
        gradients.append([h, c, *(p.grad for p in lstm.parameters() if p.grad is not None)])
    torch.testing.assert_close(*gradients)


def test_each_sequence_has_its_own_padding():
    lstm = dense()
    x = sequences(batch=3)
    mask = torch.ones(STEPS, 3, dtype=torch.bool)
    mask[:2, 0] = mask[4:, 1] = False
    _, (h, _) = lstm(x, mask=mask)
    for k, real in enumerate((slice(2, None), slice(0, 4), slice(None))):
        _, (alone, _) = lstm(x[real, k : k + 1])
        torch.testing.assert_close(h[:, k], alone[:, 0])


def test_batch_first_swaps_the_first_two_dimensions_of_input_mask_and_output():
    one, other = noisy(), noisy(batch_first=True)
    x, mask = sequences(), torch.rand(STEPS, BATCH, generator=generator()) < 0.5
    output, state = one(x, mask=mask, generator=generator(3))
    swapped, same_state = other(x.transpose(0, 1), mask=mask.t(), generator=generator(3))
    assert torch.equal(swapped, output.transpose(0, 1))
    assert torch.equal(state[0], same_state[0])
    assert torch.equal(state[1], same_state[1])


def test_the_seed_decides_weights_and_noise():
    x = sequences()
    outputs = [noisy()(x, generator=generator(seed))[0] for seed in (3, 3, 4)]
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_evaluation_is_without_noise_and_uses_no_randomness():
    lstm, x = noisy(log_sigma=-8.0).eval(), sequences()
    state = torch.get_rng_state()
    assert torch.equal(lstm(x)[0], lstm(x, generator=generator(8))[0])
    assert torch.equal(torch.get_rng_state(), state)


def only(name, **kinds):
    """An LSTM in which one parameter is noisy."""
    lstm = noisy(**kinds)
    for other, parameter in named_variational_parameters(lstm):
        if other != name and parameter.log_sigma is not None:
            torch.nn.init.constant_(parameter.log_sigma, -40.0)
    return lstm


def test_weights_have_one_sample_for_the_whole_batch():
    for name in ("weight_ih", "weight_hh"):
        x = sequences(batch=1).repeat(1, 6, 1)
        output, _ = only(name)(x, generator=generator())
        torch.testing.assert_close(output, output[:, :1].expand_as(output))
        again, _ = only(name)(x, generator=generator(2))
        assert not torch.allclose(again, output)


@pytest.mark.parametrize("name", ["z_input", "z_hidden", "z_gates"])
def test_group_variables_have_one_sample_per_sequence(name):
    output, _ = only(name)(sequences(batch=1).repeat(1, 6, 1), generator=generator())
    assert len(output[0].unique(dim=0)) == 6


@pytest.mark.parametrize("name", ["weight_ih", "z_input", "z_gates", "z_hidden"])
def test_noise_is_shared_by_all_time_steps(name):
    """Without recurrence and memory, equal inputs at any step give equal outputs."""
    lstm = only(name)
    with torch.no_grad():
        lstm.weight_hh.mean.zero_()
        lstm.bias[HIDDEN : 2 * HIDDEN] = -1e4  # nothing is remembered
    output, _ = lstm(sequences(steps=1).repeat(6, 1, 1), generator=generator())
    torch.testing.assert_close(output, output[:1].expand_as(output))


def test_one_sample_of_all_noise_is_the_lstm_with_that_sample():
    """What the noise is, variable by variable, in the order in which it is drawn."""
    lstm, x = noisy(torch.float64), sequences(dtype=torch.float64)
    output, _ = lstm(x, generator=generator(6))
    same = generator(6)
    z_input = lstm.z_input(same, samples=BATCH)
    w, u = lstm.weight_ih(same), lstm.weight_hh(same)
    z_gates, z_hidden = lstm.z_gates(same, samples=BATCH), lstm.z_hidden(same, samples=BATCH)
    h = c = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    for t in range(STEPS):
        a = ((x[t] * z_input) @ w.t() + h @ u.t()) * z_gates + lstm.bias
        i, f, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c) * z_hidden
        torch.testing.assert_close(output[t], h)


@pytest.mark.parametrize("gate_activation", ["sigmoid", "hard_sigmoid"])
def test_pruned_gate_becomes_constant(gate_activation):
    """The bias comes after the group variable: an input gate that is pruned is act(bias)."""
    lstm = LSTM(
        INPUTS, HIDDEN, prior="D", neurons_prior="C", gate_activation=gate_activation,
        generator=generator(),
    ).eval()  # fmt: skip
    with torch.no_grad():
        lstm.z_gates.log_sigma[:HIDDEN] = 9.0
        lstm.bias[:HIDDEN] = 0.5
    x = sequences(steps=1)
    _, (_, c) = lstm(x)
    g = torch.tanh(x[0] @ lstm.weight_ih.mean[2 * HIDDEN : 3 * HIDDEN].t())
    gate = 0.6 if gate_activation == "hard_sigmoid" else 1 / (1 + math.exp(-0.5))
    torch.testing.assert_close(c[0], gate * g)


def test_pruned_neurons_output_zero():
    lstm = LSTM(INPUTS, HIDDEN, prior="D", gates_prior="C", generator=generator()).eval()
    with torch.no_grad():
        lstm.z_hidden.log_sigma[1] = 9.0
    output, _ = lstm(sequences())
    assert (output[..., 1] == 0).all()
    assert (output[..., 0] != 0).all()


def test_initial_values_are_those_of_the_papers():
    lstm = LSTM(30, 20, generator=generator())
    limit = math.sqrt(6 / 50)
    assert 0.95 * limit < lstm.weight_ih.mean.abs().max() <= limit
    for u in lstm.weight_hh.mean.detach().chunk(4):
        torch.testing.assert_close(u @ u.t(), 1.21 * torch.eye(20), atol=1e-5, rtol=0)
    assert lstm.bias.view(4, 20).mean(1).tolist() == [0, 1, 0, 0]
    for z in (lstm.z_input, lstm.z_hidden, lstm.z_gates):
        assert (z.mean == 1).all()
    assert (lstm.input_size, lstm.hidden_size) == (30, 20)


def test_it_prints_its_size():
    assert repr(noisy()).startswith("LSTM(\n  3, 4, gate_activation='sigmoid'")
