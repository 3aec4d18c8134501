"""The recurrent layer in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactLSTM
from bayespress.compact.model import FloatArray
from bayespress.runtime.activations import hard_sigmoid, sigmoid
from bayespress.runtime.cell import NumpyCell, Workspace
from bayespress.runtime.columns import ColumnLSTM


@dataclass(frozen=True)
class LSTMState:
    """What the layer remembers of several sequences.

    Attributes
    ----------
    hidden, cell
        :math:`h_t` and :math:`c_t`, both of shape ``(N, hidden)``.
    """

    hidden: FloatArray
    cell: FloatArray


class NumpyLSTM(NumpyCell):
    r"""Run a :class:`~bayespress.compact.CompactLSTM` over many texts at once.

    .. math::

        a_t &= b; \quad a_{t, live} \mathrel{+}= W_{ih} x_t + W_{hh} h_{t-1} \\
        i, f, o &= \sigma(a_i), \sigma(a_f), \sigma(a_o); \quad g = \tanh(a_g) \\
        c_t &= f \circ c_{t-1} + i \circ g; \quad h_t = o \circ \tanh(c_t)

    with :math:`h_0 = c_0 = 0` unless given and :math:`\sigma` the gate activation. What a word adds
    to the live gates, :math:`W_{ih} x + b_{live}`, depends on the word alone: :meth:`project`, or
    :meth:`project_one_hot`, computes it once for each. A gate that is not live is a constant.
    """

    def __init__(self, lstm: CompactLSTM) -> None:
        super().__init__(lstm)
        hidden, live = lstm.hidden_size, lstm.live_gates
        # A slice is faster than numbers, where all gates are live.
        self._live = slice(None) if len(live) == 4 * hidden else live
        self._is_hard = lstm.gate_activation == "hard_sigmoid"
        constants = lstm.bias.copy()[None, :]
        self._activate(constants, 2 * hidden, 3 * hidden)
        self._constants = constants
        # Live gates rise, so that those of the cell's input g stand together.
        first, last = np.searchsorted(live, (2 * hidden, 3 * hidden))
        self._cell_gates = int(first), int(last)
        self._lstm = lstm

    @cached_property
    def _columns(self) -> ColumnLSTM:
        """The same layer in the way that few numbers are read."""
        return ColumnLSTM(self._lstm)

    def project_one_hot(self) -> FloatArray:
        """Give what each one-hot input adds to the live gates; the last row is for no input.

        Returns
        -------
        ndarray
            Shape ``(inputs + 1, live)``.
        """
        # Row by row in memory: a row is looked up at every step.
        table = np.repeat(self._live_bias[None], len(self._weight_ih) + 1, axis=0)
        table[:-1] += self._weight_ih
        return table

    def zero_state(self, count: int) -> LSTMState:
        """Give the state of so many sequences before their first step."""
        return LSTMState(*np.zeros((2, count, self.hidden_size), np.float32))

    def all_hidden(
        self, table: FloatArray, rows: NDArray[np.integer], state: LSTMState
    ) -> tuple[FloatArray, LSTMState]:
        """Read sequences of equal length; give the state after every step.

        Parameters
        ----------
        table
            Projected inputs, shape ``(number of inputs, live)``.
        rows
            Rows of the table, one sequence a column, shape ``(steps, N)``.
        state
            What the layer remembers of each sequence; it is not changed.

        Returns
        -------
        hidden, state
            :math:`h_t` of every step, shape ``(steps, N, hidden)``, and the state after the last.
        """
        if len(state.hidden) == 1 and ColumnLSTM.suits(self._lstm, 1):
            return self._all_of_one(table, rows[:, 0], state)
        hidden, cell = state.hidden.copy(), state.cell.copy()
        gates = np.repeat(self._constants, len(hidden), axis=0)
        all_hidden = np.empty((len(rows), *hidden.shape), np.float32)
        for step, numbers in enumerate(rows):
            self._step(table.take(numbers, axis=0), hidden, cell, gates)
            all_hidden[step] = hidden
        return all_hidden, LSTMState(hidden, cell)

    def _all_of_one(
        self, table: FloatArray, rows: NDArray[np.integer], state: LSTMState
    ) -> tuple[FloatArray, LSTMState]:
        """Give what :meth:`all_hidden` does, for a single sequence, rows of shape ``(steps,)``."""
        cell = state.cell[0].copy()
        states = [state.hidden, *self._columns.read(table, rows, state.hidden[0], cell)]
        hidden = np.concatenate(states)
        return hidden[1:, None], LSTMState(hidden[-1:], cell[None])

    def last_hidden(  # noqa: D102 - the base class says it
        self,
        table: FloatArray,
        ids: NDArray[np.integer],
        lengths: NDArray[np.integer],
        *,
        backward: bool = False,
    ) -> FloatArray:
        if not backward and ColumnLSTM.suits(self._lstm, len(lengths)):
            return self._columns.last_hidden(table, ids, lengths)
        return super().last_hidden(table, ids, lengths, backward=backward)

    def every_hidden(  # noqa: D102 - the base class says it
        self,
        table: FloatArray,
        ids: NDArray[np.integer],
        lengths: NDArray[np.integer],
        *,
        backward: bool = False,
    ) -> FloatArray:
        if len(lengths) == 1 and not backward and ColumnLSTM.suits(self._lstm, 1):
            return self._all_of_one(table, ids, self.zero_state(1))[0][:, 0]
        return super().every_hidden(table, ids, lengths, backward=backward)

    def _begin(self, count: int) -> Workspace:
        hidden, cell = np.zeros((2, count, self.hidden_size), np.float32)
        return hidden, cell, np.repeat(self._constants, count, axis=0)

    def _advance(self, inputs: FloatArray, space: Workspace) -> None:
        self._step(inputs, *space)

    def _step(
        self, words: FloatArray, hidden: FloatArray, cell: FloatArray, gates: FloatArray
    ) -> None:
        """Take one time step, in place in all four."""
        words += hidden @ self._weight_hh
        self._activate(words, *self._cell_gates)
        gates[:, self._live] = words
        size = self.hidden_size
        cell *= gates[:, size : 2 * size]
        cell += gates[:, :size] * gates[:, 2 * size : 3 * size]
        np.multiply(gates[:, 3 * size :], np.tanh(cell), out=hidden)

    def _activate(self, gates: FloatArray, first: int, last: int) -> None:
        """Apply tanh to the columns from `first` to `last`, the gate activation to the others."""
        np.tanh(gates[:, first:last], out=gates[:, first:last])
        for columns in (gates[:, :first], gates[:, last:]):
            if self._is_hard:
                hard_sigmoid(columns)
            else:
                sigmoid(columns)
