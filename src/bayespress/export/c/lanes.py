"""A small network in a form that suits vector instructions: larger, and equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayespress.compact import CompactCell, CompactClassifier, CompactGRU
from bayespress.compact.model import CompactLayer, FloatArray

_LANES = 8
"""Numbers that one instruction takes on many processors."""
Block = tuple[int, int]
"""Columns that belong together, and how many are added."""
_MOST_NEURONS = 16
"""Beyond, more would be multiplied than is saved."""


def in_lanes(model: CompactClassifier) -> CompactClassifier:
    """Give a model that answers alike, with all gates of a multiple of 8 neurons live in each cell.

    Its gates need not be told apart, so that a step is a few vector instructions: constant gates
    have weights of zero, and further neurons stay at zero. A large cell stays as it is.
    """
    if not any(_suits(cell) for layer in model.layers for cell in layer):
        return model
    layers: list[CompactLayer] = []
    blocks = [(model.embedding.shape[1], 0)]
    for layer in model.layers:
        layers.append(tuple(_wide_cell(cell, blocks) for cell in layer))
        blocks = [(cell.hidden_size, _more(cell)) for cell in layer]
    return replace(model, layers=tuple(layers), output_weight=_spread(model.output_weight, blocks))


def _suits(cell: CompactCell) -> bool:
    return len(cell.live_gates) > 0 and cell.hidden_size <= _MOST_NEURONS


def _more(cell: CompactCell) -> int:
    """Count the neurons that a cell gets."""
    return -cell.hidden_size % _LANES if _suits(cell) else 0


def _wide_cell(cell: CompactCell, blocks: Sequence[Block]) -> CompactCell:
    """Give the cell that reads what wider cells of the layer below give."""
    weight_ih = _spread(cell.weight_ih, blocks)
    if not _suits(cell):
        return replace(cell, weight_ih=weight_ih)
    count, hidden, more = len(cell.gates), cell.hidden_size, _more(cell)
    wide = replace(
        cell,
        weight_ih=_all_gates(weight_ih, cell, more),
        weight_hh=_wider(_all_gates(cell.weight_hh, cell, more), more),
        bias=_wider(cell.bias.reshape(count, hidden), more).reshape(-1),
        live_gates=np.arange(count * (hidden + more)),
    )
    if isinstance(wide, CompactGRU):
        return replace(wide, hidden_bias=np.pad(wide.hidden_bias, (0, more)))
    return wide


def _all_gates(weights: FloatArray, cell: CompactCell, more: int) -> FloatArray:
    """Put the weights of live gates among those of all gates, shape ``(gates, columns)``."""
    gates = np.zeros((len(cell.bias), weights.shape[1]), np.float32)
    gates[cell.live_gates] = weights
    count, columns = len(cell.gates), weights.shape[1]
    by_kind = gates.reshape(count, cell.hidden_size, columns)
    wider = np.pad(by_kind, ((0, 0), (0, more), (0, 0)))
    return wider.reshape(count * (cell.hidden_size + more), columns)


def _spread(matrix: FloatArray, blocks: Sequence[Block]) -> FloatArray:
    """Put columns of zeros behind each block of columns, shape ``(rows, columns)``."""
    ends = np.cumsum([size for size, _ in blocks])
    parts = np.split(matrix, ends[:-1], axis=1)
    return np.concatenate(
        [_wider(part, more) for part, (_, more) in zip(parts, blocks, strict=True)], axis=1
    )


def _wider(matrix: FloatArray, more: int) -> FloatArray:
    return np.pad(matrix, ((0, 0), (0, more)))
