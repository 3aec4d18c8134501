"""Parquet files, read part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bayespress.bulk import cutting
from bayespress.bulk.columns import Columns
from bayespress.bulk.cutting import Part
from bayespress.bulk.inputs import Item
from bayespress.bulk.records import Answers
from bayespress.data.files import text_value
from bayespress.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

_BUFFER = 1 << 20
_MOST_ROWS = 1 << 13
_PARTS_A_GROUP = 16


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose answers are Parquet.

    Attributes
    ----------
    item
        The file.
    columns
        What is read and added.
    """

    item: Item
    columns: Columns

    @classmethod
    def open(cls, item: Item, columns: Columns) -> ParquetFile:
        """Look at a file's columns.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        DataError
            If the file cannot be read, or its columns do not suit.
        """
        file = cls(item, columns)
        with _opened(item.source) as opened:
            schema = opened.schema_arrow
            at = columns.find(schema.names, str(item.source))
            _check_texts(schema.field(at), str(item.source))
        return file

    def parts(self) -> Iterator[Part]:
        """Iterate over the parts, each a stream of Arrow with one batch.

        Raises
        ------
        DataError
            If the file cannot be read to its end.
        """
        size, first = self.item.source.stat().st_size, 1
        with _opened(self.item.source) as opened:
            share = size / max(1, opened.metadata.num_rows)
            for batch in opened.iter_batches(_rows_of_a_part(opened.metadata), use_threads=False):
                yield Part(_stream(batch), first, round(share * batch.num_rows))
                first += batch.num_rows

    def answer(self, part: Part, answers: Answers) -> tuple[bytes, int]:
        """Write the answers to a part; tell how many there are.

        Raises
        ------
        DataError
            If a text is none.
        """
        import pyarrow as pa  # noqa: PLC0415

        table = pa.ipc.open_stream(part.content).read_all()
        texts = table.column(table.column_names.index(self.columns.text)).to_pylist()
        found = answers(
            [
                text_value(text, f"{self.item.source}, row {row}")
                for row, text in enumerate(texts, part.first)
            ]
        )
        rows = [self.columns.cells(answer) for answer in found]
        for at, field in enumerate(_added(self.columns)):
            table = table.append_column(field, pa.array([row[at] for row in rows], field.type))
        return _stream(table), len(rows)

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """Put answers together, several parts to a row group."""
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        schema = parquet.read_schema(self.item.source)
        for field in _added(self.columns):
            schema = schema.append(field)
        with parquet.ParquetWriter(target, schema) as writer:
            for start in range(0, len(parts), _PARTS_A_GROUP):
                tables = [_table(part) for part in parts[start : start + _PARTS_A_GROUP]]
                writer.write_table(pa.concat_tables(tables))


def _stream(table: pa.Table | pa.RecordBatch) -> bytes:
    """Write a table as a stream of Arrow."""
    import pyarrow as pa  # noqa: PLC0415

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(part: Path) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    with pa.OSFile(str(part)) as file:
        return pa.ipc.open_stream(file).read_all()


def _added(columns: Columns) -> list[pa.Field]:
    import pyarrow as pa  # noqa: PLC0415

    return [
        pa.field(name, pa.string() if name in columns.texts else pa.float64())
        for name in columns.added
    ]


def _rows_of_a_part(metadata: parquet.FileMetaData) -> int:
    """Tell how many rows have about the size of a part, by the sizes that the file tells."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    # Sizes are told as they are encoded: a value that often occurs takes no room there.
    rows: int = metadata.num_rows * cutting.PART_BYTES // max(1, size)
    return max(1, min(_MOST_ROWS, rows))


def _check_texts(field: pa.Field, place: str) -> None:
    import pyarrow as pa  # noqa: PLC0415

    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    is_text = pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view
    if not (pa.types.is_null(kind) or any(test(kind) for test in is_text)):
        raise DataError(
            f"{place}: the column {field.name!r} must hold strings, it is {field.type}: "
            "set --text-column to another, or write it as strings"
        )


@contextmanager
def _opened(path: Path) -> Iterator[parquet.ParquetFile]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("pyarrow", "reading Parquet") from None
    try:
        # Column by column through a small buffer: a row group may be larger than the memory.
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} is not a whole Parquet file: {reason}; write it again") from error
