"""Read one file of labelled texts: CSV, TSV, JSON lines, fastText lines or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayespress.data.labels import label_of
from bayespress.data.model import Row, checked
from bayespress.errors import DataError, MissingExtraError

_LARGEST_FIELD = 2**31 - 1  # what a C long holds on every platform
_FASTTEXT_LABEL = "__label__"
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Columns:
    """The columns that hold text and label; no label where only the texts matter.

    Where a text may have several labels, `separator` stands between them.
    """

    text: str = "text"
    label: str | None = "label"
    separator: str | None = None

    @property
    def label_or_text(self) -> str:
        """The column to read as the label: without one, the text stands for it."""
        return self.text if self.label is None else self.label

    def find(self, names: Sequence[str], origin: str) -> tuple[int, int]:
        """Find the positions of both columns among the names that there are.

        Raises
        ------
        DataError
            If a column is missing.
        """
        wanted = (("text_column", self.text), ("label_column", self.label_or_text))
        for option, name in wanted:
            if name not in names:
                there = ", ".join(repr(other[:_LONGEST_NAME]) for other in names)
                raise DataError(
                    f"{origin} has no column {name!r}; it has {there}: set {option} to one of them"
                )
        return names.index(self.text), names.index(self.label_or_text)

    def checked(self, rows: Sequence[Row], origin: str) -> Sequence[Row]:
        """Pass rows on if there are any; where labels are read, none may lack text or label.

        Raises
        ------
        DataError
            If there are no rows, or one is not whole.
        """
        return rows if rows and self.label is None else checked(rows, origin)


def read_file(path: Path, columns: Columns) -> Sequence[Row]:
    """Read the labelled texts of one file, whose ending says how.

    Raises
    ------
    DataError
        If the file cannot be read, its ending is not supported, or its content breaks a rule.
    """
    kind, compressed = kind_of(path)
    if kind == ".parquet" and not compressed:
        return columns.checked(_read_parquet(path, columns), str(path))
    if kind not in TEXT_READERS:
        supported = ", ".join([*TEXT_READERS, ".parquet"])
        raise DataError(
            f"{path}: files of this ending cannot be read; supported are {supported}, "
            "and .gz behind all but .parquet"
        )
    return read_text(unpacked(path), path, kind, columns)


def kind_of(path: Path) -> tuple[str, bool]:
    """Tell a file's kind by its ending, and whether it is compressed.

    Examples
    --------
    >>> kind_of(Path("a.TSV")), kind_of(Path("a.csv.gz")), kind_of(Path("README"))
    (('.tsv', False), ('.csv', True), ('', False))
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compressed = suffixes[-1:] == [".gz"]
    kind = (suffixes[:-1] if compressed else suffixes)[-1:]
    return (kind[0] if kind else ""), compressed


def read_text(content: bytes, origin: Path, kind: str, columns: Columns) -> Sequence[Row]:
    """Read the labelled texts of a text file's content.

    Raises
    ------
    DataError
        If the content is empty, is not UTF-8 or breaks a rule of its format.
    """
    name = str(origin)
    text = decode(content, name)
    if not text.strip():
        raise DataError(f"{name} is empty; at least one labelled text is needed")
    return columns.checked(list(TEXT_READERS[kind](text, name, columns)), name)


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def unpacked(path: Path) -> bytes:
    """Read a whole file, decompressed if its name ends in ``.gz``.

    Raises
    ------
    DataError
        If it cannot be read or is damaged.
    """
    content = read_bytes(path)
    return decompress(content, str(path)) if kind_of(path)[1] else content


def decompress(content: bytes, origin: str) -> bytes:
    """Unpack gzip.

    Raises
    ------
    DataError
        If the content is damaged.
    """
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{origin} is not a whole gzip file: {error}; get it again") from error


def decode(content: bytes, origin: str, first: int = 1) -> str:
    """Decode UTF-8, with or without a byte order mark; it begins in line `first` of its file.

    Raises
    ------
    DataError
        If a byte is not UTF-8; its line and its place are named.
    """
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + first
        raise DataError(
            f"{origin}, line {line}: byte 0x{content[error.start]:02x} at offset {error.start} "
            "is not UTF-8; save the file as UTF-8"
        ) from None


def csv_records(
    text: str, origin: str, delimiter: str, first: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """Iterate over a CSV text's records and the lines they start in; blank lines are skipped.

    The text begins in line `first` of its file.

    Raises
    ------
    DataError
        If quotation marks do not pair.
    """
    # Only a strict reader notices a quotation mark that swallows the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = first
    try:
        with _any_field_size():
            for record in reader:
                if record:
                    yield start, record
                start = first + reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{origin}, line {start}: {error}; write a field with quotation marks "
            'in it as "a ""quoted"" word"'
        ) from None


