"""The GRU: torch's cell where there is no noise, and the gradient that autograd finds."""

import pytest
import torch
from torch import nn

from bayespress.nn import GRU, LSTM, Stack, pool
from bayespress.nn.gru_recurrence import run_gru
from tests.nn.test_recurrence import BATCH, HIDDEN, MASKS, STEPS, mask_of

every_mask = pytest.mark.parametrize("padding", MASKS)


def reference(projection, weight_hh, bias, hidden_bias, z_gates, z_hidden, h, mask, *, hard):
    """The same cell, step by step, for autograd."""
    outputs = []
    for t, p in enumerate(projection):
        (pr, pu, pn), (qr, qu, qn) = p.chunk(3, dim=1), (h @ weight_hh.t()).chunk(3, dim=1)
        (zr, zu, zn), (br, bu, bn) = z_gates.chunk(3, dim=1), bias.chunk(3)
        gate = (lambda x: (0.2 * x + 0.5).clamp(0, 1)) if hard else torch.sigmoid
        r, u = gate((pr + qr) * zr + br), gate((pu + qu) * zu + bu)
        n = torch.tanh(pn * zn + bn + r * (qn * zn + hidden_bias))
        new_h = (1 - u) * n * z_hidden + u * h
        real = torch.ones(len(h), 1) if mask is None else mask[t].unsqueeze(1)
        h = torch.where(real > 0, new_h, h)
        outputs.append(h)
    return torch.stack(outputs), h


def arguments(groups, seed=0):
    generator = torch.Generator().manual_seed(seed)
    wide = 3 * HIDDEN
    shapes = [
        (STEPS, BATCH, wide), (wide, HIDDEN), (wide,), (HIDDEN,), (groups, wide), (groups, HIDDEN),
        (BATCH, HIDDEN),
    ]  # fmt: skip
    return [
        torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes
    ]


def flat_run(*inputs, mask, hard):
    projection = inputs[0].flatten(0, 1)
    row = torch.arange(len(projection)).view(inputs[0].shape[:2])
    return run_gru(projection, row, *inputs[1:], mask, hard=hard)


@every_mask
@pytest.mark.parametrize("hard", [False, True], ids=["sigmoid", "hard"])
@pytest.mark.parametrize("groups", [1, BATCH], ids=["shared z", "z per sequence"])
def test_values_and_gradients_are_those_of_autograd(padding, hard, groups):
    inputs, mask = arguments(groups), mask_of(padding)
    ours = flat_run(*inputs, mask=mask, hard=hard)
    theirs = reference(*inputs, mask, hard=hard)
    loss = [torch.randn(one.shape, dtype=torch.float64) for one in theirs]
    gradients = [
        torch.autograd.grad(sum((a * b).sum() for a, b in zip(out, loss, strict=True)), inputs)
        for out in (ours, theirs)
    ]
    for one, other in zip([*ours, *gradients[0]], [*theirs, *gradients[1]], strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-10)


