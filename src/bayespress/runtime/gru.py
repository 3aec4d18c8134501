"""The gated recurrent unit in numpy."""

from __future__ import annotations

import numpy as np

from bayespress.compact import CompactGRU
from bayespress.compact.model import FloatArray
from bayespress.runtime.activations import hard_sigmoid, sigmoid
from bayespress.runtime.cell import NumpyCell, Workspace


class NumpyGRU(NumpyCell):
    """Run a :class:`~bayespress.compact.CompactGRU` over many texts at once; its maths is there."""

    def __init__(self, gru: CompactGRU) -> None:
        super().__init__(gru)
        size = gru.hidden_size
        # Live gates rise: those of n stand behind those of r and z.
        first = int(np.searchsorted(gru.live_gates, 2 * size))
        self._first_new = first
        self._switches, self._new = gru.live_gates[:first], gru.live_gates[first:] - 2 * size
        self._activate = hard_sigmoid if gru.gate_activation == "hard_sigmoid" else sigmoid
        self._constants = gru.bias.copy()
        self._activate(self._constants[: 2 * size])
        self._hidden_bias = gru.hidden_bias

    def _begin(self, count: int) -> Workspace:
        gates = np.repeat(self._constants[None], count, axis=0)
        products = np.repeat(self._hidden_bias[None], count, axis=0)
        return np.zeros((count, self.hidden_size), np.float32), gates, products

    def _advance(self, inputs: FloatArray, space: Workspace) -> None:
        hidden, gates, products = space
        size, first = self.hidden_size, self._first_new
        recurrent = hidden @ self._weight_hh
        switches = inputs[:, :first] + recurrent[:, :first]
        self._activate(switches)
        gates[:, self._switches] = switches
        gates[:, 2 * size + self._new] = inputs[:, first:]
        products[:, self._new] = self._hidden_bias[self._new] + recurrent[:, first:]
        new = np.tanh(gates[:, 2 * size :] + gates[:, :size] * products)
        hidden -= new
        hidden *= gates[:, size : 2 * size]
        hidden += new