@contextmanager
def _any_field_size() -> Iterator[None]:
    before = csv.field_size_limit(_LARGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read_csv(text: str, origin: str, columns: Columns, delimiter: str = ",") -> Iterator[Row]:
    records = csv_records(text, origin, delimiter)
    _, header = next(records)
    text_at, label_at = columns.find([name.strip() for name in header], origin)
    for line, record in records:
        check_width(record, len(header), f"{origin}, line {line}")
        label = label_of(record[label_at], f"{origin}, line {line}", columns.separator)
        yield Row(record[text_at], label, origin, line)


def check_width(record: Sequence[str], width: int, place: str) -> None:
    """Check that a record has as many fields as there are columns.

    Raises
    ------
    DataError
        If it has fewer or more.
    """
    if len(record) != width:
        raise DataError(
            f"{place}: there must be {width} fields, got {len(record)}; "
            "fill in what is missing and quote texts that hold the separator"
        )


def _read_tsv(text: str, origin: str, columns: Columns) -> Iterator[Row]:
    return _read_csv(text, origin, columns, delimiter="\t")


def _read_jsonl(text: str, origin: str, columns: Columns) -> Iterator[Row]:
    for line, content in _lines(text):
        place = f"{origin}, line {line}"
        record = json_object(content, place)
        columns.find(list(record), place)
        yield Row(
            text_value(record[columns.text], place),
            label_of(record[columns.label_or_text], place, columns.separator),
            origin,
            line,
        )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # str.splitlines() would also split at characters that may stand in a text, such as U+2028.
    for line, content in enumerate(text.split("\n"), 1):
        if content.strip():
            yield line, content


def json_object(content: str, place: str) -> Mapping[str, Any]:
    """Read a line of JSON lines.

    Raises
    ------
    DataError
        If it is not an object.
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not valid JSON: {error}; each line is one object") from None
    if not isinstance(record, dict):
        raise DataError(f"{place}: each line must be a JSON object, got {content.strip()[:40]}")
    return record


def text_value(value: Any, place: str) -> str:
    """Take a value as a text; none at all is an empty one.

    Raises
    ------
    DataError
        If it is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{place}: the text must be a string, got {type(value).__name__}")
    return value


def _read_fasttext(text: str, origin: str, columns: Columns) -> Iterator[Row]:
    for line, content in _lines(text):
        place = f"{origin}, line {line}"
        marks, rest = _fasttext_parts(content)
        if columns.separator is None and len(marks) != 1:
            raise DataError(
                f"{place}: a .txt line must be '{_FASTTEXT_LABEL}NAME text' with one label, got "
                f"{content.strip()[:40]!r}; if a text may have several, set label_separator"
            )
        value = marks[0] if columns.separator is None else marks
        yield Row(rest, label_of(value, place, columns.separator), origin, line)


def _fasttext_parts(line: str) -> tuple[list[str], str]:
    """Take the labels off the beginning of a line."""
    marks, rest = [], line.strip()
    while rest.lstrip().startswith(_FASTTEXT_LABEL):
        mark, _, rest = rest.lstrip().partition(" ")
        marks.append(mark.removeprefix(_FASTTEXT_LABEL))
    return marks, rest


def _read_parquet(path: Path, columns: Columns) -> list[Row]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("pyarrow", "reading Parquet") from None
    try:
        names = parquet.read_schema(path).names
        columns.find(names, str(path))
        table = parquet.read_table(path, columns=list({columns.text, columns.label_or_text}))
        texts, labels = (table[name].to_pylist() for name in (columns.text, columns.label_or_text))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} is not a whole Parquet file: {reason}; write it again") from error
    return list(value_rows(texts, labels, str(path), columns.separator))


def value_rows(
    texts: Sequence[Any], labels: Sequence[Any], origin: str, separator: str | None = None
) -> Iterator[Row]:
    """Iterate over the rows of two columns of any values.

    Raises
    ------
    DataError
        If a text is something else than a string, or a label has parts.
    """
    for number, (text, label) in enumerate(zip(texts, labels, strict=True), 1):
        yield value_row(text, label, origin, number, separator)


def value_row(text: Any, label: Any, origin: str, number: int, separator: str | None = None) -> Row:
    """Make a row of any two values.

    Raises
    ------
    DataError
        If the text is something else than a string, or the label has parts.
    """
    place = f"{origin}, row {number}"
    named = label_of(label, place, separator)
    return Row(text_value(text, place), named, origin, number, "row")


TEXT_READERS: Mapping[str, Callable[[str, str, Columns], Iterator[Row]]] = MappingProxyType(
    {
        ".csv": _read_csv,
        ".tsv": _read_tsv,
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".txt": _read_fasttext,
    }
)
"""How to read a text file, by its ending."""