def test_a_frozen_network_is_torchs_gru():
    ours = GRU(3, 4, prior="D", neurons_prior="C", gates_prior="C").double()
    theirs = nn.GRU(3, 4).double()
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.weight_ih.mean)
        theirs.weight_hh_l0.copy_(ours.weight_hh.mean)
        ours.bias.normal_()
        ours.hidden_bias.normal_()
        theirs.bias_ih_l0.copy_(ours.bias)
        theirs.bias_hh_l0.zero_()
        theirs.bias_hh_l0[8:] = ours.hidden_bias
    x, h = torch.randn(6, 2, 3, dtype=torch.float64), torch.randn(1, 2, 4, dtype=torch.float64)
    for one, other in zip(ours(x, h), theirs(x, h), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_a_reversed_layer_reads_from_the_end_whatever_the_padding(kind):
    layer = kind(3, 4, reverse=True).eval()
    x = torch.randn(5, 2, 3)
    output, state = layer(x)
    forwards = kind(3, 4).eval()
    forwards.load_state_dict(layer.state_dict())
    torch.testing.assert_close(output, forwards(x.flip(0))[0].flip(0))
    padded = torch.cat([torch.randn(2, 2, 3), x, torch.randn(1, 2, 3)])
    mask = torch.tensor([0, 0, 1, 1, 1, 1, 1, 0]).bool()[:, None].expand(8, 2)
    again, last = layer(padded, mask=mask)
    torch.testing.assert_close(again[2:7], output)
    first = state[0] if kind is LSTM else state
    torch.testing.assert_close(last[0] if kind is LSTM else last, first)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(("layers", "directions"), [(1, 2), (2, 1), (3, 2)])
def test_a_frozen_stack_is_torchs(cell, layers, directions):
    theirs = (nn.LSTM if cell == "lstm" else nn.GRU)(
        3, 4, num_layers=layers, bidirectional=directions == 2
    )
    settings = {"prior": "D", "neurons_prior": "C", "gates_prior": "C"}
    ours = Stack(cell, 3, [[4] * directions] * layers, **settings)
    with torch.no_grad():
        for number, layer in enumerate(ours.nested()):
            for direction, one in enumerate(layer):
                end = f"l{number}{'_reverse' if direction else ''}"
                bias = getattr(theirs, f"bias_ih_{end}") + getattr(theirs, f"bias_hh_{end}")
                if cell == "gru":
                    bias[8:] = getattr(theirs, f"bias_ih_{end}")[8:]
                    one.hidden_bias.copy_(getattr(theirs, f"bias_hh_{end}")[8:])
                one.bias.copy_(bias)
                one.weight_ih.mean.copy_(getattr(theirs, f"weight_ih_{end}"))
                one.weight_hh.mean.copy_(getattr(theirs, f"weight_hh_{end}"))
    x = torch.randn(6, 2, 3)
    outputs, last = ours(x)
    expected, state = theirs(x)
    torch.testing.assert_close(torch.cat(outputs, dim=2), expected)
    h = state[0] if cell == "lstm" else state
    torch.testing.assert_close(torch.stack(last), h[-directions:])


@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_padding_does_not_change_what_is_pooled(pooling):
    stack = Stack("gru", 3, [[4, 4], [2, 2]]).eval()
    x = torch.randn(5, 1, 3)
    expected = pool(pooling, *stack(x))
    for before, after in ((3, 0), (0, 3), (2, 1)):
        padded = torch.cat([torch.randn(before, 1, 3), x, torch.randn(after, 1, 3)])
        mask = torch.tensor([0] * before + [1] * 5 + [0] * after).bool()[:, None]
        torch.testing.assert_close(pool(pooling, *stack(padded, mask), mask), expected)


@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_a_sequence_without_steps_is_pooled_to_zero(pooling):
    stack = Stack("lstm", 3, [[4, 4]]).eval()
    nothing = torch.zeros(2, 1, dtype=torch.bool)
    assert not pool(pooling, *stack(torch.randn(2, 1, 3), nothing), nothing).any()
    assert not pool(pooling, *stack(torch.randn(0, 1, 3))).any()


def test_dropout_is_between_layers_and_in_training_alone():
    stack = Stack("gru", 3, [[40], [2]], dropout=0.5, prior="D", neurons_prior="C", gates_prior="C")
    x, seed = torch.randn(4, 2, 3), torch.Generator()
    once, again, other = (
        stack(x, generator=seed.manual_seed(number))[0][0] for number in (1, 1, 2)
    )
    torch.testing.assert_close(once, again)
    assert not torch.allclose(once, other)
    stack.drops = False
    torch.testing.assert_close(stack(x)[0][0], stack.eval()(x)[0][0])
    stack.drops = True
    assert not torch.allclose(stack(x)[0][0], stack(x)[0][0])


@pytest.mark.parametrize(
    ("cell", "sizes", "message"),
    [
        ("rnn", [[1]], "cell must be one of lstm, gru, got 'rnn'"),
        ("gru", [], "each layer has one size or two"),
        ("gru", [[1, 1, 1]], "each layer has one size or two"),
    ],
)
def test_stacks_that_cannot_be_are_refused(cell, sizes, message):
    with pytest.raises(ValueError, match=message):
        Stack(cell, 3, sizes)


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match="pooling must be one of last, mean, max, got 'sum'"):
        pool("sum", [torch.zeros(1, 1, 1)], [torch.zeros(1, 1)])
