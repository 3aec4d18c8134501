"""Split a text into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
