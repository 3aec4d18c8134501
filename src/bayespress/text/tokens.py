"""The whole way from a raw text to the ids of a language model's tokens, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayespress.config import TextConfig

END = "<eos>"
"""The token that ends each line, at word level."""
UNKNOWN = "<unk>"
"""The token that stands for words without an id, at word level."""

_BLOCK = 2**20
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
NO_SPACE_BEFORE = frozenset(".,;:!?)]}%…”’")
NO_SPACE_AFTER = frozenset("([{“‘$#")
"""Marks that are written without a space before and after them, where marks are tokens."""


@dataclass(frozen=True)
class TokenEncoder:
    r"""Tokens of a language model and their ids.

    At word level a text is its lines' words, each line break being the token ``<eos>``; what has
    no id becomes ``<unk>`` where that has one. At character level every character is a token. A
    token that has no id and no ``<unk>`` to stand for it is left out.

    Attributes
    ----------
    level
        ``word`` or ``char``.
    tokenizer
        At word level, ``words`` (words and punctuation marks: ``\w+(['’]\w+)*`` or one character
        that is neither a word's nor white space) or ``spaces`` (what stands between white space).
    lowercase
        Whether the text is lowercased first.
    tokens
        The token of each id.

    Examples
    --------
    >>> encoder = TokenEncoder("word", "words", True, ("the", "end", ".", "<eos>"))
    >>> encoder.encode("The very end.\n").tolist(), encoder.unknown("The very end.")
    ([0, 1, 2, 3], ['very'])
    >>> "".join(encoder.decode([0, 1, 2, 3, 0]))
    'the end.\nthe'
    """

    level: str
    tokenizer: str
    lowercase: bool
    tokens: tuple[str, ...] = field(repr=False)

    @classmethod
    def fit(cls, text: str, config: TextConfig) -> TokenEncoder:
        """Choose the tokens from a training text, the most frequent ones first."""
        empty = cls(config.level, config.tokenizer, config.lowercase, ())
        # most_common() is stable: tokens of equal frequency stay in order of first appearance.
        ranked = [token for token, _ in Counter(empty.split(text)).most_common()]
        kept = ranked
        if config.min_documents > 1:
            lines = Counter(chain.from_iterable(map(set, empty.lines(text))))
            kept = [token for token in ranked if lines[token] >= config.min_documents]
        kept = kept[: config.vocabulary_size]
        if config.level == "word" and len(kept) < len(ranked):
            # Both are needed, however rare: what was cut becomes <unk>, and each line has an end.
            kept += [token for token in (END, UNKNOWN) if token not in kept]
        return cls(config.level, config.tokenizer, config.lowercase, tuple(kept))

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of each token."""
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def _id_of_code(self) -> NDArray[np.int32]:
        # One entry more than the highest code point needs: it stands for all that are higher.
        codes = [ord(character) for character in self.tokens]
        table = np.full(max(codes, default=-1) + 2, -1, np.int32)
        table[codes] = np.arange(len(codes))
        return table

    def split(self, text: str) -> Iterable[str]:
        """Split a text into tokens, line breaks included."""
        if self.level == "char":
            return text.lower() if self.lowercase else text
        return chain.from_iterable(self.lines(text))

    def lines(self, text: str) -> Iterator[Sequence[str]]:
        """Iterate over the tokens of each line, line breaks included."""
        is_char, end = self.level == "char", ["\n" if self.level == "char" else END]
        split = list if is_char else (_WORD.findall if self.tokenizer == "words" else str.split)
        for block in _blocks(text):
            *whole, rest = (block.lower() if self.lowercase else block).split("\n")
            for line in whole:
                yield [*split(line), *end]
            if rest:
                yield split(rest)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Turn a text into ids, shape ``(tokens of the text,)``."""
        if self.level == "char":
            return self._encode_characters(text.lower() if self.lowercase else text)
        get, default = self.ids.get, self.ids.get(UNKNOWN, -1)
        ids = np.fromiter((get(token, default) for token in self.split(text)), np.int32)
        return ids[ids >= 0]

    def _encode_characters(self, text: str) -> NDArray[np.int32]:
        # Code points as numbers: books have millions of characters.
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<i4")
        ids = self._id_of_code.take(codes, mode="clip")
        return ids[ids >= 0]

    def unknown(self, text: str) -> list[str]:
        """Name the tokens of a text that have no id, each once, in order of appearance."""
        known = self.ids
        return [token for token in dict.fromkeys(self.split(text)) if token not in known]

    def decode(self, ids: Iterable[int], previous: int | None = None) -> Iterator[str]:
        """Turn ids into pieces of text, one for each id; joined they are the text.

        Parameters
        ----------
        ids
            What to write.
        previous
            The id before them: words are set apart from it.
        """
        before = END if previous is None else self.tokens[previous]
        for number in ids:
            token = self.tokens[number]
            yield token if self.level == "char" else self._piece(before, token)
            before = token

    def _piece(self, before: str, token: str) -> str:
        if token == END:
            return "\n"
        joined = before == END or (
            self.tokenizer == "words" and (token in NO_SPACE_BEFORE or before in NO_SPACE_AFTER)
        )
        return token if joined else f" {token}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for checkpoints."""
        return {
            "level": self.level,
            "tokenizer": self.tokenizer,
            "lowercase": self.lowercase,
            "tokens": list(self.tokens),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TokenEncoder:
        """Make an encoder of what :meth:`to_dict` returned."""
        return cls(**{**values, "tokens": tuple(values["tokens"])})


def _blocks(text: str) -> Iterator[str]:
    """Cut a text at ends of lines: of a large one, lists of all lines would be larger still."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _BLOCK) + 1 or len(text)
        yield text[start:end]
        start = end
