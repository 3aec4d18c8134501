"""Initial values of the papers' networks (SPEC: Lasagne's initialisers, gate by gate)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bayespress.nn.recurrence import GATES


def uniform(shape: tuple[int, ...], limit: float, generator: torch.Generator | None) -> Tensor:
    """Draw from U(-limit, limit)."""
    return torch.empty(shape).uniform_(-limit, limit, generator=generator)


def glorot(fan_out: int, fan_in: int, generator: torch.Generator | None) -> Tensor:
    r"""Draw a ``(fan_out, fan_in)`` matrix from :math:`U(\pm\sqrt{6 / (fan_{in} + fan_{out})})`.

    References
    ----------
    Glorot, Bengio: *Understanding the difficulty of training deep feedforward neural networks*,
    AISTATS 2010, equation 16.
    """
    return uniform((fan_out, fan_in), math.sqrt(6 / (fan_in + fan_out)), generator)


def orthogonal(size: int, gain: float, generator: torch.Generator | None) -> Tensor:
    """Draw a random ``(size, size)`` orthogonal matrix times `gain`."""
    return gain * semi_orthogonal(size, size, generator)


def semi_orthogonal(rows: int, columns: int, generator: torch.Generator | None) -> Tensor:
    """Draw a matrix whose columns, or rows if these are fewer, are orthonormal."""
    if rows < columns:
        return semi_orthogonal(columns, rows, generator).t().contiguous()
    q, r = torch.linalg.qr(torch.empty(rows, columns).normal_(generator=generator))
    matrix: Tensor = (q * r.diagonal().sign()).contiguous()
    return matrix


def input_weights(
    hidden: int, inputs: int, generator: torch.Generator | None, gates: int = GATES
) -> Tensor:
    """Glorot-uniform input matrices of all gates, shape ``(gates * hidden, inputs)``."""
    return torch.cat([glorot(hidden, inputs, generator) for _ in range(gates)])


def recurrent_weights(hidden: int, generator: torch.Generator | None, gates: int = GATES) -> Tensor:
    """Orthogonal matrices times 1.1 of all gates, shape ``(gates * hidden, hidden)``."""
    return torch.cat([orthogonal(hidden, 1.1, generator) for _ in range(gates)])


def lstm_bias(hidden: int, forget: float = 1.0) -> Tensor:
    """Zeros, but `forget` for the forget gates, shape ``(4 hidden,)``."""
    bias = torch.zeros(GATES * hidden)
    bias[hidden : 2 * hidden] = forget
    return bias
