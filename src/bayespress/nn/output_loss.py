"""The loss of a linear layer under a softmax over many outputs, without the outputs in memory."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import torch
from torch import Tensor, nn

from bayespress import kernels

_LEAST_ROWS = 32  # fewer are not worth a thread
_INNER = 512  # output.c's


def linear_cross_entropy(input: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:  # noqa: A002 - torch.nn's name
    r"""Mean cross-entropy of a softmax over :math:`x W^\top + b`.

    With compiled kernels, value and gradients come in one pass over a few rows at a time: the
    logits, which take more memory than all else where there are many outputs, are never kept.

    Parameters
    ----------
    input
        x, shape ``(rows, features)``.
    weight, bias
        Shapes ``(outputs, features)`` and ``(outputs,)``.
    target
        Numbers of the right outputs, shape ``(rows,)``.
    """
    if kernels.library(input, weight, bias) is None or not torch.is_grad_enabled():
        return nn.functional.cross_entropy(nn.functional.linear(input, weight, bias), target)
    loss: Tensor = _LinearCrossEntropy.apply(input, weight, bias, target)  # type: ignore[no-untyped-call]
    return loss


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor, target: Tensor) -> Tensor:  # noqa: A002
        code = kernels.needed(input, weight, bias)
        (rows, hidden), tokens = input.shape, len(weight)
        _check(target, tokens)
        input, weight, bias = input.contiguous(), weight.contiguous(), bias.contiguous()  # noqa: A001
        target, d_input = target.int().contiguous(), torch.empty_like(input)
        packed = input.new_empty(code.packed_size(hidden, tokens))
        packed_back = input.new_empty(code.packed_size(tokens, hidden))
        code.pack(hidden, tokens, weight.data_ptr(), 1, hidden, packed.data_ptr())
        kernels.run(
            lambda _, part: code.pack_back(
                tokens, hidden, weight.data_ptr(), packed_back.data_ptr(), *part
            ),
            kernels.ranges(math.ceil(tokens / _INNER)),
        )
        tensors = (input, target, packed, packed_back, bias)
        problem = kernels.OutputLoss(
            hidden, tokens, *map(kernels.address, tensors), 1 / rows, kernels.address(d_input)
        )
        parts = kernels.ranges(rows, _LEAST_ROWS)
        d_weight = input.new_zeros(len(parts), tokens, hidden)
        d_bias = input.new_zeros(len(parts), tokens)
        losses = kernels.run(
            lambda k, part: code.output_loss(
                ctypes.byref(problem), d_weight[k].data_ptr(), d_bias[k].data_ptr(), *part
            ),
            parts,
        )
        ctx.gradients = (d_input, _total(d_weight), _total(d_bias))
        return input.new_tensor(sum(losses))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gradients, ctx.gradients = ctx.gradients, None  # they are as large as the parameters
        if float(grad) != 1:
            for gradient in gradients:
                gradient.mul_(grad)
        return (*gradients, None)


def _check(target: Tensor, tokens: int) -> None:
    if len(target) and not 0 <= int(target.min()) <= int(target.max()) < tokens:
        raise IndexError(f"targets leave the range 0 … {tokens - 1}")


def _total(parts: Tensor) -> Tensor:
    return parts[0] if len(parts) == 1 else parts.sum(0)
