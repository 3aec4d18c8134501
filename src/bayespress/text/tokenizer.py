"""Split a text into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Tokenizer:
    r"""Maximal runs of Unicode word characters (letters, digits, underscore: ``\w+``).

    Attributes
    ----------
    lowercase
        Whether the text is lowercased first.

    Examples
    --------
    >>> list(Tokenizer(lowercase=True).words("Not bad, eh?"))
    ['not', 'bad', 'eh']
    """

    lowercase: bool = False

    def words(self, text: str) -> Iterator[str]:
        """Iterate over the words of a text, lazily: a long tail costs nothing if it is not read."""
        for match in _WORD.finditer(text.lower() if self.lowercase else text):
            yield match.group()

    def spans(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Iterate over the words, and the places in the text that became them.

        Returns
        -------
        iterator
            Triples of a word, as :meth:`words` gives it, and the start and the end of the part of
            the text that it was before it was lowercased.

        Examples
        --------
        >>> list(Tokenizer(lowercase=True).spans("İÇ!"))
        [('i', 0, 1), ('ç', 1, 2)]
        """
        lowered = text.lower() if self.lowercase else text
        places: Sequence[int] = range(len(text))
        if len(lowered) != len(text):
            # One character became several: each of those stands where that one stood.
            places = [place for place, character in enumerate(text) for _ in character.lower()]
        for match in _WORD.finditer(lowered):
            yield match.group(), places[match.start()], places[match.end() - 1] + 1
