r"""What Python says of characters, as short tables: other languages' Unicode is another version's.

Python's ``\w`` is ``str.isalnum()`` or an underscore, its ``\s`` is ``str.isspace()``, and
``str.lower()`` knows the letters of the Unicode that came with Python. Browsers come with older or
newer ones, and their ``\w`` is ASCII alone. Tables that travel with a model make its tokens the
same everywhere.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

OF_LOWERCASE = ("cased", "ignorable", "lower", "longer")
"""The tables that lowercasing needs."""

_CODES = range(sys.maxunicode + 1)
_SIGMA, _FINAL_SIGMA = "Σ", "ς"


def tables(names: Iterable[str]) -> dict[str, Any]:
    r"""Give tables by name.

    Parameters
    ----------
    names
        - ``word``: the set of what matches ``\w``, see :func:`pack_set`.
        - ``space``: the set of what matches ``\s`` and of where ``str.split()`` splits.
        - ``cased``: the set of what makes a capital sigma behind it final, at a word's end.
        - ``ignorable``: the set of what a capital sigma overlooks on the way to such a character.
        - ``lower``: characters whose lowercase is one other character, see :func:`pack_lower`.
        - ``longer``: those whose lowercase is more than one, each with its lowercase.
    """
    return {name: _table(name) for name in names}


@cache
def _table(name: str) -> Any:
    if name == "lower":
        return pack_lower()
    if name == "longer":
        return {chr(code): lower for code in _CODES if len(lower := chr(code).lower()) > 1}
    return pack_set(_SETS[name])


def pack_set(contains: Callable[[str], bool]) -> str:
    """Write a set of characters as the distances between the places where it begins and ends."""
    members = [False, *(contains(chr(code)) for code in _CODES), False]
    bounds = [place for place, (a, b) in enumerate(pairwise(members)) if a != b]
    return pack_numbers(after - before for before, after in pairwise([0, *bounds]))


def pack_lower() -> str:
    """Write the characters whose lowercase is one other character.

    Those that stand together, or each next but one to the one before, and have one distance from
    their lowercase, are three numbers: how far the first one is from the first one before them,
    ``2 count + step - 1``, and the distance d as 2 d, or as -2 d - 1 where it is negative.
    """
    numbers, before = [], 0
    for codes in _runs():
        distance = ord(chr(codes[0]).lower()) - codes[0]
        numbers += [
            codes[0] - before,
            2 * len(codes) + codes.step - 1,
            2 * distance if distance >= 0 else -2 * distance - 1,
        ]
        before = codes[0]
    return pack_numbers(numbers)


def pack_numbers(numbers: Iterable[int]) -> str:
    """Write numbers of at least 0 as base64 of LEB128: seven bits a byte, the lowest first.

    Examples
    --------
    >>> base64.b64decode(pack_numbers([5, 300])).hex()
    '05ac02'
    """
    return base64.b64encode(bytes(byte for number in numbers for byte in _leb128(number))).decode()


def _leb128(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def _runs() -> list[range]:
    """Group the characters of one lowercase as :func:`pack_lower` says."""
    runs: list[range] = []
    for code in _CODES:
        lower = chr(code).lower()
        if lower == chr(code) or len(lower) > 1:
            continue
        last = runs[-1] if runs else range(0)
        step = code - last[-1] if len(last) == 1 else last.step
        fits = last and step in (1, 2) and code == last[-1] + step
        if fits and ord(lower) - code == ord(chr(last[0]).lower()) - last[0]:
            runs[-1] = range(last[0], code + 1, step)
        else:
            runs.append(range(code, code + 1))
    return runs


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_cased(character: str) -> bool:
    return _makes_final(character)


def _is_ignorable(character: str) -> bool:
    # Behind a letter, sigma is final after either kind; behind nothing, after cased ones alone.
    return _makes_final("A" + character) and not _is_cased(character)


def _makes_final(text: str) -> bool:
    return (text + _SIGMA).lower().endswith(_FINAL_SIGMA)


_SETS = {"word": _is_word, "space": str.isspace, "cased": _is_cased, "ignorable": _is_ignorable}
