"""A small network in a form that suits vector instructions: larger, and equal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactClassifier, CompactLSTM
from bayespress.compact.model import FloatArray

_LANES = 8
"""Numbers that one instruction takes on many processors."""
_MOST_NEURONS = 16
"""Beyond, more would be multiplied than is saved."""


def in_lanes(model: CompactClassifier) -> CompactClassifier:
    """Give a model that answers alike, with all gates of a multiple of 8 neurons live.

    Its gates need not be told apart, so that a step is a few vector instructions: constant gates
    have weights of zero, and further neurons stay at zero. A large network stays as it is.
    """
    hidden, live = model.lstm.hidden_size, model.lstm.live_gates
    if len(live) == 0 or hidden > _MOST_NEURONS:
        return model
    more = -hidden % _LANES
    lstm = CompactLSTM(
        weight_ih=_all_gates(model.lstm.weight_ih, live, hidden, more),
        weight_hh=_wider(_all_gates(model.lstm.weight_hh, live, hidden, more), more),
        bias=_wider(model.lstm.bias.reshape(4, hidden), more).reshape(-1),
        live_gates=np.arange(4 * (hidden + more)),
        gate_activation=model.lstm.gate_activation,
    )
    return replace(model, layers=((lstm,),), output_weight=_wider(model.output_weight, more))


def _all_gates(weights: FloatArray, live: NDArray[np.int64], hidden: int, more: int) -> FloatArray:
    """Put the weights of live gates among those of all gates, shape ``(gates, columns)``."""
    gates = np.zeros((4 * hidden, weights.shape[1]), np.float32)
    gates[live] = weights
    by_kind = gates.reshape(4, hidden, -1)
    return np.pad(by_kind, ((0, 0), (0, more), (0, 0))).reshape(4 * (hidden + more), -1)


def _wider(matrix: FloatArray, more: int) -> FloatArray:
    return np.pad(matrix, ((0, 0), (0, more)))
