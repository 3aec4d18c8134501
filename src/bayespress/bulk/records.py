"""Kinds of text files: from the records of a part to the same records with their answers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bayespress.bulk.columns import Answer, Columns
from bayespress.data.files import check_width, csv_records, json_object, text_value

DELIMITERS = {".csv": ",", ".tsv": "\t"}
_BREAKS = "\r\n"
Answers = Callable[[Sequence[str]], list[Answer]]
"""What answers texts."""


class Records(Protocol):
    """How the records of a kind of files are read, and written with their answers."""

    def head(self) -> str:
        """Write what stands before all records."""

    def answer(self, text: str, first: int, answers: Answers) -> list[str]:
        """Write each record of a part, which begins in line `first`, with its answer.

        Raises
        ------
        DataError
            If a record breaks a rule of its kind; names its line.
        """


@dataclass(frozen=True)
class TableRecords:
    """Records of CSV or TSV.

    Attributes
    ----------
    origin
        Names the file in errors.
    delimiter
        What stands between fields.
    header
        Names of the columns, as they are written.
    columns
        What is read and added.
    """

    origin: str
    delimiter: str
    header: tuple[str, ...]
    columns: Columns

    def head(self) -> str:
        """Write the header."""
        (line,) = self._lines([[*self.header, *self.columns.added]])
        return line

    def answer(self, text: str, first: int, answers: Answers) -> list[str]:
        """Write each record with its answer; the first part's first record is the header."""
        records = list(csv_records(text, self.origin, self.delimiter, first))[first == 1 :]
        for line, record in records:
            check_width(record, len(self.header), f"{self.origin}, line {line}")
        at = self.columns.find([name.strip() for name in self.header], self.origin)
        found = answers([record[at] for _, record in records])
        return self._lines(
            [*record, *self.columns.cells(answer)]
            for (_, record), answer in zip(records, found, strict=True)
        )

    def _lines(self, rows: Iterator[list[str | float]] | list[list[str]]) -> list[str]:
        lines: list[str] = []
        # Fields with characters of the terminator are put into quotation marks: those with either.
        writer = csv.writer(_Lines(lines), delimiter=self.delimiter, lineterminator=_BREAKS)
        writer.writerows(rows)
        return lines


@dataclass(frozen=True)
class _Lines:
    """A file to :mod:`csv`, which writes each record at once."""

    lines: list[str]

    def write(self, line: str) -> None:
        self.lines.append(line.removesuffix(_BREAKS) + "\n")


@dataclass(frozen=True)
class ObjectRecords:
    """Records of JSON lines: each stays as it is written, new members come at its end.

    Attributes
    ----------
    origin
        Names the file in errors.
    columns
        What is read and added.
    """

    origin: str
    columns: Columns

    def head(self) -> str:
        """Write nothing."""
        return ""

    def answer(self, text: str, first: int, answers: Answers) -> list[str]:
        """Write each object with its answer; blank lines are left out."""
        lines = [
            (number, line.strip())
            for number, line in enumerate(text.split("\n"), first)
            if line.strip()
        ]
        found = answers([self._text(line, number) for number, line in lines])
        return [
            f"{line[:-1]}, {self.columns.members(answer)}}}\n"
            for (_, line), answer in zip(lines, found, strict=True)
        ]

    def _text(self, line: str, number: int) -> str:
        place = f"{self.origin}, line {number}"
        record = json_object(line, place)
        self.columns.find(list(record), place)
        self.columns.check_new(list(record), [self.columns.probabilities], place)
        return text_value(record[self.columns.text], place)


@dataclass(frozen=True)
class LineRecords:
    """Lines of text, blank ones too: answers are JSON lines with the text and its answer.

    Attributes
    ----------
    columns
        What is added; the text takes its own name.
    """

    columns: Columns

    def head(self) -> str:
        """Write nothing."""
        return ""

    def answer(self, text: str, first: int, answers: Answers) -> list[str]:  # noqa: ARG002
        """Write each line as an object with its answer."""
        texts = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
        return [
            f"{{{_member(self.columns.text, line)}, {self.columns.members(answer)}}}\n"
            for line, answer in zip(texts, answers(texts), strict=True)
        ]


def _member(name: str, value: str) -> str:
    return json.dumps({name: value}, ensure_ascii=False)[1:-1]
