"""A table of words in C: all of them in one array of bytes, found by their hash."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from bayespress.export.c.literals import byte_array, constants, integer_array, template

_FNV_START, _FNV_FACTOR, _32_BITS = 2166136261, 16777619, 2**32 - 1


def word_table(words: Sequence[str], found: Sequence[int], *, gap: str = "") -> str:
    """Define ``word_bytes``, ``word_starts`` and ``find()``, which gives a word's number or -1.

    Parameters
    ----------
    words
        All words.
    found
        Numbers of those that a text may have.
    gap
        What stands before each word in the array.
    """
    encoded = [word.encode() for word in words]
    pieces = [gap.encode() + word for word in encoded]
    slots = _slots([(number, encoded[number]) for number in found])
    return "".join([
        constants(
            LONGEST_WORD=max([1, *(len(encoded[number]) for number in found)]),
            NUM_SLOTS=len(slots),
            WORD_GAP=len(gap),
        ),
        byte_array("word_bytes", b"".join(pieces)),
        integer_array("word_starts", accumulate(map(len, pieces), initial=0)),
        "/* The number of a word plus 1 in the first free place from that of its hash on. */\n",
        integer_array("word_slots", slots),
        template("words.c"),
    ])  # fmt: skip


def _slots(words: Sequence[tuple[int, bytes]]) -> list[int]:
    """Give each word the first free place from that of its hash on."""
    # Half of them stay free: few words lie beside their place, and each search comes to an end.
    slots = [0] * (1 << (2 * len(words)).bit_length())
    for number, word in words:
        place = _hash(word) % len(slots)
        while slots[place]:
            place = (place + 1) % len(slots)
        slots[place] = number + 1
    return slots


def _hash(word: bytes) -> int:
    value = _FNV_START
    for byte in word:
        value = (value ^ byte) * _FNV_FACTOR & _32_BITS
    return value ^ value >> 16
