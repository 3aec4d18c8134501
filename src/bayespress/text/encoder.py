"""The whole way from a raw text to ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayespress.text.tokenizer import Tokenizer
from bayespress.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from bayespress.config import TextConfig


@dataclass(frozen=True)
class TextEncoder:
    """Tokenizer, vocabulary and length limit: all that decides what a network reads of a text.

    Examples
    --------
    >>> from bayespress.config import TextConfig
    >>> encoder = TextEncoder.fit(["so good", "so bad"], TextConfig(min_documents=1))
    >>> encoder.encode("so so!").tolist()
    [1, 1]
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    max_length: int

    @classmethod
    def fit(cls, texts: Iterable[str], config: TextConfig) -> TextEncoder:
        """Choose the vocabulary from training texts."""
        tokenizer = Tokenizer(config.lowercase)
        vocabulary = Vocabulary.build(
            (tokenizer.words(text) for text in texts),
            size=config.vocabulary_size,
            min_documents=config.min_documents,
            unknown=config.unknown,
        )
        return cls(tokenizer, vocabulary, config.max_length)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Turn a text into at most `max_length` row numbers, shape ``(length,)``."""
        ids = self.vocabulary.ids(self.tokenizer.words(text), self.max_length)
        return np.array(ids, dtype=np.int32)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, for checkpoints."""
        vocabulary = self.vocabulary
        return {
            "lowercase": self.tokenizer.lowercase,
            "max_length": self.max_length,
            "rows": dict(vocabulary.rows),
            "num_rows": vocabulary.num_rows,
            "default": vocabulary.default,
            "prefix": vocabulary.prefix,
            "suffix": vocabulary.suffix,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TextEncoder:
        """Make an encoder of what :meth:`to_dict` returned."""
        vocabulary = Vocabulary(
            MappingProxyType(values["rows"]),
            values["num_rows"],
            values["default"],
            values["prefix"],
            values["suffix"],
        )
        return cls(Tokenizer(values["lowercase"]), vocabulary, values["max_length"])

    def restrict(self, keep: NDArray[np.bool_]) -> tuple[TextEncoder, NDArray[np.intp]]:
        """Drop rows of the vocabulary, see :meth:`Vocabulary.restrict`."""
        vocabulary, rows = self.vocabulary.restrict(keep)
        return replace(self, vocabulary=vocabulary), rows
