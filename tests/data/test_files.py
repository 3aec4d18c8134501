"""Every file format, and every way in which a file can be wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.data.files import Columns, read_file, read_text
from bayespress.errors import DataError, MissingExtraError

COLUMNS = Columns()
GOOD = [("a fine film", "pos"), ("a dull one", "neg")]


def pairs(path, columns=COLUMNS):
    return [(row.text, row.label) for row in read_file(path, columns)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", "text,label\na fine film,pos\na dull one,neg\n"),
        ("r.CSV", "id,label,text\n1,pos,a fine film\n2,neg,a dull one"),
        ("crlf.csv", "text,label\r\na fine film,pos\r\na dull one,neg\r\n"),
        ("bom.csv", "\ufefftext,label\na fine film,pos\n\na dull one,neg\n"),
        ("r.tsv", "label\ttext\npos\ta fine film\nneg\ta dull one\n"),
        (
            "r.jsonl",
            '{"text": "a fine film", "label": "pos"}\n\n{"label": "neg", "text": "a dull one"}\n',
        ),
        (
            "r.ndjson",
            '{"text": "a fine film", "label": " pos"}\r\n{"label": "neg", "text": "a dull one"}',
        ),
        ("r.txt", "__label__pos a fine film\n__label__neg a dull one\n"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_formats_give_the_same_rows(write, name, content, compressed):
    data = content.encode()
    path = write(name + ".gz", gzip.compress(data)) if compressed else write(name, data)
    assert pairs(path) == GOOD


def test_parquet_gives_the_same_rows(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = {"id": [1, 2], "text": [text for text, _ in GOOD], "label": ["pos", "neg"]}
    parquet.write_table(pa.table(table), tmp_path / "r.parquet")
    assert pairs(tmp_path / "r.parquet") == GOOD


def test_parquet_numbers_become_label_texts(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"body": ["a", "b"], "stars": [1.0, 2.5]})
    parquet.write_table(table, tmp_path / "r.parquet")
    assert pairs(tmp_path / "r.parquet", Columns("body", "stars")) == [("a", "1"), ("b", "2.5")]


def test_other_columns_can_be_named(write):
    path = write("r.csv", "body,stars\ngood,5\n")
    assert pairs(path, Columns("body", "stars")) == [("good", "5")]


def test_csv_fields_may_be_huge_and_hold_newlines(write):
    huge = "word " * 50_000 + "\r\nend, with a quote"
    before = csv.field_size_limit()
    path = write("r.csv", f'text,label\r\n"{huge}",a\r\n"x\ny",b\r\n')
    assert pairs(path) == [(huge, "a"), ("x\ny", "b")]
    assert csv.field_size_limit() == before


def test_csv_line_number_is_where_a_record_starts(write):
    path = write("r.csv", 'text,label\n"a\nb\nc",x\n\n" ",y\n')
    with pytest.raises(DataError, match=r"r\.csv, line 6: the text is empty; write one or remove"):
        read_file(path, COLUMNS)


def test_json_text_may_hold_unicode_line_separators(write):
    path = write("r.jsonl", '{"text": "a\u2028b\x85c", "label": true}\n')
    assert pairs(path) == [("a\u2028b\x85c", "true")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", "", r"e\.csv is empty; at least one labelled text is needed"),
        ("e.csv", "\ufeff", r"e\.csv is empty"),
        ("e.jsonl", " \n\n", r"e\.jsonl is empty"),
        ("h.csv", "text,label\n", r"h\.csv has no rows; at least one labelled text"),
        (
            "c.csv",
            "body,label\na,b\n",
            r"c\.csv has no column 'text'; it has 'body', 'label': set text_column to one",
        ),
        ("c.csv", "text,stars\na,b\n", r"no column 'label'; it has 'text', 'stars': set label_c"),
        ("c.jsonl", '{"text": "a"}', r"c\.jsonl, line 1 has no column 'label'; it has 'text'"),
        ("t.csv", "text,label\n \t,x\n", r"line 2: the text is empty"),
        ("t.jsonl", '{"text": null, "label": 1}', r"line 1: the text is empty"),
        ("t.jsonl", '{"text": 5, "label": 1}', r"line 1: the text must be a string, got int"),
        ("t.txt", "__label__a\n", r"line 1: the text is empty"),
        ("l.csv", "text,label\na,x\nb, \n", r"line 3: the label is missing; write one or remove"),
        ("l.jsonl", '{"text": "a", "label": null}', r"line 1: the label is missing"),
        ("l.jsonl", '{"text": "a", "label": NaN}', r"line 1: the label is missing"),
        (
            "l.jsonl",
            '{"text": "a", "label": ["x"]}',
            r"line 1: the label must be one string or number, got list",
        ),
        ("l.txt", "__label__ a\n", r"line 1: the label is missing"),
        ("l.txt", "just a text\n", r"line 1: a \.txt line must be '__label__NAME text' with one"),
        ("l.txt", "__label__a __label__b c\n", r"with one label, got '__label__a __label__b c'"),
        ("w.csv", "text,label\na,x\nb\n", r"line 3: there must be 2 fields, got 1; fill in what"),
        ("w.csv", "text,label\na, b,x\n", r"got 3; .*quote texts that hold the separator"),
        ("q.csv", 'text,label\na,x\n"b,x\nc,y\n', r"line 3: unexpected end of data; write a field"),
        ("j.jsonl", '{"text": "a", "label": 1}\n{"text": ', r"line 2: not valid JSON: .*one obj"),
        ("j.jsonl", "[1, 2]", r"line 1: each line must be a JSON object, got \[1, 2\]"),
        ("j.jsonl", "[" * 100_000, r"line 1: not valid JSON"),
        (
            "u.csv",
            b"text,label\na,x\ncaf\xe9,y\n",
            r"u\.csv, line 3: byte 0xe9 at offset 18 is not UTF-8; save the file as UTF-8",
        ),
        ("u.csv", "text,label\na,b\n".encode("utf-16"), r"line 1: byte 0xff at offset 0"),
        ("g.csv.gz", b"text,label\n", r"g\.csv\.gz is not a whole gzip file: .*; get it again"),
        ("g.csv.gz", gzip.compress(b"text,label\n", mtime=0)[:-9], r"is not a whole gzip file"),
        ("x.xlsx", "a", r"x\.xlsx: files of this ending .* supported are \.csv, \.tsv, \.jsonl"),
        ("x.parquet.gz", "a", r"\.parquet, and \.gz behind all but \.parquet"),
        ("noending", "a", r"files of this ending cannot be read"),
    ],
)
def test_broken_files_are_explained_in_one_line(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(write(name, content), COLUMNS)
    assert "\n" not in str(caught.value)


def test_damaged_parquet_is_explained(write):
    pytest.importorskip("pyarrow")
    path = write("d.parquet", b"PAR1 and then nothing of use PAR1")
    with pytest.raises(DataError, match=r"d\.parquet is not a whole Parquet file: .*; write it a"):
        read_file(path, COLUMNS)


def test_parquet_without_the_column_names_those_it_has(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"body": ["a"], "label": [1]}), tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"no column 'text'; it has 'body', 'label'"):
        read_file(tmp_path / "c.parquet", COLUMNS)


def test_parquet_names_the_row_of_a_text_that_is_none(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"text": ["a", None], "label": [1, 2]}), tmp_path / "n.parquet")
    with pytest.raises(DataError, match=r"n\.parquet, row 2: the text is empty"):
        read_file(tmp_path / "n.parquet", COLUMNS)


def test_parquet_without_pyarrow_names_the_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"reading Parquet .*'bayespress\[train\]'"):
        read_file(write("r.parquet", b"PAR1"), COLUMNS)


def test_unreadable_file_is_explained(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*gone\.csv: No such file"):
        read_file(tmp_path / "gone.csv", COLUMNS)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not text.isspace()
)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from(["a", "b c", "7"])), min_size=1, max_size=5)


@settings(max_examples=60)
@given(ROWS, st.sampled_from([(".csv", ","), (".tsv", "\t")]))
def test_any_text_survives_csv(rows, kind):
    ending, delimiter = kind
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=delimiter).writerows([("text", "label"), *rows])
    read = read_text(table.getvalue().encode(), Path("x"), ending, COLUMNS)
    assert [(row.text, row.label) for row in read] == rows


@settings(max_examples=60)
@given(ROWS, st.booleans())
def test_any_text_survives_json_lines(rows, ascii_only):
    lines = [
        json.dumps({"text": text, "label": label}, ensure_ascii=ascii_only) for text, label in rows
    ]
    read = read_text("\n".join(lines).encode(), Path("x"), ".jsonl", COLUMNS)
    assert [(row.text, row.label) for row in read] == rows


@settings(max_examples=80)
@given(st.binary(max_size=60), st.sampled_from([".csv", ".tsv", ".jsonl", ".txt"]))
def test_any_bytes_are_read_or_explained(content, ending):
    with suppress(DataError):
        rows = read_text(content, Path("x"), ending, COLUMNS)
        assert all(row.text.strip() and row.label for row in rows)
