r"""Fewer bits for the weights of a finished model: rounding, by which its file gets smaller.

Weights become multiples of a power of two, or numbers of few significant bits, which are what the
file stores exactly and in few bits (see :mod:`bayespress.compact.blocks`). The weights of a row, or
of a column where a matrix has fewer columns than rows, share the power or the number of bits. Under
the log-uniform prior a weight's size is known as a ratio (its :math:`\alpha` is the noise over the
signal), so that ``auto`` keeps significant bits.

References
----------
Louizos, Ullrich, Welling: *Bayesian Compression for Deep Learning*, NeurIPS 2017: the posterior's
variance says how many bits of a weight mean something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.layout import arrays_of, with_arrays
from bayespress.compact.model import CompactModel, FloatArray
from bayespress.errors import ConfigError

PRECISIONS = ("float32", "float16", "int8", "auto")
TOLERANCE = 0.0625
"""What ``auto`` may move the median weight by, in sigmas, where nothing else is asked for."""

_INTEGERS = re.compile(r"int([2-8])")
_LEAST_FRACTION, _MOST_FRACTION, _WEIGHT_BITS, _BIAS_BITS = 3, 8, 8, 10


def rounded(
    model: CompactModel,
    precision: str,
    sigmas: Mapping[str, FloatArray] | None = None,
    tolerance: float = TOLERANCE,
) -> CompactModel:
    r"""Round a model's weights.

    Parameters
    ----------
    model
        The model; it is not changed.
    precision
        ``float32`` rounds nothing, ``float16`` to half precision (arrays with a number too large
        for it stay as they are). ``int8``, down to ``int2``: multiples of a step
        :math:`\Delta = 2^e`, the smallest for which all weights that share it are at most
        :math:`2^{b-1} - 1` steps. ``auto``: to :math:`\pm 1.f_1 \ldots f_m \cdot 2^e` with the
        fewest bits m, from 3 to 8, for which the median weight moves by at most `tolerance` sigmas.
        Biases have 10 bits; weights without a sigma have 8.
    sigmas
        For ``auto``: sigma of every weight, by the names of :func:`bayespress.compact.arrays_of`
        and of the same shapes, see :func:`bayespress.compression.sigma_twin`.
    tolerance
        For ``auto``.

    Raises
    ------
    ConfigError
        If there is no such precision, or `tolerance` is not positive.
    """
    if precision == "float32":
        return model
    if precision == "float16":
        return with_arrays(model, {name: _to_half(a) for name, a in arrays_of(model).items()})
    if not tolerance > 0:
        raise ConfigError(f"tolerance must be positive, got {tolerance}")
    bits = _bits_of(precision)
    arrays = {}
    for name, array in arrays_of(model).items():
        sigma = (sigmas or {}).get(name)
        if array.ndim < 2:
            arrays[name] = _to_integers(array, _BIAS_BITS)
        elif bits is None and sigma is not None and sigma.any():
            arrays[name] = _to_sigma(array, sigma, tolerance)
        else:
            arrays[name] = _to_integers(array, bits or _WEIGHT_BITS)
    return with_arrays(model, arrays)


def check_precision(precision: str) -> None:
    """Make sure that there is such a precision.

    Raises
    ------
    ConfigError
        If not.
    """
    if precision not in PRECISIONS:
        _bits_of(precision)


def _bits_of(precision: str) -> int | None:
    """Give the bits of a weight; None where sigma decides."""
    if precision == "auto":
        return None
    if (match := _INTEGERS.fullmatch(precision)) is None:
        choices = ", ".join(PRECISIONS)
        raise ConfigError(f"precision must be one of {choices} (or int2 … int7), got {precision!r}")
    return int(match[1])


def _to_half(array: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        half = array.astype(np.float16).astype(np.float32)
    return half if np.isfinite(half).all() else array


def _to_integers(array: FloatArray, bits: int) -> FloatArray:
    return _to_steps(array, _finest(array, bits))


def _to_sigma(array: FloatArray, sigma: FloatArray, tolerance: float) -> FloatArray:
    # Vectors that share their number of bits, as rows.
    by_rows = len(array) <= array.shape[1]
    vectors, sigmas = (array, sigma) if by_rows else (array.T, sigma.T)
    rounded = np.stack(
        [_to_few_bits(*vector, tolerance) for vector in zip(vectors, sigmas, strict=True)]
    )
    return rounded if by_rows else np.ascontiguousarray(rounded.T)


def _to_few_bits(values: FloatArray, sigmas: FloatArray, tolerance: float) -> FloatArray:
    kept = values != 0
    if not kept.any():
        return values
    for bits in range(_LEAST_FRACTION, _MOST_FRACTION):
        rounded = _to_fraction(values, bits)
        if np.median(np.abs(rounded - values)[kept] / sigmas[kept]) <= tolerance:
            return rounded
    return _to_fraction(values, _MOST_FRACTION)


def _to_fraction(values: FloatArray, bits: int) -> FloatArray:
    """Round to so many bits behind the first."""
    return _to_steps(values, np.ldexp(1.0, np.frexp(values.astype(np.float64))[1] - 1 - bits))


def _finest(array: FloatArray, bits: int) -> NDArray[np.float64]:
    """Give the smallest power of two of which the largest weights are so many bits."""
    # Over the weights that share a step: the longer axis, or all of a vector.
    axis = None
    if array.ndim == 2 and min(array.shape) > 1:
        axis = int(array.shape[0] <= array.shape[1])
    largest = np.abs(array.astype(np.float64)).max(axis=axis, keepdims=True, initial=0.0)
    most = 2 ** (bits - 1) - 1
    exponents = np.ceil(np.log2(np.maximum(largest, 2.0**-100) / most))
    return np.asarray(np.exp2(exponents))


def _to_steps(array: FloatArray, steps: NDArray[np.float64]) -> FloatArray:
    return (np.rint(array / steps) * steps).astype(np.float32)
