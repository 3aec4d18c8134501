"""Parts are whole records, wherever a file is cut, and together they are the file."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.bulk import cutting
from bayespress.bulk.cutting import cut
from bayespress.data.files import csv_records
from bayespress.errors import DataError

# Whatever a field may hold that could be taken for the end of a record.
FIELDS = st.text(st.sampled_from('ab,"\n\r\té'), max_size=6)
ROWS = st.lists(st.lists(FIELDS, min_size=2, max_size=3), min_size=1, max_size=12)
SIZES = st.integers(1, 40)


def parts_of(content, delimiter, size):
    parts = list(cut(io.BytesIO(content), "x", delimiter, size))
    assert b"".join(part for _, part in parts) == content
    return parts


def records_of(content):
    return [record for _, record in csv_records(content.decode(), "x", ",")]


@given(ROWS, SIZES, st.sampled_from(["\n", "\r\n"]))
def test_parts_of_csv_have_the_records_of_the_whole(rows, size, end):
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end).writerows(rows)
    whole = file.getvalue().encode()
    parts = parts_of(whole, ",", size)
    assert [record for _, part in parts for record in records_of(part)] == records_of(whole)


@given(
    st.lists(st.sampled_from(['5" disk', '"a\nb"', "x", '"q""\n"', "", 'n"']), min_size=1), SIZES
)
def test_quotation_marks_that_mean_nothing_do_not_move_a_cut(fields, size):
    whole = "".join(f"{field},1\n" for field in fields).encode()
    parts = parts_of(whole, ",", size)
    assert [record for _, part in parts for record in records_of(part)] == records_of(whole)


@given(st.binary(max_size=60), SIZES)
def test_parts_of_lines_end_where_lines_end(content, size):
    parts = parts_of(content, None, size)
    assert all(part.endswith(b"\n") for _, part in parts[:-1])


def test_each_part_knows_the_line_that_it_begins_with():
    content = b'"a\nb",1\nc,2\n"d\n\ne",3\nf,4'
    firsts = [first for first, _ in cut(io.BytesIO(content), "x", ",", 1)]
    assert firsts == [1, 3, 4, 7]


def test_a_quotation_mark_that_is_not_closed_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(cutting, "_LONGEST_RECORD", 1 << 20)
    content = b"a,b\n" * 3 + b'"' + b"x,y\n" * (1 << 19)
    with pytest.raises(DataError, match="x, line 4: this record has more than 1 MB; close its quo"):
        list(cut(io.BytesIO(content), "x", ",", 1 << 10))
