"""The whole way from a raw text to the ids of a language model's tokens, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayespress.config import TextConfig

END = "<eos>"
"""The token that ends each line, at word level."""
UNKNOWN = "<unk>"
"""The token that stands for words without an id, at word level."""

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_NO_SPACE_BEFORE = frozenset(".,;:!?)]}%…”’")
_NO_SPACE_AFTER = frozenset("([{“‘$#")


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
        frequency: Counter[str] = Counter()
        lines: Counter[str] = Counter()
        for line in empty.lines(text):
            counts = Counter(line)
            frequency.update(counts)
            lines.update(counts.keys())
        ranked = [token for token, _ in frequency.most_common()]
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

    def lines(self, text: str) -> Iterator[Sequence[str]]:
        """Iterate over the tokens of each line, line breaks included."""
        *whole, rest = (text.lower() if self.lowercase else text).split("\n")
        is_char, end = self.level == "char", ["\n" if self.level == "char" else END]
        split = list if is_char else (_WORD.findall if self.tokenizer == "words" else str.split)
        for line in whole:
            yield [*split(line), *end]
        if rest:
            yield split(rest)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Turn a text into ids, shape ``(tokens of the text,)``."""
        get, default = self.ids.get, self._default
        found = (get(token, default) for line in self.lines(text) for token in line)
        return np.fromiter((number for number in found if number >= 0), np.int32)

    def unknown(self, text: str) -> list[str]:
        """Name the tokens of a text that have no id, each once, in order of appearance."""
        known = self.ids
        found = (token for line in self.lines(text) for token in line if token not in known)
        return list(dict.fromkeys(found))

    @property
    def _default(self) -> int:
        return self.ids.get(UNKNOWN, -1) if self.level == "word" else -1

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
            self.tokenizer == "words" and (token in _NO_SPACE_BEFORE or before in _NO_SPACE_AFTER)
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
