"""Data of strangers: tables, lines, word vectors, and what bulk prediction reads of them."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scripts.fuzz.runs import folder, taken
from scripts.fuzz.target import Change, Target, held, refused
from scripts.fuzz.values import TELLING, other_line

from bayespress.bulk.columns import Answer
from bayespress.bulk.columns import Columns as BulkColumns
from bayespress.bulk.cutting import Part, cut
from bayespress.bulk.inputs import Item
from bayespress.bulk.records import DELIMITERS
from bayespress.bulk.textfile import TextFile
from bayespress.data.files import Columns, read_file
from bayespress.errors import BayespressError
from bayespress.text.vectors import read_vectors

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".txt")
COLUMNS = (Columns(), Columns(separator=";"), Columns("label", None))
_WAYS = len(KINDS) * len(COLUMNS) * 2
SMALL = 16


def way_of(data: bytes) -> tuple[str, bool, Columns]:
    """Tell by the first byte how the others are read: their kind, if packed, and the columns."""
    number = data[0] % _WAYS
    number, is_packed = divmod(number, 2)
    number, kind = divmod(number, len(KINDS))
    return KINDS[kind], bool(is_packed), COLUMNS[number]


def read_table(data: bytes) -> bool:
    """Read labelled texts."""
    if not data:
        return False
    kind, is_packed, columns = way_of(data)
    file = folder("tables") / f"a{kind}{'.gz' if is_packed else ''}"
    file.write_bytes(data[1:])

    def check(rows: Sequence[object]) -> None:
        for row in rows:
            held(isinstance(row.text, str), "a text is none")
            held(isinstance(row.label, (str, tuple)), "a label is none")
        held(bool(rows) or columns.label is None, "there are no rows")

    return taken(lambda: read_file(file, columns), check)


def read_bulk(data: bytes) -> bool:
    """Answer the texts of a file; cut into small parts the answers are the same."""
    if not data:
        return False
    kind, is_packed, _ = way_of(data)
    file = folder("bulk") / f"a{kind}{'.gz' if is_packed else ''}"
    file.write_bytes(data[1:])
    columns = BulkColumns("text", ("bad", "good"), "p_", every_class=True, several=data[0] >= 128)
    item = Item(file, Path(file.name))
    whole: list[str] = []

    def read() -> None:
        source = TextFile.open(item, columns)
        whole.extend(_answers(source, part) for part in source.parts())

    if refused(read):
        return False
    source = TextFile.open(item, columns)
    content = gzip.decompress(data[1:]) if is_packed else data[1:]
    content = content.removeprefix(b"\xef\xbb\xbf")
    pieces = list(cut(io.BytesIO(content), "a", DELIMITERS.get(kind), SMALL))
    held(b"".join(piece for _, piece in pieces) == content, "parts are not the whole")
    try:
        parts = [_answers(source, Part(piece, line, 0)) for line, piece in pieces]
    except BayespressError as error:
        held(False, f"what is taken whole is refused in parts: {error}")
    held("".join(parts) == "".join(whole), "answers depend on how a file is cut")
    return True


def _answers(source: TextFile, part: Part) -> str:
    content, _ = source.answer(part, _answer)
    return (gzip.decompress(content) if source.item.is_compressed else content).decode()


def _answer(texts: Sequence[str]) -> list[Answer]:
    """Answer by the length of a text: which answer belongs to which can be seen."""
    return [(("bad", "good")[len(text) % 2], 0.5, [0.5, len(text) / 2], [0]) for text in texts]


def table_seeds() -> Iterator[bytes]:
    """Give a small file of each kind, and packed ones."""
    contents = {
        ".csv": b'text,label\ngood film,pos\n"a, ""b""\nc",neg;x\n',
        ".tsv": b"label\ttext\npos\tgood film\nneg\ta b\n",
        ".jsonl": b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": ["a", "b"]}\n',
        ".ndjson": b'{"label": 1, "text": null}\n\n{"text": "x", "label": true, "more": {}}',
        ".txt": b"__label__pos good film\n__label__neg __label__x bad\n",
    }
    for number in range(_WAYS):
        kind, is_packed, _ = way_of(bytes([number]))
        content = contents[kind]
        yield bytes([number]) + (gzip.compress(content, mtime=0) if is_packed else content)
    yield b"\0\xef\xbb\xbf" + contents[".csv"]
    yield b"\0" + b"text,label\r\n" + b"a,b\r\n" * 9


def change_table(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change a file, unpacked if it is packed; JSON by its values."""
    if len(data) < 2 or source.random() < 0.05:
        return change(data)
    kind, is_packed, _ = way_of(data)
    first, content = data[:1], data[1:]
    if is_packed and source.random() < 0.85:
        try:
            inner = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return first + change(content)
        return first + gzip.compress(_changed(inner, kind, source, change)[:20_000], 1, mtime=0)
    return first + _changed(content, kind, source, change)


