"""The recurrence by compiled kernels: the same maths as in :mod:`bayespress.nn.recurrence`."""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from bayespress import kernels

LEAST_SEQUENCES = 8  # fewer are not worth a thread


class CompiledRecurrence(torch.autograd.Function):
    """All time steps of an LSTM; threads divide the sequences among themselves."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        projection: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        z_gates: Tensor,
        z_hidden: Tensor,
        h: Tensor,
        c: Tensor,
        row: Tensor,
        mask: Tensor | None,
        hard: bool,
        shared: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        inputs = [t.contiguous() for t in (projection, weight_hh, bias, z_gates, z_hidden, h, c)]
        (steps, batch), hidden = row.shape, weight_hh.shape[1]
        raw = projection.new_empty(steps, batch, 4 * hidden)
        outputs, cells = projection.new_empty(2, steps, batch, hidden)
        row = row.int().contiguous()
        real = None if mask is None or bool(mask.all()) else mask.byte().contiguous()
        saved = (*inputs, row, real, raw, outputs, cells)
        ctx.save_for_backward(*saved)
        ctx.set_materialize_grads(False)
        ctx.hard, ctx.shared = hard, shared
        arrays = _arrays(saved, hard=hard)
        code = kernels.needed(projection)
        kernels.run(
            lambda _, part: code.lstm_forward(ctypes.byref(arrays), *part),
            kernels.ranges(batch, LEAST_SEQUENCES),
        )
        last = (outputs[-1], cells[-1]) if steps else (h, c)
        return outputs, last[0].clone(), last[1].clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:  # noqa: D102
        saved = ctx.saved_tensors
        projection, weight_hh, bias, z_gates, z_hidden, h0, c0 = saved[:7]
        d_outputs, d_h, d_c = (None if g is None else g.contiguous() for g in grads)
        parts = kernels.ranges(len(h0), LEAST_SEQUENCES)
        workers = range(len(parts))
        dh = torch.zeros_like(h0) if d_h is None else d_h.clone()
        dc = torch.zeros_like(c0) if d_c is None else d_c.clone()
        batch, width = len(h0), bias.shape[0]
        d_z_gates = h0.new_zeros(batch, width) if ctx.needs_input_grad[3] else None
        d_z_hidden = torch.zeros_like(h0) if ctx.needs_input_grad[4] else None
        copies = len(parts) if ctx.shared else 1
        d_projection = projection.new_zeros(copies, *projection.shape)
        d_weight = weight_hh.new_zeros(len(parts), *weight_hh.shape)
        d_bias = bias.new_zeros(len(parts), *bias.shape)
        gradients = [
            kernels.Gradients(
                *map(kernels.address, (d_outputs, dh, dc, d_z_gates, d_z_hidden)),
                *(t.data_ptr() for t in (d_projection[k % copies], d_weight[k], d_bias[k])),
            )
            for k in workers
        ]
        arrays, code = _arrays(saved, hard=ctx.hard), kernels.needed(projection)
        kernels.run(
            lambda k, part: code.lstm_backward(
                ctypes.byref(arrays), ctypes.byref(gradients[k]), *part
            ),
            parts,
        )
        return (
            d_projection[0] if copies == 1 else d_projection.sum(0),
            d_weight.sum(0),
            d_bias.sum(0),
            sum_as(d_z_gates, z_gates),
            sum_as(d_z_hidden, z_hidden),
            dh,
            dc,
            None,
            None,
            None,
            None,
        )


def _arrays(saved: tuple[Any, ...], *, hard: bool) -> kernels.Recurrence:
    projection, weight_hh, bias, z_gates, z_hidden, h0, c0, row, real, raw, outputs, cells = saved
    steps, batch, hidden = outputs.shape
    pointers = (
        projection, row, real, weight_hh, bias, z_gates, z_hidden, h0, c0, raw, outputs, cells,
    )  # fmt: skip
    return kernels.Recurrence(
        steps,
        batch,
        hidden,
        int(hard),
        0 if len(z_gates) == 1 else z_gates.shape[1],
        0 if len(z_hidden) == 1 else z_hidden.shape[1],
        *(kernels.address(tensor) for tensor in pointers),
    )


def sum_as(grad: Tensor | None, variable: Tensor) -> Tensor | None:
    """Sum a per-sequence gradient over the batch where all sequences shared the variable."""
    if grad is None or len(variable) == len(grad):
        return grad
    return grad.sum(0, keepdim=True)
