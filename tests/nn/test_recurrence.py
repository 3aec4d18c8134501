"""The gradient that is written out by hand is the one that autograd finds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.nn.recurrence import activate, activation_slope, hard_sigmoid, run_lstm

STEPS, BATCH, HIDDEN = 5, 3, 2
MASKS = {
    "none": None,
    "left": [[0, 1, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [1, 1, 1]],
    "right": [[1, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 1]],
    "middle": [[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [1, 1, 1]],
    "whole sequence": [[0, 1, 1]] * 5,
    "everything": [[0, 0, 0]] * 5,
}
every_mask = pytest.mark.parametrize("padding", MASKS)
both_activations = pytest.mark.parametrize("hard", [False, True], ids=["sigmoid", "hard"])
shared_or_not = pytest.mark.parametrize("groups", [1, BATCH], ids=["shared z", "z per sequence"])


def reference(projection, weight_hh, bias, z_gates, z_hidden, h, c, mask, *, hard):
    """The same cell, step by step, for autograd."""
    outputs = []
    for t, p in enumerate(projection):
        a = (p + h @ weight_hh.t()) * z_gates + bias
        i, f, g, o = a.chunk(4, dim=1)
        gate = (lambda x: (0.2 * x + 0.5).clamp(0, 1)) if hard else torch.sigmoid
        new_c = gate(f) * c + gate(i) * torch.tanh(g)
        new_h = gate(o) * torch.tanh(new_c) * z_hidden
        real = torch.ones(len(h), 1) if mask is None else mask[t].unsqueeze(1)
        h, c = torch.where(real > 0, new_h, h), torch.where(real > 0, new_c, c)
        outputs.append(h)
    return torch.stack(outputs), h, c


def arguments(groups=BATCH, seed=0, steps=STEPS, batch=BATCH, hidden=HIDDEN):
    generator = torch.Generator().manual_seed(seed)
    shapes = [
        (steps, batch, 4 * hidden), (4 * hidden, hidden), (4 * hidden,), (groups, 4 * hidden),
        (groups, hidden), (batch, hidden), (batch, hidden),
    ]  # fmt: skip
    return [
        torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes
    ]


def mask_of(padding):
    return None if MASKS[padding] is None else torch.tensor(MASKS[padding]) > 0


def flat_run(*inputs, mask, hard):
    projection = inputs[0].flatten(0, 1)
    row = torch.arange(len(projection)).view(inputs[0].shape[:2])
    output, (h, c) = run_lstm(
        projection, row, *inputs[1:5], (inputs[5], inputs[6]), mask, hard=hard
    )
    return output, h, c


def check_equal_to_reference(inputs, mask, *, hard):
    actual = flat_run(*inputs, mask=mask, hard=hard)
    expected = reference(*inputs, mask, hard=hard)
    torch.testing.assert_close(actual, expected)
    generator = torch.Generator().manual_seed(9)
    loss = [torch.randn(e.shape, generator=generator, dtype=e.dtype) for e in expected]
    torch.testing.assert_close(
        torch.autograd.grad(actual, inputs, loss),
        torch.autograd.grad(expected, inputs, loss, materialize_grads=True),
    )


@every_mask
@both_activations
@shared_or_not
def test_results_and_gradients_equal_those_of_autograd(padding, hard, groups):
    check_equal_to_reference(arguments(groups), mask_of(padding), hard=hard)


@settings(max_examples=40)
@given(
    steps=st.integers(1, 6),
    batch=st.integers(1, 4),
    hidden=st.integers(1, 4),
    hard=st.booleans(),
    shared=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_any_size_and_any_mask_equal_autograd(steps, batch, hidden, hard, shared, seed):
    inputs = arguments(1 if shared else batch, seed, steps, batch, hidden)
    mask = torch.rand(steps, batch, generator=torch.Generator().manual_seed(seed)) < 0.6
    check_equal_to_reference(inputs, mask, hard=hard)


@every_mask
@both_activations
@shared_or_not
def test_gradients_equal_finite_differences(padding, hard, groups):
    mask = mask_of(padding)
    assert torch.autograd.gradcheck(
        lambda *inputs: flat_run(*inputs, mask=mask, hard=hard), arguments(groups, seed=3)
    )


@both_activations
def test_the_last_state_alone_may_be_used(hard):
    inputs = arguments()
    for which in (0, 1, 2):
        actual = flat_run(*inputs, mask=None, hard=hard)[which].sum()
        expected = reference(*inputs, None, hard=hard)[which].sum()
        torch.testing.assert_close(
            torch.autograd.grad(actual, inputs), torch.autograd.grad(expected, inputs)
        )


def test_group_variables_that_are_constant_get_no_gradient():
    inputs = arguments(1)
    inputs[3], inputs[4] = (torch.ones_like(z, requires_grad=False) for z in inputs[3:5])
    sum(x.sum() for x in flat_run(*inputs, mask=None, hard=True)).backward()
    assert inputs[3].grad is None
    assert inputs[4].grad is None
    assert all(x.grad is not None for k, x in enumerate(inputs) if k not in (3, 4))


def test_hidden_size_zero_is_no_mistake():
    output, h, c = flat_run(*arguments(hidden=0), mask=mask_of("left"), hard=True)
    assert output.shape == (STEPS, BATCH, 0)
    assert h.shape == c.shape == (BATCH, 0)


def test_a_padded_step_carries_the_state_over_bit_for_bit():
    inputs = arguments()
    output, h, _ = flat_run(*inputs, mask=mask_of("right"), hard=False)
    assert torch.equal(output[3, 0], output[2, 0])
    assert torch.equal(h[0], output[2, 0])
    output, _, _ = flat_run(*inputs, mask=mask_of("left"), hard=False)
    assert torch.equal(output[0, 0], inputs[5][0])


def test_hard_sigmoid_is_the_papers():
    x = torch.tensor([-9.0, -2.5, 0.0, 1.0, 2.5, 9.0])
    torch.testing.assert_close(hard_sigmoid(x), torch.tensor([0.0, 0.0, 0.5, 0.7, 1.0, 1.0]))


@both_activations
def test_the_slope_is_the_derivative_of_the_activation(hard):
    a = torch.linspace(-4, 4, 16, dtype=torch.float64).view(2, 8)
    up, down = (activate(a + step, hard=hard) for step in (1e-6, -1e-6))
    slope = activation_slope(activate(a, hard=hard), hard=hard)
    torch.testing.assert_close(slope, (up - down) / 2e-6, atol=1e-8, rtol=1e-6)
