"""A GRU's recurrence by compiled kernels: the maths of :mod:`bayespress.nn.gru_recurrence`."""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from bayespress import kernels
from bayespress.nn.compiled import LEAST_SEQUENCES, sum_as


class CompiledGru(torch.autograd.Function):
    """All time steps of a GRU; threads divide the sequences among themselves."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        projection: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        hidden_bias: Tensor,
        z_gates: Tensor,
        z_hidden: Tensor,
        h: Tensor,
        row: Tensor,
        mask: Tensor | None,
        hard: bool,
        shared: bool,
    ) -> tuple[Tensor, Tensor]:
        given = (projection, weight_hh, bias, hidden_bias, z_gates, z_hidden, h)
        inputs = [tensor.contiguous() for tensor in given]
        (steps, batch), hidden = row.shape, weight_hh.shape[1]
        raw = projection.new_empty(steps, batch, 3 * hidden)
        outputs = projection.new_empty(steps, batch, hidden)
        real = None if mask is None or bool(mask.all()) else mask.byte().contiguous()
        saved = (*inputs, row.int().contiguous(), real, raw, outputs)
        ctx.save_for_backward(*saved)
        ctx.set_materialize_grads(False)
        ctx.hard, ctx.shared = hard, shared
        arrays, code = _arrays(saved, hard=hard), kernels.needed(projection)
        kernels.run(
            lambda _, part: code.gru_forward(ctypes.byref(arrays), *part),
            kernels.ranges(batch, LEAST_SEQUENCES),
        )
        return outputs, (outputs[-1] if steps else h).clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:  # noqa: D102
        saved = ctx.saved_tensors
        projection, weight_hh, bias, hidden_bias, z_gates, z_hidden, h0 = saved[:7]
        d_outputs, d_h = (None if g is None else g.contiguous() for g in grads)
        parts = kernels.ranges(len(h0), LEAST_SEQUENCES)
        dh = torch.zeros_like(h0) if d_h is None else d_h.clone()
        needs = ctx.needs_input_grad
        d_z_gates = h0.new_zeros(len(h0), len(bias)) if needs[4] else None
        d_z_hidden = torch.zeros_like(h0) if needs[5] else None
        copies = len(parts) if ctx.shared else 1
        d_projection = projection.new_zeros(copies, *projection.shape)
        # A sum for each thread, of the weights and both biases.
        sums = [like.new_zeros(len(parts), *like.shape) for like in (weight_hh, bias, hidden_bias)]
        gradients = [
            kernels.GruGradients(
                *map(kernels.address, (d_outputs, dh, d_z_gates, d_z_hidden)),
                d_projection[k % copies].data_ptr(),
                *(total[k].data_ptr() for total in sums),
            )
            for k in range(len(parts))
        ]
        arrays, code = _arrays(saved, hard=ctx.hard), kernels.needed(projection)
        kernels.run(
            lambda k, part: code.gru_backward(
                ctypes.byref(arrays), ctypes.byref(gradients[k]), *part
            ),
            parts,
        )
        return (
            d_projection[0] if copies == 1 else d_projection.sum(0),
            *(total.sum(0) for total in sums),
            sum_as(d_z_gates, z_gates),
            sum_as(d_z_hidden, z_hidden),
            dh,
            *(None,) * 4,
        )


def _arrays(saved: tuple[Any, ...], *, hard: bool) -> kernels.GruRecurrence:
    projection, weight_hh, bias, hidden_bias, z_gates, z_hidden, h0, row, real, raw, outputs = saved
    steps, batch, hidden = outputs.shape
    pointers = (
        projection, row, real, weight_hh, bias, hidden_bias, z_gates, z_hidden, h0, raw, outputs,
    )  # fmt: skip
    return kernels.GruRecurrence(
        steps,
        batch,
        hidden,
        int(hard),
        0 if len(z_gates) == 1 else z_gates.shape[1],
        0 if len(z_hidden) == 1 else z_hidden.shape[1],
        *(kernels.address(tensor) for tensor in pointers),
    )
