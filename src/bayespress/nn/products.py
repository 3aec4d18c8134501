"""The products around a recurrence whose cost grows with the number of tokens, and their gradients.

Each has two forms that give the same numbers up to rounding: compiled kernels, and torch's own.
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor, nn

from bayespress import kernels
from bayespress.nn.tokens import Pairs

_LEAST_ROWS = 64  # fewer are not worth a thread


def linear(input: Tensor, weight: Tensor, *, bfloat16: bool = False) -> Tensor:  # noqa: A002 - torch.nn's name
    """Multiply ``(rows, features)`` by ``(outputs, features)`` transposed.

    With `bfloat16`, both are rounded to it first, and so is the gradient of the result.
    """
    if bfloat16:
        rounded: Tensor = _BFloat16Linear.apply(input, weight)  # type: ignore[no-untyped-call]
        return rounded
    if kernels.library(input, weight) is None:
        return nn.functional.linear(input, weight)
    product: Tensor = _Linear.apply(input, weight)  # type: ignore[no-untyped-call]
    return product


def scale_pairs(
    vectors: Tensor, pairs: Pairs, z_vocab: Tensor | None, z_input: Tensor | None
) -> Tensor:
    r"""Give every (sequence s, word w) pair its vector :math:`x_w z_{vocab} \cdot z_{input, s}`.

    Parameters
    ----------
    vectors
        Shape ``(words, size)``.
    pairs
        Which vector and which sequence a row of the result belongs to.
    z_vocab
        Shape ``(pairs,)``; None is 1.
    z_input
        Shape ``(batch, size)``; None is 1.
    """
    if kernels.library(vectors, z_vocab, z_input) is not None:
        rows: Tensor = _ScalePairs.apply(vectors, pairs, z_vocab, z_input)  # type: ignore[no-untyped-call]
        return rows
    rows = vectors.index_select(0, pairs.word)
    if z_vocab is not None:
        rows = rows * z_vocab.unsqueeze(1)
    if z_input is not None:
        rows = rows * z_input.index_select(0, pairs.sequence)
    return rows


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor) -> Tensor:  # noqa: A002
        input, weight = input.contiguous(), weight.contiguous()  # noqa: A001
        ctx.save_for_backward(input, weight)
        return _product(input, weight.t())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, weight = ctx.saved_tensors  # noqa: A001
        grad = grad.contiguous()
        d_input = _product(grad, weight) if ctx.needs_input_grad[0] else None
        return d_input, _outer(grad, input) if ctx.needs_input_grad[1] else None


class _BFloat16Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor) -> Tensor:  # noqa: A002
        rounded = input.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(*rounded)
        ctx.dtype = input.dtype
        return (rounded[0] @ rounded[1].t()).to(input.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        input, weight = ctx.saved_tensors  # noqa: A001
        grad = grad.bfloat16()
        d_input = (grad @ weight).to(ctx.dtype) if ctx.needs_input_grad[0] else None
        return d_input, (grad.t() @ input).to(ctx.dtype) if ctx.needs_input_grad[1] else None


def _product(a: Tensor, b: Tensor) -> Tensor:
    """Multiply contiguous `a` by `b`, of any strides."""
    code = kernels.needed(a, b)
    (rows, inner), columns = a.shape, b.shape[1]
    packed, out = a.new_empty(code.packed_size(inner, columns)), a.new_empty(rows, columns)
    code.pack(inner, columns, b.data_ptr(), *b.stride(), packed.data_ptr())
    addresses = [kernels.address(tensor) for tensor in (a, packed, out)]
    kernels.run(
        lambda _, part: code.gemm(inner, columns, *addresses, *part),
        kernels.ranges(rows, _LEAST_ROWS),
    )
    return out


def _outer(a: Tensor, b: Tensor) -> Tensor:
    """Multiply contiguous `a` transposed by contiguous `b`."""
    code = kernels.needed(a, b)
    rows, columns = a.shape[1], b.shape[1]
    parts = kernels.ranges(len(a), 8 * _LEAST_ROWS)
    out = a.new_zeros(len(parts), rows, columns)
    kernels.run(
        lambda k, part: code.gemm_outer(
            rows, columns, a.data_ptr(), b.data_ptr(), out[k].data_ptr(), *part
        ),
        parts,
    )
    return out[0] if len(parts) == 1 else out.sum(0)


class _ScalePairs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, pairs: Pairs, z_vocab: Tensor | None, z_input: Tensor | None
    ) -> Tensor:
        word, sequence = pairs.word.int(), pairs.sequence.int()
        kept = (vectors.contiguous(), _contiguous(z_vocab), _contiguous(z_input))
        ctx.save_for_backward(*kept, word, sequence)
        ctx.batch = pairs.batch
        out = vectors.new_empty(len(word), vectors.shape[1])
        code, rows = kernels.needed(vectors), _rows(kept, word, sequence)
        kernels.run(
            lambda _, part: code.rows_forward(ctypes.byref(rows), out.data_ptr(), *part),
            kernels.ranges(len(word), _LEAST_ROWS),
        )
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        vectors, z_vocab, z_input, word, sequence = ctx.saved_tensors
        rows, grad = _rows((vectors, z_vocab, z_input), word, sequence), grad.contiguous()
        d_vectors = _vector_gradient(rows, grad, word, vectors) if ctx.needs_input_grad[0] else None
        d_z_vocab = torch.empty_like(z_vocab) if ctx.needs_input_grad[2] else None
        d_z_input = torch.zeros_like(z_input) if ctx.needs_input_grad[3] else None
        if d_z_vocab is not None or d_z_input is not None:
            code = kernels.needed(grad)
            addresses = [kernels.address(tensor) for tensor in (grad, d_z_vocab, d_z_input)]
            # Threads add to the gradient of their own sequences: parts end where a sequence does.
            first = torch.searchsorted(sequence, torch.arange(ctx.batch + 1, dtype=torch.int32))
            kernels.run(
                lambda _, part: code.rows_backward_z(
                    ctypes.byref(rows), *addresses, int(first[part[0]]), int(first[part[1]])
                ),
                kernels.ranges(ctx.batch),
            )
        return d_vectors, None, d_z_vocab, d_z_input


def _rows(kept: tuple[Any, Any, Any], word: Tensor, sequence: Tensor) -> kernels.Rows:
    vectors, z_vocab, z_input = kept
    pointers = (vectors, word, sequence, z_vocab, z_input)
    return kernels.Rows(vectors.shape[1], *(kernels.address(tensor) for tensor in pointers))


def _contiguous(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _vector_gradient(rows: kernels.Rows, grad: Tensor, word: Tensor, like: Tensor) -> Tensor:
    code, out = kernels.needed(grad), torch.empty_like(like)
    order = torch.argsort(word, stable=True).int()
    begin = torch.zeros(len(like) + 1, dtype=torch.int32)
    begin[1:] = torch.bincount(word, minlength=len(like)).cumsum(0)
    addresses = [kernels.address(tensor) for tensor in (grad, order, begin, out)]
    kernels.run(
        lambda _, part: code.rows_backward_vectors(ctypes.byref(rows), *addresses, *part),
        kernels.ranges(len(like), _LEAST_ROWS),
    )
    return out
