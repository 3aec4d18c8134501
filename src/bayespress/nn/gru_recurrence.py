r"""The recurrent part of a GRU over all time steps, with its gradient written out by hand.

One step, all products element-wise but :math:`h U^\top`, with p the input projections and q the
recurrent ones, each in three parts r, u, n:

.. math::
    q &= h_{t-1} U^\top, \quad r, u = \sigma((p + q) z + b) \\
    n &= \tanh(p_n z_n + b_n + r (q_n z_n + b'_n)), \quad
    h_t = (1 - u)\, n\, z_{hidden} + u\, h_{t-1}
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bayespress import kernels
from bayespress.nn.compiled import sum_as
from bayespress.nn.gru_compiled import CompiledGru
from bayespress.nn.recurrence import carry_factors, hard_sigmoid

GATES = 3
"""Gate preactivations of a neuron, in the order reset, update, new (PyTorch's)."""


def run_gru(
    projection: Tensor,
    row: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
    hidden_bias: Tensor,
    z_gates: Tensor,
    z_hidden: Tensor,
    state: Tensor,
    mask: Tensor | None = None,
    *,
    hard: bool = False,
    shared: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run all time steps.

    Parameters
    ----------
    projection
        Input projections x W', shape ``(rows, 3 H)``, before the group variables.
    row
        Which of the projections each token reads, shape ``(time, batch)``.
    weight_hh
        Recurrent weights U, shape ``(3 H, H)``.
    bias, hidden_bias
        Shapes ``(3 H,)`` and ``(H,)``; they come after the group variables.
    z_gates, z_hidden
        Group variables, shapes ``(batch or 1, 3 H)`` and ``(batch or 1, H)``.
    state
        h before the first step, shape ``(batch, H)``.
    mask
        True where a step is real, shape ``(time, batch)``; other steps carry h over.
    hard
        Whether r and u use the hard sigmoid.
    shared
        Whether different sequences may read the same projection.

    Returns
    -------
    output, h
        h of every step, shape ``(time, batch, H)``, and the last one.
    """
    tensors = (weight_hh, bias, hidden_bias, z_gates, z_hidden, state)
    if kernels.library(projection, *tensors) is not None:
        output, h = CompiledGru.apply(  # type: ignore[no-untyped-call]
            projection, *tensors, row, mask, hard, shared
        )
    else:
        steps = projection.index_select(0, row.flatten()).view(*row.shape, projection.shape[1])
        output, h = _Recurrence.apply(steps, *tensors, mask, hard)  # type: ignore[no-untyped-call]
    return output, h


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        projection: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        hidden_bias: Tensor,
        z_gates: Tensor,
        z_hidden: Tensor,
        h: Tensor,
        mask: Tensor | None,
        hard: bool,
    ) -> tuple[Tensor, Tensor]:
        size, carry, h0 = h.shape[1], carry_factors(mask, projection), h
        raw, gates = torch.empty_like(projection), torch.empty_like(projection)
        outputs = projection.new_empty(*projection.shape[:2], size)
        for t, inputs in enumerate(projection):
            torch.mm(h, weight_hh.t(), out=raw[t])
            switches = (inputs + raw[t])[:, : 2 * size] * z_gates[:, : 2 * size] + bias[: 2 * size]
            r, u = _activate(switches, hard=hard).chunk(2, dim=1)
            inner = torch.addcmul(hidden_bias, raw[t, :, 2 * size :], z_gates[:, 2 * size :])
            outer = torch.addcmul(bias[2 * size :], inputs[:, 2 * size :], z_gates[:, 2 * size :])
            n = torch.tanh(torch.addcmul(outer, r, inner))
            new_h = torch.lerp(n * z_hidden, h, u)
            m = carry[t]
            h = new_h if m is None else torch.lerp(h, new_h, m)
            gates[t], outputs[t] = torch.cat([r, u, n], dim=1), h
        ctx.save_for_backward(
            projection, weight_hh, hidden_bias, z_gates, z_hidden, h0, raw, gates, outputs
        )
        ctx.carry, ctx.hard = carry, hard
        return outputs, h.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        projection, weight_hh, hidden_bias, z_gates, z_hidden, h0, raw, gates, outputs = (
            ctx.saved_tensors
        )
        (d_outputs, dh), size = grads, h0.shape[1]
        z_new = z_gates[:, 2 * size :]
        # Of the preactivations: with the input part of n, and with its recurrent part.
        d_in, d_back = torch.empty_like(projection), torch.empty_like(projection)
        d_z_hidden = torch.zeros_like(h0)
        for t in reversed(range(len(gates))):
            dh = dh + d_outputs[t]
            m = ctx.carry[t]
            new_dh, carried = (dh, None) if m is None else (dh * m, dh - dh * m)
            r, u, n = gates[t].chunk(GATES, dim=1)
            inner = torch.addcmul(hidden_bias, raw[t, :, 2 * size :], z_new)
            d_new = new_dh * (1 - u)
            d_z_hidden.addcmul_(d_new, n)
            d_n = d_new * z_hidden * (1 - n.square())
            d_u = new_dh * ((outputs[t - 1] if t else h0) - n * z_hidden)
            slope = _slope(gates[t, :, : 2 * size], hard=ctx.hard)
            switches = torch.cat([d_n * inner, d_u], dim=1) * slope
            torch.cat([switches, d_n], dim=1, out=d_in[t])
            torch.cat([switches, d_n * r], dim=1, out=d_back[t])
            dh = torch.addmm(new_dh * u, d_back[t] * z_gates, weight_hh)
            if carried is not None:
                dh = dh + carried
        previous = torch.cat([h0.unsqueeze(0), outputs])[: len(outputs)]
        d_weight = (d_back * z_gates).flatten(0, 1).t() @ previous.flatten(0, 1)
        needs = ctx.needs_input_grad
        d_z_gates = (d_in * projection + d_back * raw).sum(0) if needs[4] else None
        return (
            d_in * z_gates,
            d_weight,
            d_in.sum((0, 1)),
            d_back[..., 2 * size :].sum((0, 1)),
            sum_as(d_z_gates, z_gates),
            sum_as(d_z_hidden, z_hidden),
            dh,
            None,
            None,
        )


def _activate(preactivation: Tensor, *, hard: bool) -> Tensor:
    return hard_sigmoid(preactivation) if hard else torch.sigmoid(preactivation)


def _slope(gates: Tensor, *, hard: bool) -> Tensor:
    """Differentiate the gates' activation, given its results."""
    if hard:
        return 0.2 * ((gates > 0) & (gates < 1)).to(gates.dtype)
    return gates * (1 - gates)
