"""Cut a stream of records into parts of about the same size, each of whole records.

Where it is cut depends on the content alone, so that a part is the same however often, and by how
many processes, a file is read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from bayespress.errors import DataError

PART_BYTES = 1 << 22
"""Of a part, before compression."""
_LONGEST_RECORD = 1 << 28
_QUOTE, _NEWLINE = b'"', b"\n"
_BEFORE_QUOTES = b'\n\r"'
"""What may stand before a quotation mark that opens a field, besides the delimiter."""


@dataclass(frozen=True)
class Part:
    """Whole records of a file.

    Attributes
    ----------
    content
        Their bytes.
    first
        The line, or row, of the file that they begin with; from 1.
    read
        How much of the file, in bytes as it is stored, was read for them.
    """

    content: bytes
    first: int
    read: int


def cut(
    stream: BinaryIO, origin: str, delimiter: str | None = None, size: int = 0
) -> Iterator[tuple[int, bytes]]:
    r"""Iterate over parts, each with the number of its first line.

    Parameters
    ----------
    stream
        What is read, without a byte order mark.
    origin
        Names it in errors.
    delimiter
        Of CSV, whose fields may hold line breaks; None where each line is a record.
    size
        Bytes of a part, 0: the usual ones; more if a single record has more.

    Raises
    ------
    DataError
        If a record is so long that it can only be a mistake.

    Examples
    --------
    >>> list(cut(io.BytesIO(b'a,b\n1,"x\ny"\n2,z'), "x.csv", ",", size=9))
    [(1, b'a,b\n'), (2, b'1,"x\ny"\n'), (4, b'2,z')]
    """
    held, line = b"", 1
    size = size or PART_BYTES
    while True:
        # Of a long record as much again: the search for its end begins anew each time.
        block = stream.read(size - len(held) if len(held) < size else len(held))
        held += block
        end = _end(held, delimiter) if block else len(held)
        if end:
            yield line, held[:end]
            line += held.count(_NEWLINE, 0, end)
            held = held[end:]
        if not block:
            return
        if len(held) > _LONGEST_RECORD:
            raise DataError(
                f"{origin}, line {line}: this record has more than {_LONGEST_RECORD >> 20} MB; "
                "close its quotation mark, or break it into several"
            )


def _end(held: bytes, delimiter: str | None) -> int:
    """Tell where the last whole record ends; 0 if none does."""
    if delimiter is None:
        return held.rfind(_NEWLINE) + 1
    content = np.frombuffer(held, np.uint8)
    quotes = np.flatnonzero(content == ord(_QUOTE))
    # A field is open after an odd number of quotation marks; one inside a field is written twice.
    openers = quotes[::2]
    before = content[openers[openers > 0] - 1]
    if not np.isin(before, np.frombuffer(_BEFORE_QUOTES + delimiter.encode(), np.uint8)).all():
        return _end_as_read(held, delimiter)  # some mean nothing: they stand within a field
    bounds = [0, *quotes.tolist(), len(held)]
    closed = range(len(bounds) - 2 - len(quotes) % 2, -1, -2)
    breaks = (held.rfind(_NEWLINE, bounds[k], bounds[k + 1]) + 1 for k in closed)
    return next((end for end in breaks if end), 0)


def _end_as_read(held: bytes, delimiter: str) -> int:
    """Find the same by reading the records, which takes longer."""
    end = consumed = 0

    def lines() -> Iterator[str]:
        nonlocal consumed
        # One character a byte: what counts here are marks of ASCII.
        for line in io.StringIO(held.decode("latin-1"), newline=""):
            consumed += len(line)
            yield line

    limit = csv.field_size_limit(len(held) + 1)
    try:
        for _ in csv.reader(lines(), delimiter=delimiter, strict=True):
            end = consumed if held[consumed - 1 : consumed] == _NEWLINE else end
    except csv.Error as error:
        if end == 0 and "unexpected end" not in str(error):
            return len(held)  # whoever reads the part says what is wrong
    finally:
        csv.field_size_limit(limit)
    return end
