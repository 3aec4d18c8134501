"""The sizes that a model's arrays share, and the order in which the file has the arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bayespress.compact.model import (
    CompactCell,
    CompactClassifier,
    CompactGRU,
    CompactLayer,
    CompactLSTM,
    CompactModel,
    FloatArray,
)

CELLS: Mapping[str, type[CompactCell]] = {kind.name: kind for kind in (CompactLSTM, CompactGRU)}
"""The kinds of cells by their names."""
ModelT = TypeVar("ModelT", bound=CompactModel)


class DamageError(Exception):
    """Bytes are not what the format promises; the text says why."""


@dataclass(frozen=True)
class CellSizes:
    """Lengths of the axes of a cell's arrays.

    Attributes
    ----------
    kind
        The cell's kind.
    hidden, live
        Neurons, and gates that have weights.
    """

    kind: type[CompactCell]
    hidden: int
    live: int

    @property
    def gates(self) -> int:
        """Number of all gates, constant ones too."""
        return len(self.kind.gates) * self.hidden

    def shapes(self, inputs: int) -> Mapping[str, tuple[int, ...]]:
        """Shape of every array of a cell that reads so many inputs."""
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (self.live, inputs),
            "weight_hh": (self.live, self.hidden),
            "bias": (self.gates,),
        }
        return {**shapes, "hidden_bias": (self.hidden,)} if self.kind is CompactGRU else shapes


@dataclass(frozen=True)
class Sizes:
    """Lengths of the axes of all arrays.

    Attributes
    ----------
    rows
        Rows of the embedding without the zero row; None for a language model, whose input is
        one-hot.
    input
        Dimensions of the embedding, or the number of tokens that a language model reads.
    layers
        The cells of each layer.
    outputs
        Rows of the output layer.
    """

    rows: int | None
    input: int
    layers: tuple[tuple[CellSizes, ...], ...]
    outputs: int

    @classmethod
    def of(cls, model: CompactModel) -> Sizes:
        """Read the sizes off a model, each at one of the places that have it."""
        layers = tuple(
            tuple(CellSizes(type(cell), cell.hidden_size, len(cell.live_gates)) for cell in layer)
            for layer in layers_of(model)
        )
        if isinstance(model, CompactClassifier):
            rows, dims = model.encoder.vocabulary.num_rows - 1, model.embedding.shape[-1]
            return cls(rows, dims, layers, len(model.output_weight))
        return cls(None, len(model.inputs), layers, len(model.encoder.tokens))

    @property
    def longest(self) -> int:
        """Length of the longest axis, that of all gates left out."""
        cells = (
            size for layer in self.layers for cell in layer for size in (cell.hidden, cell.live)
        )
        return max(self.rows or 0, self.input, *cells, self.outputs)

    @property
    def memory(self) -> int:
        """Bytes of all arrays."""
        return 4 * sum(map(math.prod, self.shapes().values()))

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every array, in the order of the file."""
        shapes: dict[str, tuple[int, ...]] = {}
        inputs = self.input
        if self.rows is not None:
            shapes["embedding"] = (self.rows, inputs)
        for number, layer in enumerate(self.layers):
            for direction, cell in enumerate(layer):
                end = suffix(number, direction)
                shapes |= {name + end: shape for name, shape in cell.shapes(inputs).items()}
            inputs = sum(cell.hidden for cell in layer)
        return {**shapes, "output_weight": (self.outputs, inputs), "output_bias": (self.outputs,)}


def suffix(layer: int, direction: int) -> str:
    """Name a cell as PyTorch does; nothing for the first one, which most networks have alone.

    Examples
    --------
    >>> suffix(0, 0), suffix(0, 1), suffix(1, 0), suffix(1, 1)
    ('', '_l0_reverse', '_l1', '_l1_reverse')
    """
    end = "_reverse" if direction else ""
    return f"_l{layer}{end}" if layer or direction else ""


def layers_of(model: CompactModel) -> tuple[CompactLayer, ...]:
    """Give the recurrent layers; a language model has one cell."""
    return model.layers if isinstance(model, CompactClassifier) else ((model.lstm,),)


def cells_of(model: CompactModel) -> Iterator[tuple[str, CompactCell]]:
    """Iterate over the cells in the order of the file, each with the end of its arrays' names."""
    for number, layer in enumerate(layers_of(model)):
        for direction, cell in enumerate(layer):
            yield suffix(number, direction), cell


def arrays_of(model: CompactModel) -> Mapping[str, FloatArray]:
    """All arrays of numbers, in the order of the file.

    The cells' arrays are ``weight_ih``, ``weight_hh``, ``bias``, a GRU's also ``hidden_bias``;
    those of other cells than the first have PyTorch's endings, such as ``_l1`` or ``_l0_reverse``.
    """
    arrays = {"embedding": model.embedding} if isinstance(model, CompactClassifier) else {}
    for end, cell in cells_of(model):
        arrays |= {name + end: getattr(cell, name) for name in array_names(type(cell))}
    return {**arrays, "output_weight": model.output_weight, "output_bias": model.output_bias}


def with_arrays(model: CompactModel, arrays: Mapping[str, FloatArray]) -> CompactModel:
    """Give the same model with other numbers: all that :func:`arrays_of` names."""
    layers = tuple(
        tuple(
            _with_own_arrays(cell, arrays, suffix(number, direction))
            for direction, cell in enumerate(layer)
        )
        for number, layer in enumerate(layers_of(model))
    )
    weight, bias = arrays["output_weight"], arrays["output_bias"]
    changed = replace(with_layers(model, layers), output_weight=weight, output_bias=bias)
    if isinstance(changed, CompactClassifier):
        return replace(changed, embedding=arrays["embedding"])
    return changed


def with_layers(model: ModelT, layers: tuple[CompactLayer, ...]) -> ModelT:
    """Give the same model with other recurrent layers."""
    if isinstance(model, CompactClassifier):
        return replace(model, layers=layers)
    ((cell,),) = layers
    if not isinstance(cell, CompactLSTM):
        raise TypeError(f"a language model has an LSTM, got {type(cell).__name__}")
    return replace(model, lstm=cell)


def _with_own_arrays(cell: CompactCell, arrays: Mapping[str, FloatArray], end: str) -> CompactCell:
    own: dict[str, Any] = {name: arrays[name + end] for name in array_names(type(cell))}
    return replace(cell, **own)


def array_names(kind: type[CompactCell]) -> Sequence[str]:
    """Name the arrays of a cell."""
    return tuple(CellSizes(kind, 0, 0).shapes(0))
