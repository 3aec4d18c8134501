"""Arrays as bytes, dense or sparse, and bytes as arrays without trust in what they claim."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.layout import DamageError
from bayespress.compact.model import FloatArray

_DENSE, _SPARSE = b"\0", b"\1"


class ByteReader:
    """Hands out the bytes of a file one piece after another."""

    def __init__(self, data: memoryview) -> None:
        self._rest = data

    def take(self, size: int) -> memoryview:
        """Give the next bytes.

        Raises
        ------
        DamageError
            If there are fewer.
        """
        if size > len(self._rest):
            raise DamageError(f"its sizes ask for {size} bytes where {len(self._rest)} are left")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def end(self) -> None:
        """Make sure that nothing is left.

        Raises
        ------
        DamageError
            If something is.
        """
        if self._rest:
            raise DamageError(f"its sizes leave {len(self._rest)} bytes over")


def pack_flags(flags: NDArray[np.bool_]) -> bytes:
    """Write eight flags a byte, the first one as the lowest bit; the last byte ends in zeros."""
    return bytes(np.packbits(flags, bitorder="little"))


def read_flags(reader: ByteReader, count: int) -> NDArray[np.bool_]:
    """Read what :func:`pack_flags` wrote.

    Raises
    ------
    DamageError
        If bytes are missing, or the bits behind the last flag are not zero.
    """
    packed = np.frombuffer(reader.take((count + 7) // 8), np.uint8)
    flags = np.unpackbits(packed, bitorder="little").view(np.bool_)
    if flags[count:].any():
        raise DamageError("a bitmap has bits behind its end")
    return flags[:count]


def pack_array(array: FloatArray) -> bytes:
    """Write an array dense or sparse, whichever is smaller; -0.0 becomes 0.0."""
    # A pruned negative weight is -0.0 where a mask was multiplied; adding 0.0 takes the sign off.
    values = np.ascontiguousarray(array + np.float32(0.0), "<f4").reshape(-1)
    stored = values != 0
    if (len(values) + 7) // 8 + 4 * np.count_nonzero(stored) < 4 * len(values):
        return _SPARSE + pack_flags(stored) + bytes(values[stored])
    return _DENSE + bytes(values)


def read_array(reader: ByteReader, shape: tuple[int, ...]) -> FloatArray:
    """Read what :func:`pack_array` wrote; takes at most 40 times the memory of the bytes read.

    Raises
    ------
    DamageError
        If bytes are missing, or the kind of block is unknown.
    """
    kind, size = bytes(reader.take(1)), math.prod(shape)
    if kind == _DENSE:
        return _read_values(reader, size).reshape(shape)
    if kind == _SPARSE:
        stored = read_flags(reader, size)
        flat = np.zeros(size, np.float32)
        flat[stored] = _read_values(reader, int(np.count_nonzero(stored)))
        return flat.reshape(shape)
    raise DamageError(f"a block is of the unknown kind {kind[0]}")


def _read_values(reader: ByteReader, count: int) -> FloatArray:
    return np.frombuffer(reader.take(4 * count), "<f4").astype(np.float32)
