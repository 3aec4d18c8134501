"""What every kind of finished model consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactCell, CompactGRU, CompactModel
from bayespress.compact.kind import live_flags
from bayespress.compact.layout import CELLS, arrays_of, layers_of, suffix
from bayespress.compact.model import FloatArray
from bayespress.runtime.activations import hard_sigmoid, sigmoid

Gates = dict[str, float | None]
"""A neuron's gates: the value where constant, None where computed."""


@dataclass(frozen=True)
class CellStructure:
    """A recurrent cell in figures.

    Attributes
    ----------
    kind
        ``lstm`` or ``gru``.
    layer
        Number of its layer, from 1.
    backward
        Whether it reads texts from their end.
    neurons
        Kept neurons.
    live_gates
        Gates that are computed.
    """

    kind: str
    layer: int
    backward: bool
    neurons: int
    live_gates: int

    @property
    def gate_names(self) -> tuple[str, ...]:
        """Names of a neuron's gates, in their order."""
        return CELLS[self.kind].gates

    @property
    def suffix(self) -> str:
        """End of its arrays' names, such as ``_l1_reverse``; nothing for the first cell."""
        return suffix(self.layer - 1, int(self.backward))


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A model in figures; the three ratios are three different numbers, see `info`.

    Attributes
    ----------
    file_bytes
        Size of the file, everything in it.
    size_ratio
        Bytes of the float32 dense model and its vocabulary over `file_bytes`; None if unknown.
    neurons
        Kept neurons.
    live_gates
        Gates that are computed: those with weights, and a GRU's gate n without weights where the
        reset gate before its bias is computed.
    gates
        For each neuron, its gates by their names, i, f, g, o or r, z, n: the value where constant,
        None where computed. Neurons of one cell stand behind those of the other.
    cells
        The cells: layer by layer, the one that reads forwards first.
    weights
        Weights other than zero in the file.
    info
        What the model was made from: letter code, ratios, counts before and after.
    """

    file_bytes: int
    size_ratio: float | None
    neurons: int
    live_gates: int
    gates: list[Gates]
    cells: list[CellStructure]
    weights: int
    info: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    def gates_by_cell(self) -> Iterator[tuple[CellStructure, list[Gates]]]:
        """Iterate over the cells, each with the gates of its neurons."""
        start = 0
        for cell in self.cells:
            yield cell, self.gates[start : start + cell.neurons]
            start += cell.neurons

    def name_of(self, cell: CellStructure) -> str:
        """Say which cell it is, as far as there are others; nothing if it is the only one.

        Such as ``layer 2, backwards``.
        """
        parts = [f"layer {cell.layer}"] if any(other.layer > 1 for other in self.cells) else []
        if any(other.backward for other in self.cells):
            parts.append("backwards" if cell.backward else "forwards")
        return ", ".join(parts)


def structure_of(model: CompactModel, file_bytes: int) -> dict[str, Any]:
    """Give the fields of :class:`Structure` for a model that takes up so many bytes."""
    dense = model.info.get("dense_bytes")
    matrices = (array for array in arrays_of(model).values() if array.ndim == 2)
    gates, cells = [], []
    for layer, number, cell in _numbered(model):
        own = _gates(cell)
        gates += own
        live = sum(value is None for neuron in own for value in neuron.values())
        cells.append(CellStructure(cell.name, layer, number == 1, cell.hidden_size, live))
    return {
        "file_bytes": file_bytes,
        "size_ratio": dense / file_bytes if isinstance(dense, (int, float)) and dense else None,
        "neurons": len(gates),
        "live_gates": sum(cell.live_gates for cell in cells),
        "gates": gates,
        "cells": cells,
        "weights": sum(int(np.count_nonzero(matrix)) for matrix in matrices),
        "info": dict(model.info),
    }


def _numbered(model: CompactModel) -> Iterator[tuple[int, int, CompactCell]]:
    """Iterate over the cells with the numbers of their layers, from 1, and directions, from 0."""
    for layer, cells in enumerate(layers_of(model), 1):
        for direction, cell in enumerate(cells):
            yield layer, direction, cell


def _gates(cell: CompactCell) -> list[Gates]:
    values, live = _constants(cell)
    return [
        {name: None if live[k, j] else float(values[k, j]) for k, name in enumerate(cell.gates)}
        for j in range(cell.hidden_size)
    ]


def _constants(cell: CompactCell) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Give the values of gates as if none had weights, and which are computed all the same.

    Returns
    -------
    values, computed
        Both of shape ``(gates of a neuron, hidden)``.
    """
    shape = len(cell.gates), cell.hidden_size
    values, computed = cell.bias.reshape(shape).copy(), live_flags(cell).reshape(shape)
    candidate = cell.gates.index("n" if isinstance(cell, CompactGRU) else "g")
    preactivation = values[candidate].copy()
    (hard_sigmoid if cell.gate_activation == "hard_sigmoid" else sigmoid)(values)
    if isinstance(cell, CompactGRU):
        preactivation += values[0] * cell.hidden_bias
        computed[2] |= computed[0] & (cell.hidden_bias != 0)
    values[candidate] = np.tanh(preactivation)
    return values, computed


def visible(word: str) -> str:
    r"""Write a word so that it can be seen: a character may be white space or turn directions.

    Examples
    --------
    >>> visible("good"), visible(" "), visible("a\u202e")
    ('good', "' '", "'a\\u202e'")
    """
    return word if word.strip() and word.isprintable() else repr(word)
