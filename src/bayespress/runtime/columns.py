"""The recurrent layer over one sequence, or few neurons, in as few calls of numpy as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactLSTM
from bayespress.compact.model import FloatArray

_NUMBERS = 2**16
"""Numbers of the inputs that are there at once; so few that they stay in the processor's cache."""
_SMALL = 2**16
"""Recurrent weights that are multiplied in less time than a further call takes."""
_FEW_GATES, _FEW_VALUES = 32, 2**12
"""Gates of a network, and gates of all sequences, up to which several sequences are faster so."""


class ColumnLSTM:
    r"""Run a :class:`~bayespress.compact.CompactLSTM` where calls take longer than the numbers.

    All gates are computed, with weights of zero where they are constant: in the order i, f, o, g,
    and beside g the cell, so that one product makes both of its parts, :math:`(i, f) \circ (g, c)`.
    What the gate activation multiplies by and adds before all else (0.2 and 0.5, or 1/2 for
    :math:`\tanh(x / 2)`) is in the weights. Each of N sequences is a column; a single one is a
    vector, with which numpy is faster than with a matrix of one column.
    """

    def __init__(self, lstm: CompactLSTM) -> None:
        size = lstm.hidden_size
        self._hidden = size
        self._is_hard = lstm.gate_activation == "hard_sigmoid"
        self._scale, self._shift = np.ones(4 * size, np.float32), np.zeros(4 * size, np.float32)
        self._scale[: 3 * size] = 0.2 if self._is_hard else 0.5
        self._shift[: 3 * size] = 0.5 if self._is_hard else 0
        # From i, f, g, o to i, f, o, g: the same swap leads back.
        order = np.arange(4 * size).reshape(4, size)[[0, 1, 3, 2]].reshape(-1)
        self._live = order[lstm.live_gates]
        self._constants = lstm.bias[order] * self._scale + self._shift
        self._weight = np.zeros((4 * size, size), np.float32)
        self._weight[self._live] = lstm.weight_hh * self._scale[self._live, None]

    @staticmethod
    def suits(lstm: CompactLSTM, count: int) -> bool:
        """Tell whether it is the faster way for so many sequences.

        It is not for many neurons, unless there is a single sequence and most gates are live.
        """
        gates = 4 * lstm.hidden_size
        if count > 1:
            return gates <= _FEW_GATES or gates * count <= _FEW_VALUES
        return gates * lstm.hidden_size <= _SMALL or 2 * len(lstm.live_gates) >= gates

    def last_hidden(
        self, table: FloatArray, ids: NDArray[np.integer], lengths: NDArray[np.integer]
    ) -> FloatArray:
        """Read texts to their end, as :meth:`NumpyLSTM.last_hidden` does."""
        hidden, cell = np.zeros((2, self._hidden, len(lengths)), np.float32)
        last = np.zeros((len(lengths), self._hidden), np.float32)
        starts = np.cumsum(lengths) - lengths
        ends = np.unique(lengths[lengths > 0])
        for begin, end in zip([0, *ends], ends, strict=False):
            count = int(np.searchsorted(-lengths, -begin))
            columns = slice(count) if count > 1 else 0
            rows = ids.take(starts[:count] + np.arange(begin, end)[:, None])[:, columns]
            cell = cell[:, columns].copy()
            for states in self.read(table, rows, hidden[:, columns], cell):
                hidden = states[-1]
            last[:count] = hidden.T
        return last

    def read(
        self, table: FloatArray, rows: NDArray[np.integer], hidden: FloatArray, cell: FloatArray
    ) -> Iterator[FloatArray]:
        """Read sequences of equal length, some steps at a time.

        Parameters
        ----------
        table
            What each input adds to the live gates with their biases, shape ``(inputs, live)``.
        rows
            Rows of the table, shape ``(steps, N)``, or ``(steps,)`` for a single sequence.
        hidden, cell
            :math:`h_0` and :math:`c_0`, shape ``(hidden, N)`` or ``(hidden,)``; the cell is changed
            to the last :math:`c_t` when all has been read.

        Returns
        -------
        iterator
            :math:`h_t` of the next steps, shape ``(steps, hidden, N)`` or ``(steps, hidden)``.
        """
        values = np.concatenate([np.empty((4 * self._hidden, *cell.shape[1:]), np.float32), cell])
        steps = max(1, _NUMBERS // max(1, values.size))
        for first in range(0, len(rows), steps):
            inputs = self._inputs(table.take(rows[first : first + steps], axis=0))
            states = np.empty((len(inputs) + 1, *cell.shape), np.float32)
            states[0] = hidden
            self._steps(inputs, states, values)
            yield states[1:]
            hidden = states[-1]
        cell[:] = values[4 * self._hidden :]

    def _inputs(self, words: FloatArray) -> FloatArray:
        """Give what all gates begin with: the last axis, of live gates, becomes that of all."""
        inputs = np.empty((*words.shape[:-1], len(self._constants)), np.float32)
        inputs[...] = self._constants
        inputs[..., self._live] = words * self._scale[self._live] + self._shift[self._live]
        return inputs

    def _steps(self, inputs: FloatArray, states: FloatArray, values: FloatArray) -> None:
        """Take some steps; `states` begins with the one before, `values` ends with the cell."""
        size, weight, activate = self._hidden, self._weight, self._activation(values)
        gates, factors, output = values[: 4 * size], values[: 2 * size], values[2 * size : 3 * size]
        parts, cell = values[3 * size :], values[4 * size :]
        products, squashed = np.empty_like(parts), np.empty_like(cell)
        kept, new = products[size:], products[:size]
        add, multiply, tanh = np.add, np.multiply, np.tanh
        for given, before, after in zip(inputs, states[:-1], states[1:], strict=True):
            weight.dot(before, gates)
            add(gates, given.T, gates)
            activate()
            multiply(factors, parts, products)
            add(kept, new, cell)
            tanh(cell, squashed)
            multiply(output, squashed, after)

    def _activation(self, values: FloatArray) -> Callable[[], None]:
        """Give what applies the activations to the gates in place."""
        size = self._hidden
        gates = values[: 4 * size]
        sigmoids, cell_input = gates[: 3 * size], gates[3 * size :]
        zero, half, one = (np.full_like(sigmoids, value) for value in (0, 0.5, 1))

        def hard() -> None:
            np.maximum(sigmoids, zero, out=sigmoids)
            np.minimum(sigmoids, one, out=sigmoids)
            np.tanh(cell_input, cell_input)

        def soft() -> None:
            np.tanh(gates, gates)
            np.multiply(sigmoids, half, sigmoids)
            np.add(sigmoids, half, sigmoids)

        return hard if self._is_hard else soft
