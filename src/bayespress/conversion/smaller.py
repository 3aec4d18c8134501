"""Give plain, smaller torch modules in place of variational ones that were pruned."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bayespress.conversion.plain import plain_linear, smaller_modules
from bayespress.conversion.twins import check_finite, replaced
from bayespress.conversion.wiring import Pattern
from bayespress.errors import ConversionError
from bayespress.nn import Linear

TOLERANCE = 1e-5
"""Largest difference to the masked model, relative to outputs, that is put down to rounding."""


def shrink(
    model: nn.Module, example_input: Any, *, vocabulary: bool = True, tolerance: float = TOLERANCE
) -> nn.Module:
    r"""Copy a model, with plain, smaller torch modules in place of the variational ones.

    Words, dimensions and neurons that cannot bear on an output are removed, group variables are
    multiplied in, single pruned weights become zeros. For models made of an embedding, a (stacked,
    bidirectional) LSTM or GRU, and a linear layer on its last state or on the mean or maximum over
    its steps, or several of these one after another, with whatever has no weights in between
    (dropout, packing, slices). Further linear layers keep their size. The result is compared with
    the masked model on the example, and refused if it computes anything else.

    Parameters
    ----------
    model
        Converted by :func:`~bayespress.conversion.convert`, and trained; it is not changed.
    example_input
        What the model is called with: a tensor, or a tuple of positional arguments. Real data, with
        words of all kinds, show more than zeros do.
    vocabulary
        Whether rows of the embedding are removed too: it becomes a :class:`ShrunkEmbedding`, which
        the numbers of the large table read. Without, it is a :class:`torch.nn.Embedding` of all
        rows.
    tolerance
        Largest difference that is put down to rounding, over 1 plus the largest output.

    Returns
    -------
    torch.nn.Module
        The smaller copy, in evaluation mode. All cells of a torch layer have the same number of
        neurons: that of the cell that keeps most, others are filled up with neurons of zeros.

    Raises
    ------
    ConversionError
        If the model is made in another way, with the names of the modules that do not fit, if a
        weight is not finite, or if its smaller copy computes something else.
    """
    check_finite(model)
    arguments = example_input if isinstance(example_input, tuple) else (example_input,)
    masked = copy.deepcopy(model).eval()
    with torch.no_grad():
        pattern, output = Pattern.seen(masked, arguments)
        before = list(_tensors(output))
        made = smaller_modules(pattern, vocabulary=vocabulary)
        for module in masked.modules():
            if isinstance(module, Linear) and module is not pattern.output:
                made[id(module)] = plain_linear(module.weight(), module.bias)
        small = replaced(masked, made).eval()
        _check_equal(before, small, arguments, tolerance)
    return small


_STRANGE = (
    "the smaller model computes something else than the masked one: something reads the embedding "
    "or the recurrent layers beside the layers after them, or changes their values in between"
)


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        yield from _tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for one in output:
            yield from _tensors(one)


def _check_equal(
    before: Sequence[Tensor], small: nn.Module, arguments: tuple[Any, ...], tolerance: float
) -> None:
    try:
        after = list(_tensors(small(*arguments)))
    except (RuntimeError, IndexError, ValueError) as error:
        raise ConversionError(f"{_STRANGE} ({str(error).splitlines()[0]})") from None
    if not (worst := _worst(before, after)) <= tolerance:
        raise ConversionError(f"{_STRANGE} (an output moves by {worst:.2g})")


def _worst(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    if [one.shape for one in before] != [one.shape for one in after]:
        return float("inf")
    pairs = zip(before, after, strict=True)
    return max(
        (float((a - b).abs().max() / (1 + a.abs().max())) for a, b in pairs if a.numel()),
        default=0.0,
    )
