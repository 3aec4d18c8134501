"""Which word has which embedding row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

ZERO_ROW = 0
"""The id of the zero vector: padding, unknown words and pruned words."""

_START_ROW, _UNKNOWN_ROW, _FIRST_WORD_ROW = 1, 2, 3
_LEXICON_SIZE = 100_000


@dataclass(frozen=True)
class Vocabulary:
    """A map from words to rows of an embedding table; row 0 stands for the zero vector.

    Attributes
    ----------
    rows
        Row of every word that takes a time step of its own choice. Row 0 is the zero vector.
    num_rows
        Rows of the table, row 0 included.
    default
        Row of all other words; None leaves them out: they take no time step.
    prefix, suffix
        Row of a token before the first and after the last word; None for no such token.

    Examples
    --------
    >>> vocabulary = Vocabulary.build([["a", "b"], ["b"]], size=9, min_documents=1)
    >>> dict(vocabulary.rows), vocabulary.ids(["b", "new", "a"], max_length=9)
    ({'b': 1, 'a': 2}, [1, 0, 2])
    """

    rows: Mapping[str, int] = field(repr=False)
    num_rows: int
    default: int | None = ZERO_ROW
    prefix: int | None = None
    suffix: int | None = None

    @classmethod
    def build(
        cls,
        documents: Iterable[Iterable[str]],
        *,
        size: int,
        min_documents: int,
        unknown: str = "zero",
    ) -> Vocabulary:
        """Choose the most frequent words of the training documents.

        Parameters
        ----------
        documents
            The words of each training text.
        size
            At most this many words get a row (``learned``: three fewer, the papers' table).
        min_documents
            Words that occur in fewer documents are left out.
        unknown
            ``zero``: any other word is the zero vector. ``learned``: the papers' preprocessing
            (Chirkova et al. 2018): a start token, a learned vector for words of the 100,000
            most frequent that have no row, one of which ends each text; other words are skipped.
        """
        frequency: Counter[str] = Counter()
        document_count: Counter[str] = Counter()
        for document in documents:
            counts = Counter(document)
            frequency.update(counts)
            document_count.update(counts.keys())
        # most_common() is stable: words of equal frequency stay in order of first appearance.
        ranked = [
            word for word, _ in frequency.most_common() if document_count[word] >= min_documents
        ]
        if unknown == "zero":
            kept = ranked[:size]
            return cls(
                MappingProxyType({word: row for row, word in enumerate(kept, 1)}), len(kept) + 1
            )
        return cls._with_learned_unknown(ranked[:_LEXICON_SIZE], size)

    @classmethod
    def _with_learned_unknown(cls, lexicon: Sequence[str], size: int) -> Vocabulary:
        rows = {
            word: row if row < size else _UNKNOWN_ROW
            for row, word in enumerate(lexicon, _FIRST_WORD_ROW)
        }
        return cls(
            MappingProxyType(rows),
            num_rows=size + _FIRST_WORD_ROW,
            default=None,
            prefix=_START_ROW,
            suffix=_UNKNOWN_ROW,
        )

    @property
    def skips(self) -> bool:
        """Whether some words take no time step, so that the words that do must be known."""
        return self.default is None

    @property
    def words(self) -> tuple[str | None, ...]:
        """The word of each row; None where a row belongs to no single word."""
        words: list[str | None] = [None] * self.num_rows
        shared = {ZERO_ROW, self.default, self.prefix, self.suffix}
        for word, row in self.rows.items():
            if row not in shared:
                words[row] = word
        return tuple(words)

    def ids(self, words: Iterable[str], max_length: int) -> list[int]:
        """Turn words into at most `max_length` row numbers."""
        ids = [] if self.prefix is None else [self.prefix]
        rows, default = self.rows, self.default
        for word in words:
            if len(ids) >= max_length:
                break
            row = rows.get(word, default)
            if row is not None:
                ids.append(row)
        if self.suffix is not None and len(ids) < max_length:
            ids.append(self.suffix)
        return ids[:max_length]

    def restrict(self, keep: NDArray[np.bool_]) -> tuple[Vocabulary, NDArray[np.intp]]:
        """Drop rows: their words become the zero vector.

        Parameters
        ----------
        keep
            Which rows stay, shape ``(num_rows,)``. Rows that no token refers to go in any case.

        Returns
        -------
        vocabulary, rows
            The smaller vocabulary, and the old number of each of its rows from 1 on: the new
            table, without its zero row, is ``table[rows]``.
        """
        used = np.zeros(self.num_rows, dtype=bool)
        used[list({*self.rows.values(), *self._special_rows()})] = True
        used[ZERO_ROW] = False
        old = np.flatnonzero(used & keep)
        new_row = np.full(self.num_rows, ZERO_ROW)
        new_row[old] = np.arange(1, len(old) + 1)
        rows = {word: int(new_row[row]) for word, row in self.rows.items()}
        if not self.skips:
            # A word without a row is the zero vector anyway: the file need not name it.
            rows = {word: row for word, row in rows.items() if row != ZERO_ROW}
        default, prefix, suffix = (
            None if row is None else int(new_row[row]) for row in self._special
        )
        smaller = Vocabulary(MappingProxyType(rows), len(old) + 1, default, prefix, suffix)
        return smaller, old

    def rows_in(self, smaller: Vocabulary) -> NDArray[np.int32]:
        """Tell what each row has become in a restriction of this vocabulary, by its words.

        Returns
        -------
        ndarray
            New number of every row, 0 where it was dropped, shape ``(num_rows,)``.
        """
        new = np.zeros(self.num_rows, np.int32)
        for word, row in self.rows.items():
            new[row] = smaller.rows.get(word, ZERO_ROW)
        for old, now in zip(self._special, smaller._special, strict=True):
            if old is not None and now is not None:
                new[old] = now
        return new

    @property
    def _special(self) -> tuple[int | None, int | None, int | None]:
        return self.default, self.prefix, self.suffix

    def _special_rows(self) -> list[int]:
        return [row for row in self._special if row is not None]


def renumbering(num_rows: int, rows: NDArray[np.intp]) -> NDArray[np.int32]:
    """Tell what each row has become, from what :meth:`Vocabulary.restrict` says.

    Returns
    -------
    ndarray
        New number of every row, 0 where it was dropped, shape ``(num_rows,)``.

    Examples
    --------
    >>> renumbering(5, np.array([1, 4])).tolist()
    [0, 1, 0, 0, 2]
    """
    new = np.zeros(num_rows, np.int32)
    new[rows] = np.arange(1, len(rows) + 1)
    return new