def _changed(content: bytes, kind: str, source: random.Random, change: Change) -> bytes:
    if kind in {".jsonl", ".ndjson"} and source.random() < 0.6:
        return other_line(content, source, change)
    return change(content)


VOCABULARY = {"the": 1, "good": 2, "Bad": 3, "naïve": 4}


def read_word_vectors(data: bytes) -> bool:
    """Read word vectors, packed if the first byte says so."""
    if not data:
        return False
    file = folder("vectors") / ("a.txt.gz" if data[0] % 2 else "a.txt")
    file.write_bytes(data[1:])

    def check(vectors: dict[int, np.ndarray]) -> None:
        held(bool(vectors) and set(vectors) <= set(VOCABULARY.values()), "rows are others")
        for vector in vectors.values():
            held(vector.shape == (3,) and vector.dtype == np.float32, "a vector is of another kind")
            held(bool(np.isfinite(vector).all()), "a vector is not finite")

    return taken(lambda: read_vectors(file, VOCABULARY, 3), check)


def vector_seeds() -> Iterator[bytes]:
    """Give vectors as GloVe and word2vec have them."""
    glove = b"the 1 2 3\nbad -0.5 1e-3 0\nna\xc3\xafve 1 1 1\nx 0 0 0\n"
    for content in (glove, b"4 3\n" + glove, b"good 1_0 inf nan\n", b"the 1 2 3"):
        yield b"\0" + content
        yield b"\1" + gzip.compress(content, mtime=0)


def change_vectors(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change vectors, unpacked if they are packed."""
    if data[:1] and data[0] % 2 and source.random() < 0.8:
        try:
            inner = gzip.decompress(data[1:])
        except (OSError, EOFError, zlib.error):
            return change(data)
        return data[:1] + gzip.compress(change(inner)[:20_000], 1, mtime=0)
    return change(data)


_JSON = tuple(value.encode() for value in TELLING if len(value) < 30)
WORDS = (
    b"text", b"label", b"__label__", b'"', b'""', b",", b"\t", b"\r\n", b"\n", b"\r", b";",
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\0", b'","', b'"\n', *_JSON,
)  # fmt: skip
TABLE = Target("tables", read_table, table_seeds, change_table, WORDS, 2048)
# A part of a file is read at once, and is at least 4 MiB long where the file is.
BULK = Target(
    "bulk", read_bulk, table_seeds, change_table, WORDS, 2048, lambda size: 2**24 + 1100 * size
)
VECTORS = Target(
    "vectors", read_word_vectors, vector_seeds, change_vectors,
    (b"the ", b"good ", b"bad ", b"1 2 3", b"1e39", b"nan", b"inf", b"1_0", b"0x1", b" ", b"\n",
     b"\xc2\xa0", b"\xe2\x80\xa8", b"9 3\n", b"\r"), 2048,
)  # fmt: skip
