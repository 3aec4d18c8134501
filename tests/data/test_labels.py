"""Texts with several labels: every file format, and every way in which labels can be wrong."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.config import DataConfig
from bayespress.data import LabelledTexts, load, load_split
from bayespress.data.files import Columns, read_file, read_text
from bayespress.data.hub import _class_names, _named
from bayespress.errors import DataError
from bayespress.storage import CACHE_VARIABLE

SEVERAL = Columns(separator=";")
GOOD = [("a fine film", ("long", "sad")), ("a dull one", ()), ("so it is", ("sad",))]


def pairs(path, columns=SEVERAL):
    return [(row.text, row.label) for row in read_file(path, columns)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", "text,label\na fine film,long;sad\na dull one,\nso it is,sad\n"),
        ("r.tsv", "label\ttext\nlong ; sad\ta fine film\n \ta dull one\nsad\tso it is\n"),
        (
            "r.jsonl",
            (
                '{"text": "a fine film", "label": ["long", "sad", "long"]}\n'
                '{"text": "a dull one", "label": null}\n{"text": "so it is", "label": "sad;sad"}\n'
            ),
        ),
        (
            "r.ndjson",
            (
                '{"text": "a fine film", "label": "long;sad"}\n'
                '{"text": "a dull one", "label": []}\n{"text": "so it is", "label": ["sad"]}\n'
            ),
        ),
        ("r.txt", "__label__long __label__sad a fine film\na dull one\n__label__sad so it is\n"),
    ],
)
def test_formats_give_the_same_labels(write, name, content):
    assert [(text.strip(), label) for text, label in pairs(write(name, content))] == GOOD


def test_parquet_lists_and_cells_give_the_same_labels(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    texts = [text for text, _ in GOOD]
    for number, labels in enumerate(([["long", "sad"], [], ["sad"]], ["long;sad", None, "sad"])):
        path = tmp_path / f"{number}.parquet"
        parquet.write_table(pa.table({"text": texts, "label": labels}), path)
        assert pairs(path) == GOOD


def test_numbers_in_a_list_become_labels(write):
    path = write("r.jsonl", '{"text": "a", "label": [3, 1.0, true]}\n{"text": "b", "label": 3}\n')
    assert pairs(path) == [("a", ("3", "1", "true")), ("b", ("3",))]


def test_what_stands_between_labels_is_no_part_of_a_list(write):
    path = write("r.jsonl", '{"text": "a", "label": ["x;y", "z"]}\n')
    assert pairs(path) == [("a", ("x;y", "z"))]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "l.csv",
            "text,label\na,x\nb,x;;y\n",
            r"l\.csv, line 3: there must be a label on both sides of each ';', got 'x;;y': write",
        ),
        ("l.csv", "text,label\na,x;\n", r"line 2: there must be a label on both sides of each ';'"),
        ("l.csv", "text,label\n ,x\n", r"line 2: the text is empty"),
        (
            "l.jsonl",
            '{"text": "a", "label": ["x", ""]}',
            r"line 1: each label of a list must have a name, got \['x', ''\]: write it, or remove",
        ),
        ("l.jsonl", '{"text": "a", "label": ["x", null]}', r"each label of a list must have a na"),
        (
            "l.jsonl",
            '{"text": "a", "label": [["x"]]}',
            r"line 1: the label must be one string or number, got list",
        ),
        (
            "l.jsonl",
            '{"text": "a", "label": {"x": 1}}',
            r"line 1: the label must be one string or number, got dict$",
        ),
        (
            "l.jsonl",
            '{"text": "a", "label": [0, 1, 0]}',
            r"line 1: a list of labels must name those that the text has, got the zeros and ones",
        ),
        ("l.txt", "__label__ a\n", r"line 1: each label of a list must have a name"),
    ],
)
def test_broken_labels_are_explained_in_one_line(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(write(name, content), SEVERAL)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.jsonl", '{"text": "a", "label": ["x"]}'),
        ("l.txt", "__label__x __label__y a\n"),
    ],
)
def test_several_labels_without_a_separator_are_refused_with_the_remedy(write, name, content):
    with pytest.raises(DataError, match=r"line 1: .*; if a text may have several, set label_sep"):
        read_file(write(name, content), Columns())


NAME = st.text(min_size=1, max_size=4).map(str.strip).filter(lambda name: name and ";" not in name)


@given(st.lists(st.lists(NAME, unique=True, max_size=4), min_size=1, max_size=8))
def test_any_labels_survive_csv(tmp_path_factory, labels):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("text", "label"), *(("x", ";".join(some)) for some in labels)])
    content = file.getvalue().encode("utf-8", "surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        return
    found = read_text(content, path, ".csv", SEVERAL)
    assert [row.label for row in found] == [tuple(some) for some in labels]


def table(labels, count=20):
    lines = [f"text {number},{labels[number % len(labels)]}" for number in range(count)]
    return "\n".join(["text,label", *lines])


def config(path, **further):
    return DataConfig(source=str(path), label_separator=";", **further)


def test_labels_are_sorted_and_splits_have_tuples_of_them(write):
    path = write("r.csv", table(["10;9", "", "9;2"]))
    splits = load(config(path))
    assert splits.multi_label
    assert splits.labels == ("2", "9", "10")
    assert set(splits.train.labels) == {("10", "9"), (), ("9", "2")}
    assert splits.notes == ()
    assert load_split(config(path), "test") == splits.test
    single = load(DataConfig(source=str(write("s.csv", table(["10;9", "9"])))))
    assert not single.multi_label
    assert single.labels == ("10;9", "9")


def test_the_split_is_that_of_single_labels(write):
    path = write("r.csv", table(["a;b", "a", "b"]))
    single = load(DataConfig(source=str(path)))
    several = load(config(path))
    for part in ("train", "validation", "test"):
        assert getattr(single, part).texts == getattr(several, part).texts


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["", " "], r"r\.csv: no training text has a label; write some, or check label_column"),
        (["a", ""], r"r\.csv: there must be at least two labels to train on, but 'a' is the only"),
    ],
)
def test_what_cannot_be_trained_on_is_explained(write, labels, message):
    with pytest.raises(DataError, match=message):
        load(config(write("r.csv", table(labels))))


@pytest.mark.parametrize("kind", ["validation", "test"])
def test_label_without_training_texts_is_named_with_its_place(write, kind):
    source, other = write("r.csv", table(["a;b"])), write("o.csv", "text,label\nx,\ny,a;odd\n")
    with pytest.raises(
        DataError,
        match=rf"o\.csv, line 3: the label 'odd' of the {kind} data does not occur in the training "
        "data, which has 'a', 'b'; add training texts of it, or remove the row",
    ):
        load(config(source, **{f"{kind}_source": str(other)}))


def test_a_separator_that_separates_nothing_is_doubted(write):
    (note,) = load(config(write("r.csv", table(["a|b", "b"])))).notes
    assert "no training text has more than one label; is ';' what stands between labels?" in note


def test_sources_with_one_label_a_text_take_no_separator(write):
    folder = write("train/pos/1.txt", "good").parents[1]
    for source in ("demo", folder):
        with pytest.raises(DataError, match="each text has one label there; leave label_separator"):
            load(config(source))


def test_labelled_texts_may_have_tuples_of_labels():
    both = LabelledTexts(("a", "b"), (("x", "y"), ()))
    assert both.select([1]) == LabelledTexts(("b",), ((),))


def test_numbers_of_a_hub_sequence_become_its_names():
    names = ["joy", "fear"]
    classes = SimpleNamespace(names=names)

    def found(feature):
        return _class_names(SimpleNamespace(features={"label": feature}), Columns())

    for feature in (classes, SimpleNamespace(feature=classes), [classes]):
        assert found(feature) == names
    assert found(SimpleNamespace(feature=SimpleNamespace())) is None
    assert _named([1, 0], names) == ["fear", "joy"]
    assert _named([], names) == []
    assert _named(-1, names) is None
    assert _named(["joy"], None) == ["joy"]


@pytest.mark.parametrize("streaming", [False, True])
def test_sequences_of_the_hub_are_read(tmp_path, monkeypatch, streaming):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    datasets = pytest.importorskip("datasets")
    classes = datasets.Sequence(datasets.ClassLabel(names=["joy", "fear"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": classes})
    rows = {"text": ["a", "b", "c"], "labels": [[1, 0], [], [0]]}
    whole = datasets.DatasetDict({"train": datasets.Dataset.from_dict(rows, features=features)})
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: whole)
    none = {"validation_fraction": 0.0, "test_fraction": 0.0}
    splits = load(DataConfig(source="hf:me/emotions", label_column="labels", label_separator=";",
                             **none))  # fmt: skip
    assert dict(zip(splits.train.texts, splits.train.labels, strict=True)) == {
        "a": ("fear", "joy"), "b": (), "c": ("joy",),
    }  # fmt: skip
    with pytest.raises(DataError, match="row 1: the label must be one string or number, got list"):
        load(DataConfig(source="hf:me/emotions", label_column="labels"))
