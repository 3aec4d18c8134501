"""Activations of gates, in place."""

from __future__ import annotations

import numpy as np

from bayespress.compact.model import FloatArray


def hard_sigmoid(values: FloatArray) -> None:
    """Replace values by ``clip(0.2 x + 0.5, 0, 1)``."""
    values *= 0.2
    values += 0.5
    np.maximum(values, 0.0, out=values)
    np.minimum(values, 1.0, out=values)


def sigmoid(values: FloatArray) -> None:
    r"""Replace values by :math:`(1 + \tanh(x / 2)) / 2 = 1 / (1 + e^{-x})`, without overflow."""
    values *= 0.5
    np.tanh(values, out=values)
    values *= 0.5
    values += 0.5
