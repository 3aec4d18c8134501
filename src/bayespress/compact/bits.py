"""Bytes and bits one after another, without trust in what they claim."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.layout import DamageError

_MAX_SIZE = 2**35 - 1


class ByteReader:
    """Hands out the bytes of a file one piece after another.

    Parameters
    ----------
    data
        The bytes.
    memory
        Bytes of memory that :meth:`claim` grants.
    """

    def __init__(self, data: memoryview, memory: int = 0) -> None:
        self._rest, self._memory = data, memory

    @property
    def left(self) -> int:
        """Number of bytes that are left."""
        return len(self._rest)

    def claim(self, memory: int) -> None:
        """Make sure that the file may ask for so much memory.

        Raises
        ------
        DamageError
            If not.
        """
        if memory > self._memory:
            raise DamageError(
                f"its sizes ask for {memory:,} bytes of memory, over {self._memory:,}"
            )

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


def pack_size(size: int) -> bytes:
    """Write a number seven bits a byte, the lowest first; the high bit says that more follow.

    Examples
    --------
    >>> pack_size(5).hex(), pack_size(300).hex()
    ('05', 'ac02')
    """
    packed = bytearray()
    while size > 0x7F:
        packed.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*packed, size])


def read_size(reader: ByteReader) -> int:
    """Read what :func:`pack_size` wrote.

    Raises
    ------
    DamageError
        If bytes are missing, or there are more than five.
    """
    size, shift = 0, 0
    while True:
        byte = reader.take(1)[0]
        size |= (byte & 0x7F) << shift
        if byte <= 0x7F:
            return size
        shift += 7
        if 1 << shift > _MAX_SIZE:
            raise DamageError("a number does not end")
