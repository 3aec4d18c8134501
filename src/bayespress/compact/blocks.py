"""Arrays as bytes in the smallest of several ways, all of them exact, and bytes as arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.bits import ByteReader, pack_flags, pack_size, read_flags, read_size
from bayespress.compact.layout import DamageError
from bayespress.compact.model import FloatArray
from bayespress.compact.naturals import pack_naturals, read_naturals

_FLOAT32, _FLOAT16, _INTEGERS, _FLOATS = range(4)
_ALL, _BITMAP, _GAPS = 0, 4, 8
_ROWS, _COLUMNS = 16, 17
_MANTISSA = 24
_EXPONENTS = range(-128, 128)
_MAX_FRACTION = 12


def pack_array(array: FloatArray, *, allow_gaps: bool = True) -> bytes:
    """Write an array in the smallest way there is; -0.0 becomes 0.0.

    Parameters
    ----------
    array
        Finite numbers, of one or two dimensions.
    allow_gaps
        Whether places may be written as gaps. Without, an array takes at least a 32nd of its
        memory.
    """
    # A pruned negative weight is -0.0 where a mask was multiplied; adding 0.0 takes the sign off.
    values = np.ascontiguousarray(array + np.float32(0.0), "<f4")
    whole = _pack_vector(values.reshape(-1), allow_gaps)
    if values.ndim != 2 or min(values.shape) < 2:
        return whole
    kind, vectors = (_ROWS, values) if len(values) <= values.shape[1] else (_COLUMNS, values.T)
    apart = b"".join([bytes([kind]), *(_pack_vector(vector, allow_gaps) for vector in vectors)])
    return min(whole, apart, key=len)


def read_array(reader: ByteReader, shape: tuple[int, ...]) -> FloatArray:
    """Read what :func:`pack_array` wrote.

    Takes, beside the array itself, at most 200 times the memory of the bytes read.

    Raises
    ------
    DamageError
        If bytes are missing or do not fit, or the kind of block is unknown.
    """
    kind = reader.take(1)[0]
    if kind not in {_ROWS, _COLUMNS}:
        return _read_vector(reader, kind, math.prod(shape)).reshape(shape)
    if len(shape) != 2:
        raise DamageError("a vector claims to have rows and columns")
    array = np.zeros(shape, np.float32)
    for vector in array if kind == _ROWS else array.T:
        vector[:] = _read_vector(reader, reader.take(1)[0], len(vector))
    return array


def _pack_vector(values: FloatArray, allow_gaps: bool) -> bytes:
    stored = values != 0
    value_kind, packed = _pack_values(values[stored], 1)
    ways = [
        (_BITMAP + value_kind, pack_flags(stored) + packed),
        (_ALL + (every := _pack_values(values, 0))[0], every[1]),
    ]
    if allow_gaps:
        gaps = np.diff(np.flatnonzero(stored), prepend=-1) - 1
        ways.append((_GAPS + value_kind, pack_size(len(gaps)) + pack_naturals(gaps) + packed))
    kind, content = min(ways, key=lambda way: len(way[1]))
    return bytes([kind]) + content


def _read_vector(reader: ByteReader, kind: int, size: int) -> FloatArray:
    pattern, value_kind = kind & ~3, kind & 3
    if pattern not in {_ALL, _BITMAP, _GAPS}:
        raise DamageError(f"a block is of the unknown kind {kind}")
    if pattern == _ALL:
        return _read_values(reader, value_kind, size, 0)
    if pattern == _BITMAP:
        places = np.flatnonzero(read_flags(reader, size))
    else:
        places = np.cumsum(read_naturals(reader, read_size(reader)) + 1) - 1
        if len(places) and places[-1] >= size:
            raise DamageError("gaps lead behind the end of an array")
    vector = np.zeros(size, np.float32)
    vector[places] = _read_values(reader, value_kind, len(places), 1)
    return vector


def _pack_values(values: FloatArray, smallest: int) -> tuple[int, bytes]:
    """Give the smallest kind; `smallest` is 1 where no value is 0, else 0."""
    ways = [(_FLOAT32, bytes(np.ascontiguousarray(values)))]
    with np.errstate(over="ignore"):
        half = values.astype("<f2")
    if np.array_equal(half, values):
        ways.append((_FLOAT16, bytes(half)))
    if (found := _as_integers(values)) is not None:
        integers, exponent = found
        ways.append((_INTEGERS, exponent + pack_naturals(_fold(integers) - smallest)))
    if (floats := _pack_floats(values)) is not None:
        ways.append((_FLOATS, floats))
    return min(ways, key=lambda way: len(way[1]))


def _read_values(reader: ByteReader, kind: int, count: int, smallest: int) -> FloatArray:
    if kind == _INTEGERS:
        exponent = int.from_bytes(reader.take(1), signed=True)
        integers = _unfold(read_naturals(reader, count) + smallest)
        with np.errstate(over="ignore"):  # infinity is found later
            return np.ldexp(integers.astype(np.float64), exponent).astype(np.float32)
    if kind == _FLOATS:
        return _read_floats(reader, count)
    letter, size = ("<f2", 2) if kind == _FLOAT16 else ("<f4", 4)
    return np.frombuffer(reader.take(size * count), letter).astype(np.float32)


def _as_integers(values: FloatArray) -> tuple[NDArray[np.int64], bytes] | None:
    """Give integers q and the exponent e, one byte, of values q 2^e that fit 25 bits."""
    fractions, exponents = np.frexp(values[values != 0].astype(np.float64))
    mantissas = np.ldexp(fractions, _MANTISSA).astype(np.int64)
    lowest = exponents - _MANTISSA + _halvings(mantissas)
    exponent = int(lowest.min(initial=_EXPONENTS[-1]))
    if exponent not in _EXPONENTS:
        return None
    integers = np.ldexp(values.astype(np.float64), -exponent)
    if np.abs(integers).max(initial=0) >= 2**_MANTISSA:
        return None
    return integers.astype(np.int64), exponent.to_bytes(1, signed=True)


def _pack_floats(values: FloatArray) -> bytes | None:
    """Write values other than 0 that have few bits behind the first: these, and the exponent."""
    if not len(values) or not values.all():
        return None
    fractions, exponents = np.frexp(values.astype(np.float64))
    mantissas = np.ldexp(np.abs(fractions), _MANTISSA).astype(np.int64)
    bits = _MANTISSA - 1 - int(_halvings(mantissas).min())
    middle = int(np.median(exponents))
    if bits > _MAX_FRACTION or middle not in _EXPONENTS:
        return None
    behind = (mantissas >> (_MANTISSA - 1 - bits)) - (1 << bits)
    numbers = (_fold(exponents.astype(np.int64) - middle) << bits | behind) << 1 | (values < 0)
    return bytes([bits]) + middle.to_bytes(1, signed=True) + pack_naturals(numbers)


def _read_floats(reader: ByteReader, count: int) -> FloatArray:
    bits, middle = reader.take(1)[0], int.from_bytes(reader.take(1), signed=True)
    if bits > _MAX_FRACTION:
        raise DamageError(f"numbers have {bits} bits behind the first, more than {_MAX_FRACTION}")
    numbers = read_naturals(reader, count)
    signs, numbers = 1 - 2 * (numbers & 1), numbers >> 1
    mantissas = (numbers & ((1 << bits) - 1)) + (1 << bits)
    exponents = np.clip(_unfold(numbers >> bits) + middle, -1000, 1000)
    with np.errstate(over="ignore"):  # infinity is found later
        values = np.ldexp((signs * mantissas).astype(np.float64), exponents - bits - 1)
        return values.astype(np.float32)


def _halvings(integers: NDArray[np.int64]) -> NDArray[np.int32]:
    """Tell how often each can be halved: the place of its lowest bit."""
    return np.frexp((integers & -integers).astype(np.float64))[1] - 1


def _fold(integers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn 0, 1, -1, 2, -2 … into 0, 1, 2, 3, 4 …."""
    return np.where(integers > 0, 2 * integers - 1, -2 * integers)


def _unfold(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Undo :func:`_fold`."""
    half = (numbers + 1) >> 1
    return np.where(numbers & 1, half, -half)
