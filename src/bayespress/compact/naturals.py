"""Natural numbers in few bits, by Rice's code, whose two parts stand apart.

A number v is split at bit k: the lower part in k bits, the upper one, v >> k, as so many zeros and
a one. All lower parts come first, then all upper ones, so that whole arrays are read at once.

References
----------
Rice, R. F.: *Some Practical Universal Noiseless Coding Techniques*, JPL Publication 79-22, 1979.
Elias, P.: *Efficient Storage and Retrieval by Content and Address of Static Files*, Journal of the
ACM 21 (2), 1974 (the two parts apart).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.bits import ByteReader, pack_flags, pack_size, read_flags, read_size
from bayespress.compact.layout import DamageError

_MAX_SPLIT = 30
Naturals = NDArray[np.int64]


def pack_naturals(numbers: Naturals) -> bytes:
    """Write numbers from 0 to below 2 ** 31; how many there are must be known to the reader.

    One byte for k, ``ceil(k n / 8)`` bytes of lower parts, the number of bytes that follow (see
    :func:`~bayespress.compact.bits.pack_size`), and these: the upper parts. Nothing for no numbers.
    """
    if not len(numbers):
        return b""
    split = _best_split(numbers)
    ends = np.cumsum((numbers >> split) + 1) - 1
    upper = np.zeros(ends[-1] + 1, bool)
    upper[ends] = True
    lower, packed = _to_bits(numbers, split), pack_flags(upper)
    return bytes([split]) + pack_flags(lower) + pack_size(len(packed)) + packed


def _best_split(numbers: Naturals) -> int:
    """Choose k for the fewest bits."""
    longest = min(int(numbers.max()).bit_length(), _MAX_SPLIT)
    bits = [k * len(numbers) + int((numbers >> k).sum()) for k in range(longest + 1)]
    return bits.index(min(bits))


def read_naturals(reader: ByteReader, count: int) -> Naturals:
    """Read so many numbers; takes at most 200 times the memory of the bytes read.

    Raises
    ------
    DamageError
        If bytes are missing or the parts do not fit.
    """
    if not count:
        return np.zeros(0, np.int64)
    if count > 8 * reader.left:  # each has a one among the upper parts
        raise DamageError(f"its sizes ask for {count} numbers where {reader.left} bytes are left")
    split = reader.take(1)[0]
    if split > _MAX_SPLIT:
        raise DamageError(f"numbers are split at bit {split}, more than {_MAX_SPLIT}")
    lower = _from_bits(read_flags(reader, split * count).reshape(count, split))
    size = read_size(reader)
    ends = np.flatnonzero(read_flags(reader, 8 * size))
    if len(ends) != count or ends[-1] < 8 * size - 8:
        raise DamageError("the upper parts of numbers do not fit their count")
    upper = np.diff(ends, prepend=-1) - 1
    return (upper << split) | lower


def _to_bits(numbers: Naturals, count: int) -> NDArray[np.bool_]:
    """Give so many bits of each number, the lowest first: ``(n,)`` to ``(n, k)``."""
    bits = np.empty((len(numbers), count), bool)
    for place in range(count):
        bits[:, place] = (numbers >> place) & 1
    return bits


def _from_bits(bits: NDArray[np.bool_]) -> Naturals:
    """Put bits together, the lowest first: ``(n, k)`` to ``(n,)``."""
    numbers = np.zeros(len(bits), np.int64)
    for place, column in enumerate(bits.T):
        numbers |= column.astype(np.int64) << place
    return numbers
