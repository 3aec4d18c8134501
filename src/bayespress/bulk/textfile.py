"""Text files, read part by part, compressed or not."""

from __future__ import annotations

import codecs
import gzip
import io
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bayespress.bulk.columns import Columns
from bayespress.bulk.cutting import Part, cut
from bayespress.bulk.inputs import Item
from bayespress.bulk.records import (
    DELIMITERS,
    Answers,
    LineRecords,
    ObjectRecords,
    Records,
    TableRecords,
)
from bayespress.data.files import csv_records, decode
from bayespress.errors import DataError

_HEADER_BYTES = 1 << 16
_LEVEL = 6  # of gzip: the tenfold time of level 9 saves a hundredth


@dataclass(frozen=True)
class TextFile:
    """A text file whose answers are text.

    Attributes
    ----------
    item
        The file.
    records
        How its records are read and written.
    """

    item: Item
    records: Records

    @classmethod
    def open(cls, item: Item, columns: Columns) -> TextFile:
        """Look at a file's header, if it is of a kind that has one.

        Raises
        ------
        DataError
            If it cannot be read, or its columns do not suit.
        """
        name = str(item.source)
        if item.kind in DELIMITERS:
            delimiter = DELIMITERS[item.kind]
            header = _header(item, delimiter)
            columns.find([column.strip() for column in header], name)
            return cls(item, TableRecords(name, delimiter, header, columns))
        lines = LineRecords(columns)
        return cls(item, lines if item.kind == ".txt" else ObjectRecords(name, columns))

    def parts(self) -> Iterator[Part]:
        """Iterate over the parts.

        Raises
        ------
        DataError
            If the file cannot be read to its end.
        """
        return _parts(self.item, DELIMITERS.get(self.item.kind))

    def answer(self, part: Part, answers: Answers) -> tuple[bytes, int]:
        """Write the answers to a part; tell how many there are.

        Raises
        ------
        DataError
            If a record breaks a rule of its kind.
        """
        text = decode(part.content, str(self.item.source), part.first)
        lines = self.records.answer(text, part.first, answers)
        # JSON may name half a pair of surrogates, which stays as it is written there.
        return self._packed("".join(lines)), len(lines)

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """Put answers together."""
        with target.open("wb") as file:
            file.write(self._packed(self.records.head()))
            for part in parts:
                with part.open("rb") as answers:
                    shutil.copyfileobj(answers, file, 1 << 20)

    def _packed(self, text: str) -> bytes:
        content = text.encode()
        # Files of gzip that stand one after the other are one; none may tell the time.
        return gzip.compress(content, _LEVEL, mtime=0) if self.item.is_compressed else content


def _header(item: Item, delimiter: str) -> tuple[str, ...]:
    for part in _parts(item, delimiter, _HEADER_BYTES):
        text = decode(part.content, str(item.source))
        for _, record in csv_records(text, str(item.source), delimiter):
            return tuple(record)
    raise DataError(f"{item.source} is empty; it needs a header that names its columns")


def _parts(item: Item, delimiter: str | None, size: int = 0) -> Iterator[Part]:
    before = 0
    with _opened(item) as (stream, stored):
        for first, content in cut(stream, str(item.source), delimiter, size):
            now = stored.tell()
            yield Part(content, first, now - before)
            before = now


@contextmanager
def _opened(item: Item) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file to read it unpacked, and to tell how much of what is stored was read."""
    try:
        with item.source.open("rb") as stored:
            stream = (
                cast("BinaryIO", gzip.GzipFile(fileobj=stored)) if item.is_compressed else stored
            )
            yield _without_mark(stream), stored
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{item.source} is not a whole gzip file: {error}; get it again") from error
    except OSError as error:
        raise DataError(f"cannot read {item.source}: {error.strerror or error}") from error


def _without_mark(stream: BinaryIO) -> BinaryIO:
    if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        stream.seek(0, io.SEEK_SET)
    return stream
