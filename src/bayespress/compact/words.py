"""Words as bytes: each one's beginning is taken from the one before."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Bytes that UTF-8 never has: each begins a word, and says how many bytes it shares.
_FIRST_MARK, _LAST_MARK = 0xF5, 0xFF
MARK = re.compile(rb"([\xf5-\xff])")


def pack_words(words: Sequence[str]) -> bytes:
    r"""Write words one after another, in UTF-8.

    Each begins with a byte F5 + n, where n is the number of bytes, 0 to 10, that it shares with the
    word before; those are left out.

    Raises
    ------
    UnicodeEncodeError
        If a word has half a pair of surrogates.

    Examples
    --------
    >>> pack_words(["bad", "badly"])
    b'\xf5bad\xf8ly'
    """
    packed, before = bytearray(), b""
    for word in words:
        letters = word.encode()
        shared = _shared(before, letters)
        packed += bytes([_FIRST_MARK + shared]) + letters[shared:]
        before = letters
    return bytes(packed)


def _shared(one: bytes, other: bytes) -> int:
    most = min(len(one), len(other), _LAST_MARK - _FIRST_MARK)
    return next((k for k in range(most) if one[k] != other[k]), most)


def read_words(packed: bytes) -> list[str]:
    """Read what :func:`pack_words` wrote.

    Raises
    ------
    ValueError
        If a word shares more bytes than the one before has, or is not UTF-8, or something stands
        before the first.
    """
    before, *rest = MARK.split(packed)
    if before:
        raise ValueError("bytes stand before the first word")
    words = []
    for mark, end in zip(rest[::2], rest[1::2], strict=True):
        shared = mark[0] - _FIRST_MARK
        if shared > len(before):
            raise ValueError("a word shares more than there is")
        before = before[:shared] + end
        words.append(before.decode())
    return words
