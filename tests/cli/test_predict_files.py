"""``predict --input``: files in, files out, and what is refused in one line."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bayespress import compact, runtime
from bayespress.bulk import run
from bayespress.cli import bulk as display
from bayespress.compact import CompactGRU, save
from bayespress.runtime import TextPredictor
from bayespress.text.tokens import UNKNOWN
from tests.cli.bulk_helpers import (
    MODEL,
    cache,
    content_of,
    predict,
    read,
    small_parts_and_no_haste,
    texts_of,
    write,
)
from tests.cli.helpers import call, refused, worked
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import encoder_of, random_network

__all__ = ["cache", "small_parts_and_no_haste"]  # fixtures


def expected(texts):
    """What the model says of the same texts."""
    model = runtime.load_classifier(MODEL)
    best = model.predict_proba(texts).max(axis=1).tolist()
    return list(zip(model.predict(texts), best, strict=True))


NAMES = [
    *("a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.ndjson", "a.ndjson.gz"),
    *("a.parquet", "a.tsv", "lines.txt", "lines.txt.gz"),
]


def test_each_row_of_each_kind_of_file_gets_the_answer_of_its_text():
    texts = texts_of()
    for name in NAMES:
        write(f"data/{name}", texts)
    said = predict("data", flags=["--workers", "2"])
    assert said.startswith("10 files written to out: 1,200 rows in ")
    wanted = expected(texts)
    assert [*content_of("out")] == [name.replace(".txt", ".jsonl") for name in NAMES]
    for name in content_of("out"):
        rows = read(f"out/{name}")
        if name.startswith("lines"):
            assert [row["text"] for row in rows] == [text.replace("\n", " ") for text in texts]
        else:
            assert [row["id"] for row in rows] == [str(number) for number in range(120)]
            assert [row["text"] for row in rows] == texts
        assert [row["label"] for row in rows] == [label for label, _ in wanted]
        found = [float(row["probability"]) for row in rows]
        assert found == pytest.approx([probability for _, probability in wanted], abs=2e-5)


def test_names_that_the_shell_made_of_a_pattern_are_read_too():
    write("data/a.csv", texts_of())
    write("data/b.csv", texts_of(seed=2))
    predict("data/*.csv", output="quoted")
    worked("predict", MODEL, "--input", "data/a.csv", "data/b.csv", "--output", "expanded")
    assert content_of("quoted") == content_of("expanded")
    assert [*content_of("quoted")] == ["a.csv", "b.csv"]


def test_files_of_one_name_do_not_replace_one_another():
    write("x/a.csv", ["dull"])
    write("y/a.csv", ["a wonderful film"])
    predict("x/a.csv", "y/a.csv")
    assert [*content_of("out")] == ["x/a.csv", "y/a.csv"]
    assert read("out/y/a.csv")[0]["text"] == "a wonderful film"


def test_the_probability_of_each_class_and_other_names():
    write("a.csv", ["dull"])
    write("b.jsonl", ["dull"])
    predict("a.csv", "b.jsonl", flags=["--probabilities", "--prefix", "my_"])
    names = ["id", "text", "my_label", "my_probability"]
    of_classes = ["my_probability_negative", "my_probability_positive"]
    row = read("out/a.csv")[0]
    assert list(row) == [*names, *of_classes]
    line = json.loads(Path("out/b.jsonl").read_text())
    assert list(line) == [*names, "my_probabilities"]
    assert line["my_probabilities"]["negative"] == float(row["my_probability_negative"])


def test_all_labels_that_a_text_is_given_are_told(tmp_path):
    encoder = encoder_of(["dull", "wonderful", "film"])
    model = random_network(encoder, CompactGRU, [[3]], outputs=3, multi_label=True, seed=4)
    path = tmp_path / "several.bpr"
    save(model, path)
    texts = ["dull film", "wonderful", "", "film film dull"]
    for name in ("a.csv", "b.jsonl", "c.parquet"):
        write(f"data/{name}", texts)
    worked("predict", path, "--input", "data", "--output", "out", "--workers", "1")
    wanted = [list(labels) for labels in TextPredictor(model).predict(texts)]
    assert {len(labels) for labels in wanted} > {1}  # some have several, or none
    for name in ("a.csv", "c.parquet"):
        assert [json.loads(row["labels"]) for row in read(f"out/{name}")] == wanted
    lines = [json.loads(line) for line in Path("out/b.jsonl").read_text().splitlines()]
    assert [list(line["labels"]) for line in lines] == wanted
    assert all(min(line["labels"].values(), default=1) >= 0.5 for line in lines)


def test_other_columns_stay_as_they_are():
    line = '{"n": 1.10, "text": "dull", "big": 12345678901234567890, "odd": "\\ud800"}'
    Path("a.jsonl").write_text(f"{line}\n\n{line}")
    schema = pa.schema([("text", pa.large_string()), ("when", pa.timestamp("ms"))], {"k": "v"})
    parquet.write_table(pa.table([["dull"], [0]], schema=schema), "b.parquet")
    predict("a.jsonl", "b.parquet")
    lines = Path("out/a.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(line[:-1] + ', "label": "negative", "probability": ')
    found = parquet.read_schema("out/b.parquet")
    assert [*found][:2] == [*schema]
    assert found.metadata[b"k"] == b"v"


def test_a_parquet_file_of_many_row_groups_and_coded_texts():
    texts = pa.array(texts_of()).dictionary_encode()
    parquet.write_table(pa.table({"text": texts}), "a.parquet", row_group_size=7)
    predict("a.parquet")
    assert [row["text"] for row in read("out/a.parquet")] == texts_of()


def test_no_text_and_an_empty_one_get_the_answer_of_a_text_without_words():
    Path("a.jsonl").write_text('{"text": null}\n{"text": ""}\n{"text": "   "}\n')
    parquet.write_table(pa.table({"text": pa.array([None, ""], pa.string())}), "b.parquet")
    Path("c.csv").write_text('id,text\n1,\n2,""\n')
    Path("d.txt").write_text("\n\n")
    predict("a.jsonl", "b.parquet", "c.csv", "d.txt")
    ((label, probability),) = expected([""])
    for path, count in (("a.jsonl", 3), ("b.parquet", 2), ("c.csv", 2), ("d.jsonl", 2)):
        rows = read(f"out/{path}")
        assert [row["label"] for row in rows] == [label] * count
        found = [float(row["probability"]) for row in rows]
        assert found == pytest.approx([probability] * count, abs=1e-5)


def test_files_without_rows_make_files_without_rows():
    Path("a.csv").write_text("id,text\n")
    Path("b.jsonl").write_text("")
    Path("c.txt.gz").write_bytes(gzip.compress(b""))
    parquet.write_table(pa.table({"text": pa.array([], pa.string())}), "d.parquet")
    predict("a.csv", "b.jsonl", "c.txt.gz", "d.parquet")
    assert Path("out/a.csv").read_text() == "id,text,label,probability\n"
    assert Path("out/b.jsonl").read_bytes() == b""
    assert gzip.decompress(Path("out/c.jsonl.gz").read_bytes()) == b""
    assert parquet.read_schema("out/d.parquet").names == ["text", "label", "probability"]


def test_a_byte_order_mark_is_no_part_of_a_name():
    Path("a.csv").write_bytes(b"\xef\xbb\xbftext\ndull\n")
    predict("a.csv")
    assert Path("out/a.csv").read_bytes().startswith(b"text,label,probability\ndull,negative,")


def test_without_a_compiler_numpy_answers(monkeypatch):
    write("a.csv", texts_of())
    predict("a.csv", output="compiled")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    predict("a.csv", output="numpy")
    pairs = zip(read("compiled/a.csv"), read("numpy/a.csv"), strict=True)
    for one, other in pairs:
        assert float(one["probability"]) == pytest.approx(float(other["probability"]), abs=2e-5)


# Refused in one line, and nothing half-written.


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.csv", "id,txet\n1,x\n", "a.csv has no column 'text'; did you mean --text-column 'txet"),
        ("a.csv", "id,body\n1,x\n", "it has 'id', 'body': set --text-column to one of them"),
        ("a.csv", "", "a.csv is empty; it needs a header that names its columns"),
        ("a.csv", "text,label\nx,y\n", "a.csv has a column 'label' already: give the new columns"),
        ("a.csv", "text,n\nx,1\ny\n", "a.csv, line 3: there must be 2 fields, got 1"),
        ("a.csv", 'text,n\n"x"y,1\n', "a.csv, line 2: ',' expected after '\"'"),
        ("a.csv", b"text\nx\n\xff\n", "a.csv, line 3: byte 0xff at offset 7 is not UTF-8"),
        ("a.jsonl", '{"text": "x"}\n{\n', "a.jsonl, line 2: not valid JSON"),
        ("a.jsonl", '{"text": "x"}\n{"body": 1}\n', "a.jsonl, line 2 has no column 'text'"),
        ("a.jsonl", '{"text": 5}\n', "a.jsonl, line 1: the text must be a string, got int"),
        ("a.jsonl", '{"text": "x", "label": 1}\n', "line 1 has a column 'label' already"),
        ("a.csv.gz", b"no gzip", "a.csv.gz is not a whole gzip file"),
        ("a.txt.gz", gzip.compress(b"x\n" * 50, mtime=0)[:-9], "a.txt.gz is not a whole gzip file"),
        ("a.parquet", b"PAR1", "a.parquet is not a whole Parquet file"),
    ],
)
def test_what_cannot_be_read(name, content, rule):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert rule in refused("predict", MODEL, "--input", name, "--output", "out")
    assert content_of("out") == {}


def test_a_line_is_named_that_stands_far_behind():
    lines = ['{"text": "x"}'] * 900
    lines[800] = '{"text": '
    Path("a.jsonl").write_text("\n".join(lines))
    assert "a.jsonl, line 801: not v" in refused(
        "predict", MODEL, "--input", "a.jsonl", "--output", "out"
    )


def test_a_parquet_column_that_holds_no_texts():
    parquet.write_table(pa.table({"text": [1, 2]}), "a.parquet")
    line = refused("predict", MODEL, "--input", "a.parquet", "--output", "out")
    assert "the column 'text' must hold strings, it is int64: set --text-column" in line


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--input", "a.csv"], "--input needs a folder for the answers: add --output"),
        (["text", "--workers", "2"], "--workers is for answers to files: name these with --input"),
        (["text", "--probabilities"], "--probabilities is for answers to files"),
        (["--output", "out"], "--output is for the answers to files: name them with --input"),
        (["--input", "no/*.csv", "--output", "out"], "no file matches; check the pattern"),
        (["--input", "a.csv", "--output", "."], "would replace an input: choose another --output"),
        (
            ["--input", "a.csv", "--output", "a.csv"],
            "a.csv is a file: give --output the name of a folder",
        ),
        (["--input", "a.csv", "--output", "out", "--workers", "0"], "'--workers': 0 is not in"),
    ],
)
def test_what_makes_no_sense(arguments, rule):
    write("a.csv", ["dull"])
    assert rule in refused("predict", MODEL, *arguments)
    assert content_of(".") == {"a.csv": Path("a.csv").read_bytes()}


def test_a_language_model_names_no_classes(tmp_path):
    compact.save(random_language_model(word_encoder(UNKNOWN), 4), "lm.bpr")
    write("a.csv", ["dull"])
    assert "is a language model" in refused(
        "predict", "lm.bpr", "--input", "a.csv", "--output", "out"
    )


def test_a_file_that_changes_while_it_is_read(monkeypatch):
    path = write("a.csv", texts_of())
    cut = run._Run._cut

    def cut_and_change(self, this):
        cut(self, this)
        path.write_text("text\nother\n")

    monkeypatch.setattr(run._Run, "_cut", cut_and_change)
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "a.csv changed while it was read: run the same command again" in line
    assert content_of("out") == {}


def test_progress_is_told_where_nobody_watches(monkeypatch):
    monkeypatch.setattr(display, "_QUIET_SECONDS", 0)
    write("a.csv", texts_of())
    done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert " rows/s, " in done.err
    assert done.err.endswith(" remaining\n")
