r"""The recurrent part of an LSTM over all time steps, with its gradient written out by hand.

One step, all products element-wise but :math:`h U^\top`:

.. math::
    a &= (p_t + h_{t-1} U^\top) z_{gates} + b \\
    c_t &= f c_{t-1} + i g, \quad h_t = o \tanh(c_t) z_{hidden}

with p the input projections, and i, f, g, o the activated quarters of a. Writing the gradient out
lets one matrix product after the loop do what autograd would do at every step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bayespress import kernels
from bayespress.nn.compiled import CompiledRecurrence, sum_as

GATES = 4
"""Gate preactivations of a neuron, in the order i, f, g, o (PyTorch's)."""

State = tuple[Tensor, Tensor]


def hard_sigmoid(x: Tensor) -> Tensor:
    """clip(0.2 x + 0.5, 0, 1), element-wise."""
    return (0.2 * x + 0.5).clamp(0, 1)


def activate(preactivation: Tensor, *, hard: bool) -> Tensor:
    """Apply the gates' activations: sigmoid or hard sigmoid for i, f, o and tanh for g.

    `preactivation` has shape ``(batch, 4 H)``.
    """
    hidden = preactivation.shape[1] // GATES
    gates = hard_sigmoid(preactivation) if hard else torch.sigmoid(preactivation)
    cell = slice(2 * hidden, 3 * hidden)
    gates[:, cell] = torch.tanh(preactivation[:, cell])
    return gates


def activation_slope(gates: Tensor, *, hard: bool) -> Tensor:
    """Differentiate :func:`activate`, given its results, of shape ``(…, 4 H)``."""
    hidden = gates.shape[-1] // GATES
    inside = (gates > 0) & (gates < 1)
    slope = 0.2 * inside.to(gates.dtype) if hard else gates * (1 - gates)
    cell = slice(2 * hidden, 3 * hidden)
    slope[..., cell] = 1 - gates[..., cell].square()
    return slope


def run_lstm(
    projection: Tensor,
    row: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
    z_gates: Tensor,
    z_hidden: Tensor,
    state: State,
    mask: Tensor | None = None,
    *,
    hard: bool = False,
    shared: bool = False,
) -> tuple[Tensor, State]:
    """Run all time steps.

    Parameters
    ----------
    projection
        Input projections x W', shape ``(rows, 4 H)``, before the group variables.
    row
        Which of the projections each token reads, shape ``(time, batch)``.
    weight_hh
        Recurrent weights U, shape ``(4 H, H)``.
    bias
        Shape ``(4 H,)``; comes after the group variables.
    z_gates, z_hidden
        Group variables, shapes ``(batch or 1, 4 H)`` and ``(batch or 1, H)``.
    state
        h and c before the first step, each of shape ``(batch, H)``.
    mask
        True where a step is real, shape ``(time, batch)``; other steps carry h and c over.
    hard
        Whether i, f and o use the hard sigmoid.
    shared
        Whether different sequences may read the same projection.

    Returns
    -------
    output, (h, c)
        h of every step, shape ``(time, batch, H)``, and the last state.
    """
    tensors = (weight_hh, bias, z_gates, z_hidden, *state)
    if kernels.library(projection, *tensors) is not None:
        output, h, c = CompiledRecurrence.apply(  # type: ignore[no-untyped-call]
            projection, *tensors, row, mask, hard, shared
        )
    else:
        steps = projection.index_select(0, row.flatten()).view(*row.shape, projection.shape[1])
        output, h, c = _Recurrence.apply(steps, *tensors, mask, hard)  # type: ignore[no-untyped-call]
    return output, (h, c)


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        projection: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        z_gates: Tensor,
        z_hidden: Tensor,
        h: Tensor,
        c: Tensor,
        mask: Tensor | None,
        hard: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        steps, batch, width = projection.shape
        outputs, cells, squashed = projection.new_empty((3, steps, batch, width // GATES))
        raw, gates = torch.empty_like(projection), torch.empty_like(projection)
        carry = carry_factors(mask, projection)
        initial = (h, c)
        for t in range(steps):
            torch.addmm(projection[t], h, weight_hh.t(), out=raw[t])
            gates[t] = activate(torch.addcmul(bias, raw[t], z_gates), hard=hard)
            i, f, g, o = gates[t].chunk(GATES, dim=1)
            new_c = torch.addcmul(f * c, i, g)
            new_h = o * torch.tanh(new_c, out=squashed[t]) * z_hidden
            m = carry[t]
            h = new_h if m is None else torch.lerp(h, new_h, m)
            c = new_c if m is None else torch.lerp(c, new_c, m)
            outputs[t], cells[t] = h, c
        ctx.save_for_backward(
            weight_hh, z_gates, z_hidden, *initial, raw, gates, cells, squashed, outputs
        )
        ctx.carry, ctx.hard = carry, hard
        return outputs, h.clone(), c.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weight_hh, z_gates, z_hidden, h0, c0, raw, gates, cells, squashed, outputs = (
            ctx.saved_tensors
        )
        d_outputs, dh, dc = grads
        d_act = activation_slope(gates, hard=ctx.hard)  # becomes the gradient of a, in place
        d_raw = torch.empty_like(d_act)
        d_z_hidden = torch.zeros_like(h0)
        for t in reversed(range(len(gates))):
            dh = dh + d_outputs[t]
            m = ctx.carry[t]
            new_dh, new_dc = (dh, dc) if m is None else (dh * m, dc * m)
            carried = None if m is None else (dh - new_dh, dc - new_dc)
            i, f, g, o = gates[t].chunk(GATES, dim=1)
            d_z_hidden.addcmul_(new_dh, o * squashed[t])
            new_dh = new_dh * z_hidden
            d_tanh = new_dh * o
            new_dc = new_dc + torch.addcmul(d_tanh, d_tanh * squashed[t], squashed[t], value=-1)
            d_i, d_f, d_g, d_o = d_act[t].chunk(GATES, dim=1)
            d_i.mul_(new_dc * g)
            d_f.mul_(new_dc * (cells[t - 1] if t else c0))
            d_g.mul_(new_dc * i)
            d_o.mul_(new_dh * squashed[t])
            torch.mul(d_act[t], z_gates, out=d_raw[t])
            dh, dc = d_raw[t] @ weight_hh, new_dc * f
            if carried is not None:
                dh, dc = dh + carried[0], dc + carried[1]
        previous = torch.cat([h0.unsqueeze(0), outputs])[: len(outputs)]
        d_weight = d_raw.flatten(0, 1).t() @ previous.flatten(0, 1)
        d_z_gates = (d_act * raw).sum(0) if ctx.needs_input_grad[3] else None
        return (
            d_raw,
            d_weight,
            d_act.sum((0, 1)),
            sum_as(d_z_gates, z_gates),
            sum_as(d_z_hidden, z_hidden),
            dh,
            dc,
            None,
            None,
        )


def carry_factors(mask: Tensor | None, like: Tensor) -> list[Tensor | None]:
    """Per step: 1 where it is real and 0 where not, shape ``(batch, 1)``; None if all are real."""
    if mask is None:
        return [None] * len(like)
    whole = mask.all(dim=1).tolist()
    factors = mask.to(like.dtype).unsqueeze(2)
    return [None if w else factor for w, factor in zip(whole, factors, strict=True)]
