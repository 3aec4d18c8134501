"""Python's own knowledge of characters as compact tables, for programs in other languages.

Tables are read off ``re`` and ``str`` themselves, not off a copy of Unicode's files: what is
exported reads a text as this Python does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

END_OF_CHARACTERS = sys.maxunicode + 1
PLANE = 2**16
"""Unicode numbers its characters in planes of so many."""
PLANES = END_OF_CHARACTERS // PLANE
CAPITAL_SIGMA = "Σ"
SMALL_SIGMAS = frozenset("σς")

Range = tuple[int, int]
"""First code point, and the one behind the last."""


@dataclass(frozen=True)
class Step:
    """Characters whose lowercase is one character: first, first + step … last, each plus `add`."""

    first: int
    last: int
    step: int
    add: int


@dataclass(frozen=True)
class Lowering:
    """What ``str.lower()`` does, as far as it is needed.

    Attributes
    ----------
    steps
        Characters beyond ASCII whose lowercase is one character.
    several
        Characters whose lowercase is several.
    sigma
        Whether the two small sigmas must be told apart: ``lower()`` makes the final one of a
        capital sigma at the end of a word.
    """

    steps: tuple[Step, ...]
    several: dict[int, str]
    sigma: bool


@cache
def word_ranges() -> tuple[Range, ...]:
    r"""Characters of words, ``\w``."""
    return _ranges_of(re.compile(r"\w+"))


@cache
def space_ranges() -> tuple[Range, ...]:
    r"""White space, ``\s`` and what ``str.split()`` splits at."""
    return _ranges_of(re.compile(r"\s+"))


@cache
def sigma_context() -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Characters that the rule of the final sigma passes over, and letters, as it sees them."""
    # The sigma is final behind a letter unless a letter follows; what is passed over does not
    # count. So each character shows what it is behind a sigma, with and without a letter next.
    final, ignored, cased = "aς", [], []
    for code in range(END_OF_CHARACTERS):
        character = chr(code)
        if not f"a{CAPITAL_SIGMA}{character}".lower().startswith(final):
            cased.append(code)
        elif not f"a{CAPITAL_SIGMA}{character}a".lower().startswith(final):
            ignored.append(code)
    return _joined(ignored), _joined(cased)


def bounds(ranges: Iterable[Range]) -> tuple[list[int], list[int]]:
    """Write ranges as the places within each plane where one begins or has ended, in turn.

    Returns
    -------
    bounds, planes
        16-bit numbers, and the index of each plane's first, with that behind the last at the end.
        An odd number of bounds up to a place means that it is inside.

    Examples
    --------
    >>> numbers, planes = bounds([(48, 58), (65535, 65537)])
    >>> numbers, planes[:3]
    ([48, 58, 65535, 0, 1], [0, 3, 5])
    """
    found: list[list[int]] = [[] for _ in range(PLANES)]
    for first, end in ranges:
        for plane in range(first // PLANE, (end - 1) // PLANE + 1):
            found[plane].append(max(first - plane * PLANE, 0))
            if end < (plane + 1) * PLANE:
                found[plane].append(end - plane * PLANE)
    planes = [sum(map(len, found[:plane])) for plane in range(PLANES + 1)]
    return [bound for plane in found for bound in plane], planes


def lowering(known: str, class_of: Callable[[str], str]) -> Lowering:
    """Tell what of ``str.lower()`` bears on the tokens of a text.

    A character may stay as it is if that neither changes where tokens begin and end nor which of
    them are known.

    Parameters
    ----------
    known
        All characters of all known tokens.
    class_of
        Names a character's part in the division of a text into tokens.
    """
    characters = set(known)
    needed = {
        code: lower
        for code, lower in _lowercase().items()
        if [*map(class_of, lower)] != [class_of(chr(code))]
        or not characters.isdisjoint({chr(code), *lower})
    }
    several = {code: lower for code, lower in needed.items() if len(lower) > 1}
    # All of them may take fewer steps than those that are needed, which have gaps.
    steps = min(_steps(needed), _steps(_lowercase()), key=len)
    return Lowering(steps, several, not SMALL_SIGMAS.isdisjoint(characters))


def _ranges_of(pattern: re.Pattern[str]) -> tuple[Range, ...]:
    return tuple(match.span() for match in pattern.finditer(_all_characters()))


@cache
def _all_characters() -> str:
    return "".join(map(chr, range(END_OF_CHARACTERS)))


@cache
def _lowercase() -> dict[int, str]:
    """Lowercase of the characters beyond ASCII that have another one."""
    return {
        code: lower
        for code in range(128, END_OF_CHARACTERS)
        if (lower := (character := chr(code)).lower()) != character
    }


def _joined(codes: Sequence[int]) -> tuple[Range, ...]:
    """Join neighbours among rising numbers to ranges."""
    if not codes:
        return ()
    gaps = [number for number, (a, b) in enumerate(pairwise(codes), 1) if b != a + 1]
    return tuple(
        (codes[first], codes[end - 1] + 1) for first, end in pairwise([0, *gaps, len(codes)])
    )


def _steps(lowercase: Mapping[int, str]) -> tuple[Step, ...]:
    """Put rising characters of equal addend and distance together."""
    found: list[Step] = []
    for code, lower in lowercase.items():
        if len(lower) > 1:
            continue
        add, last = ord(lower) - code, found[-1] if found else None
        distance = code - last.last if last else 0
        if last and last.add == add and distance in _distances(last):
            found[-1] = Step(last.first, code, distance, add)
        else:
            found.append(Step(code, code, 1, add))
    return tuple(found)


def _distances(step: Step) -> tuple[int, ...]:
    """Give the distances at which a next character goes on with these."""
    return (1, 2) if step.first == step.last else (step.step,)
