"""A classifier's network in numpy: recurrent layers, pooling, output layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactCell, CompactClassifier, CompactGRU, CompactLSTM
from bayespress.compact.model import FloatArray
from bayespress.runtime.cell import NumpyCell
from bayespress.runtime.gru import NumpyGRU
from bayespress.runtime.lstm import NumpyLSTM

Tables = Sequence[FloatArray]
"""What each row of the embedding adds to the live gates of each cell of the first layer."""


class NumpyNetwork:
    """Run a classifier's network over many texts at once.

    Parameters
    ----------
    model
        The classifier.
    """

    def __init__(self, model: CompactClassifier) -> None:
        self._model = model
        self._layers = [[numpy_cell(cell) for cell in layer] for layer in model.layers]

    def project(self, vectors: FloatArray) -> Tables:
        """Give what vectors, ``(N, input)``, add to the gates of the first layer."""
        return [cell.project(vectors) for cell in self._layers[0]]

    def logits(
        self, tables: Tables, ids: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> FloatArray:
        """Read texts.

        Parameters
        ----------
        tables
            Projected vectors, a table for each cell of the first layer.
        ids
            Rows of the tables: all texts one after another, shape ``(sum of lengths,)``.
        lengths
            Lengths of the texts, falling, shape ``(N,)``.

        Returns
        -------
        ndarray
            Outputs, shape ``(N, outputs)``.
        """
        for layer, above in pairwise(self._layers):
            states = np.concatenate(_every(layer, tables, ids, lengths), axis=1)
            ids, tables = np.arange(len(states)), [cell.project(states) for cell in above]
        return self._output(self._pooled(self._layers[-1], tables, ids, lengths))

    def trajectory(self, tables: Tables, ids: NDArray[np.integer]) -> FloatArray:
        """Give the outputs before the first step and after each, for one text and a plain network.

        Returns
        -------
        ndarray
            Shape ``(length + 1, outputs)``.
        """
        ((cell,),), (table,) = self._layers, tables
        states = cell.every_hidden(table, ids, np.array([len(ids)]))
        start = np.zeros((1, cell.hidden_size), np.float32)
        return self._output(np.concatenate([start, states]))

    def _output(self, pooled: FloatArray) -> FloatArray:
        logits: FloatArray = pooled @ self._model.output_weight.T + self._model.output_bias
        return logits

    def _pooled(
        self,
        layer: Sequence[NumpyCell],
        tables: Tables,
        ids: NDArray[np.integer],
        lengths: NDArray[np.integer],
    ) -> FloatArray:
        """Give what the output layer reads, shape ``(N, F)``."""
        if self._model.pooling == "last":
            ends = (
                cell.last_hidden(table, ids, lengths, backward=bool(direction))
                for direction, (cell, table) in enumerate(zip(layer, tables, strict=True))
            )
            return np.concatenate(list(ends), axis=1)
        states = np.concatenate(_every(layer, tables, ids, lengths), axis=1)
        pooled = np.zeros((len(lengths), states.shape[1]), np.float32)
        # Lengths fall: empty texts stand at the end, and keep their zeros.
        full = int(np.count_nonzero(lengths))
        if full:
            starts = (np.cumsum(lengths) - lengths)[:full]
            if self._model.pooling == "max":
                pooled[:full] = np.maximum.reduceat(states, starts, axis=0)
            else:
                # In double precision: over many tokens, the order of single sums would show.
                sums = np.add.reduceat(states, starts, axis=0, dtype=np.float64)
                pooled[:full] = sums / lengths[:full, None]
        return pooled


def numpy_cell(cell: CompactCell) -> NumpyCell:
    """Make a cell of a model ready to run."""
    if isinstance(cell, CompactLSTM):
        return NumpyLSTM(cell)
    if isinstance(cell, CompactGRU):
        return NumpyGRU(cell)
    raise TypeError(f"there is no cell {type(cell).__name__}")


def _every(
    layer: Sequence[NumpyCell],
    tables: Tables,
    ids: NDArray[np.integer],
    lengths: NDArray[np.integer],
) -> list[FloatArray]:
    """Give each cell's state at each token, of shape ``(tokens, hidden)``."""
    return [
        cell.every_hidden(table, ids, lengths, backward=bool(direction))
        for direction, (cell, table) in enumerate(zip(layer, tables, strict=True))
    ]
