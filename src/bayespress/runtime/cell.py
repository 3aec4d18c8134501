"""What numpy's recurrent cells have in common: how they walk through many texts at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactCell
from bayespress.compact.model import FloatArray

Workspace = tuple[FloatArray, ...]
"""A cell's arrays for N sequences, each of shape ``(N, …)``: first what others read of it."""


class NumpyCell(ABC):
    """Run a cell over many texts at once.

    What a word adds to the live gates, :math:`W_{ih} x + b_{live}`, depends on the word alone:
    :meth:`project` computes it once for each.

    Parameters
    ----------
    cell
        The cell.
    """

    def __init__(self, cell: CompactCell) -> None:
        self.hidden_size = cell.hidden_size
        live = cell.live_gates
        self._weight_ih, self._weight_hh = cell.weight_ih.T, cell.weight_hh.T.copy()
        self._live_bias = cell.bias[live]

    def project(self, vectors: FloatArray) -> FloatArray:
        """Give what inputs, ``(N, input)``, add to the live gates, ``(N, live)``."""
        return vectors @ self._weight_ih + self._live_bias

    def last_hidden(
        self,
        table: FloatArray,
        ids: NDArray[np.integer],
        lengths: NDArray[np.integer],
        *,
        backward: bool = False,
    ) -> FloatArray:
        """Read texts to their end, or backwards to their beginning.

        Parameters
        ----------
        table
            Projected inputs, shape ``(rows, live)``.
        ids
            Rows of the table: all texts one after another, shape ``(sum of lengths,)``.
        lengths
            Lengths of the texts, falling, shape ``(N,)``.
        backward
            Whether texts are read from their last token to their first.

        Returns
        -------
        ndarray
            Each text's last state, shape ``(N, hidden)``; zero for an empty text.
        """
        space = self._begin(len(lengths))
        for _ in self._walk(space, table, ids, _steps(lengths, backward=backward)):
            pass
        return space[0]

    def every_hidden(
        self,
        table: FloatArray,
        ids: NDArray[np.integer],
        lengths: NDArray[np.integer],
        *,
        backward: bool = False,
    ) -> FloatArray:
        """Read as :meth:`last_hidden` does; give the state at each token.

        Returns
        -------
        ndarray
            In the order of `ids`, shape ``(sum of lengths, hidden)``.
        """
        space = self._begin(len(lengths))
        states = np.empty((len(ids), self.hidden_size), np.float32)
        steps = _steps(lengths, backward=backward)
        for tokens, hidden in self._walk(space, table, ids, steps):
            states[tokens] = hidden
        return states

    def _walk(
        self,
        space: Workspace,
        table: FloatArray,
        ids: NDArray[np.integer],
        steps: Iterable[NDArray[np.integer]],
    ) -> Iterator[tuple[NDArray[np.integer], FloatArray]]:
        """Take all steps; after each, give the tokens that were read and the states then."""
        for tokens in steps:
            now = tuple(array[: len(tokens)] for array in space)
            self._advance(table.take(ids.take(tokens), axis=0), now)
            yield tokens, now[0]

    @abstractmethod
    def _begin(self, count: int) -> Workspace:
        """Give what the cell needs for so many sequences, before their first step."""

    @abstractmethod
    def _advance(self, inputs: FloatArray, space: Workspace) -> None:
        """Take one time step with projected inputs, ``(N, live)``, in place in all arrays."""


def _steps(lengths: NDArray[np.integer], *, backward: bool) -> Iterator[NDArray[np.integer]]:
    """Give, step by step, the place of the token that each text that has not ended reads."""
    starts = np.cumsum(lengths) - lengths
    steps = np.arange(lengths[0] if len(lengths) else 0)
    # Texts that have a token at each step: the first ones, as lengths fall.
    running = np.searchsorted(-lengths, -steps)
    for step, count in enumerate(running.tolist()):
        yield (starts + lengths - 1 - step if backward else starts + step)[:count]
