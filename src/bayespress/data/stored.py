"""Rows whose texts are in a file and not in memory: data sets that are larger than memory."""

from __future__ import annotations

import tempfile
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from bayespress.data.model import Label, Row
from bayespress.errors import BayespressError
from bayespress.storage import StorageError, cache_folder


class TextStore:
    """A file of texts, and what little of their rows is kept in memory.

    The file has no name: it is gone as soon as nobody has the store, however the program ends. It
    is made in the cache folder, since that for temporary files may be memory itself.
    """

    def __init__(self) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=_folder())  # noqa: SIM115 - closed below
        except OSError as error:
            raise StorageError(
                f"cannot store texts: {error}; choose another place with BAYESPRESS_CACHE"
            ) from None
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])
        self._codes = array("i")
        self._labels: list[Label] = []
        self._numbers: dict[Label, int] = {}
        self._parts: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._codes)

    def store(self, rows: Iterable[Row], origin: str) -> StoredRows:
        """Write rows as they come, and give them back as a sequence.

        Raises
        ------
        StorageError
            If the disk is full.
        """
        start = len(self)
        self._parts.append((start, origin))
        try:
            for row in rows:
                self._add(row)
            self._file.flush()
        except OSError as error:
            raise StorageError(
                f"cannot store the texts of {origin}: {error.strerror or error}; free some space, "
                "or choose another place with BAYESPRESS_CACHE"
            ) from None
        return StoredRows(self, np.arange(start, len(self)))

    def _add(self, row: Row) -> None:
        content = row.text.encode("utf-8", "surrogatepass")
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))
        if row.label not in self._numbers:
            self._numbers[row.label] = len(self._labels)
            self._labels.append(row.label)
        self._codes.append(self._numbers[row.label])

    def text(self, index: int) -> str:
        """Read a text."""
        start, end = self._ends[index], self._ends[index + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def labels(self, indices: NDArray[np.int64]) -> tuple[Label, ...]:
        """Give the labels of rows, each the same object wherever it occurs."""
        return tuple(self._labels[self._codes[index]] for index in indices.tolist())

    def row(self, index: int) -> Row:
        """Read a row."""
        part = bisect_right(self._parts, index, key=lambda one: one[0]) - 1
        start, origin = self._parts[part]
        label = self._labels[self._codes[index]]
        return Row(self.text(index), label, origin, index - start + 1, "row")


class StoredRows(Sequence[Row]):
    """Rows of a store, in any order.

    Attributes
    ----------
    store
        Where they are.
    indices
        Their positions there, shape ``(N,)``.
    """

    def __init__(self, store: TextStore, indices: NDArray[np.int64]) -> None:
        self.store, self.indices = store, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> StoredRows: ...
    def __getitem__(self, place: int | slice) -> Row | StoredRows:
        if isinstance(place, slice):
            return StoredRows(self.store, self.indices[place])
        return self.store.row(int(self.indices[place]))

    @property
    def texts(self) -> StoredTexts:
        """The texts alone."""
        return StoredTexts(self.store, self.indices)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The labels alone."""
        return self.store.labels(self.indices)


class StoredTexts(Sequence[str]):
    """Texts of a store, in any order."""

    def __init__(self, store: TextStore, indices: NDArray[np.int64]) -> None:
        self.store, self.indices = store, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> StoredTexts: ...
    def __getitem__(self, place: int | slice) -> str | StoredTexts:
        if isinstance(place, slice):
            return StoredTexts(self.store, self.indices[place])
        return self.store.text(int(self.indices[place]))


def labels_of(rows: Sequence[Row]) -> Iterable[Label]:
    """Give the labels of rows; of stored ones without reading a text."""
    return rows.labels if isinstance(rows, StoredRows) else (row.label for row in rows)


def chosen(rows: Sequence[Row], indices: NDArray[np.int64]) -> Sequence[Row]:
    """Take the rows of these positions, in this order; stored ones stay where they are."""
    if isinstance(rows, StoredRows):
        return StoredRows(rows.store, rows.indices[indices])
    return [rows[index] for index in indices]


def joined(parts: Iterable[Sequence[Row]]) -> Sequence[Row]:
    """Put rows together; those of one store stay where they are."""
    given = list(parts)
    first, *others = given
    if isinstance(first, StoredRows):
        alike = [part for part in others if isinstance(part, StoredRows)]
        if all(part.store is first.store for part in alike) and len(alike) == len(others):
            indices = np.concatenate([first.indices, *(part.indices for part in alike)])
            return StoredRows(first.store, indices)
    return [row for part in given for row in part]


def _folder() -> Path | None:
    """Tell where files may be large; None is the system's place for temporary ones."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except BayespressError:  # platformdirs is missing; there is no home
        return None
    return folder
