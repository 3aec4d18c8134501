"""Names, folders and the hub."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from bayespress.config import DataConfig
from bayespress.data import load, load_split, load_text
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.data.files import Columns
from bayespress.data.sources import read_source
from bayespress.data.stored import StoredTexts
from bayespress.errors import DataError, DownloadError, MissingExtraError
from bayespress.storage import CACHE_VARIABLE

COLUMNS = Columns()


def pairs(rows):
    return [(row.text, row.label) for row in rows]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "imbd",
            r"unknown source 'imbd': it must be demo, imdb, ag-news, ptb-word, ptb-char, hf:o",
        ),
        ("imbd", r"; did you mean 'imdb'\?$"),
        ("AG_News", r"; did you mean 'ag-news'\?$"),
        ("ptbword", r"; did you mean 'ptb-word'\?$"),
        ("ptb-word", r"^ptb-word is plain text: train a language model on it with --task lm$"),
        ("zzzz", r"or a path$"),
        ("gone.csv", r"source gone\.csv: there is no such file or folder; check the path"),
        ("gone/away", r"source gone/away: there is no such file or folder"),
    ],
)
def test_unknown_sources_are_explained(source, message):
    with pytest.raises(DataError, match=message):
        read_source(source, COLUMNS)


def test_folder_of_classes_is_read_in_order(write):
    for name in ("pos/b.txt", "pos/a.txt", "neg/c.txt", "neg/notes.md", ".hidden/x.txt"):
        root = write(f"root/{name}", name).parents[1]
    source = read_source(str(root), COLUMNS)
    assert pairs(source.train) == [
        ("neg/c.txt", "neg"),
        ("pos/a.txt", "pos"),
        ("pos/b.txt", "pos"),
    ]
    assert source.validation is None
    assert source.test is None


@pytest.mark.parametrize("validation", ["validation", "valid", "val", "dev"])
def test_folder_of_splits_keeps_them(write, validation):
    for split in ("train", "test", validation):
        for label in ("a", "b"):
            root = write(f"root/{split}/{label}/1.txt", f"{split} {label}").parents[2]
    splits = load(DataConfig(source=str(root)))
    assert splits.train.texts == ("train a", "train b")
    assert splits.validation.texts == (f"{validation} a", f"{validation} b")
    assert splits.test.labels == ("a", "b")
    assert len(load_split(DataConfig(source=str(root)), "all")) == 6


def test_class_may_be_called_train(write):
    write("root/train/1.txt", "a late train")
    root = write("root/bus/1.txt", "a late bus").parents[1]
    assert [label for _, label in pairs(read_source(str(root), COLUMNS).train)] == ["bus", "train"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a/1.md": "x"}, r"root holds no texts; a folder must hold CLASS/\*\.txt, or train/"),
        ({"a/1.txt": " \n"}, r"1\.txt: the text is empty"),
        ({"a/1.txt": b"ab\nc\xff"}, r"1\.txt, line 2: byte 0xff at offset 4 is not UTF-8"),
        (
            {"train/a/1.txt": "x", "val/a/1.txt": "x", "dev/a/1.txt": "x"},
            r"more than one validation folder, val and dev; keep one",
        ),
        ({"train/a/1.txt": "x", "test/readme": "x"}, r"test holds no texts"),
    ],
)
def test_broken_folders_are_explained(write, tmp_path, files, message):
    for name, content in files.items():
        write(f"root/{name}", content)
    with pytest.raises(DataError, match=message):
        read_source(str(tmp_path / "root"), COLUMNS)


def write_imdb(write):
    for split in ("train", "test"):
        for label in ("pos", "neg"):
            for number in range(4):
                write(f"data/aclImdb/{split}/{label}/{number}_1.txt", f"{split} {label} {number}")
    return write("data/aclImdb/train/unsup/0_0.txt", "of no label").parents[3]


def test_imdb_is_read_from_the_folder_of_the_user(write, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(write_imdb(write)))
    splits = load(DataConfig(source="imdb", validation_fraction=0.25))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6, 2, 8)
    assert splits.labels == ("neg", "pos")
    assert "of no label" not in splits.train.texts
    assert splits.test.texts[0] == "test neg 0"


def test_imdb_is_read_from_the_cache_or_by_its_path(write, monkeypatch):
    data = write_imdb(write)
    monkeypatch.setenv(CACHE_VARIABLE, str(data))
    by_name = load(DataConfig(source="imdb"))
    assert by_name == load(DataConfig(source=str(data / "aclImdb")))


def write_ag_news(write, train="train.csv", rows=2):
    lines = [
        f'"{number}","Title {number}","Words, \\$5 ""{row}"""'
        for row in range(rows)
        for number in (4, 3, 2, 1)
    ]
    write(f"data/ag_news/{train}", "\n".join(lines))
    return write("data/ag_news/test.csv", '"3","","Stocks"\n"1","A","B"\n').parents[1]


def test_ag_news_keeps_the_official_order_of_classes(write, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(write_ag_news(write)))
    splits = load(DataConfig(source="ag-news", validation_fraction=0.0))
    assert splits.labels == ("World", "Sports", "Business", "Sci/Tech")
    assert ('Title 4 Words, \\$5 "0"', "Sci/Tech") in zip(
        splits.train.texts, splits.train.labels, strict=True
    )
    assert pairs_of(splits.test) == [("Stocks", "Business"), ("A B", "World")]
    assert splits.notes == ()


def pairs_of(texts):
    return list(zip(texts.texts, texts.labels, strict=True))


def test_ag_news_tells_when_it_is_a_subset(write, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(write_ag_news(write, "train_subset.csv")))
    splits = load(DataConfig(source="ag-news", validation_fraction=0.0))
    assert splits.notes == ("ag-news: training data is a subset, 8 rows of train_subset.csv",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"5","a","b"', r"test\.csv, line 1: the class must be 1, 2, 3 or 4, got '5'"),
        ('"1","a"', r"test\.csv, line 1: there must be 3 fields, got 2"),
        ('"1",""," "', r"test\.csv, line 1: the text is empty"),
    ],
)
def test_broken_ag_news_is_explained(write, monkeypatch, line, message):
    monkeypatch.setenv(DATA_VARIABLE, str(write_ag_news(write)))
    write("data/ag_news/test.csv", line)
    with pytest.raises(DataError, match=message):
        read_source("ag-news", COLUMNS)


STREAMING = pytest.mark.parametrize("streaming", [False, True])


class Split:
    """As much of a datasets.Dataset as the reader uses."""

    def __init__(self, columns, names=None):
        self.columns, self.column_names = columns, list(columns)
        self.features = {name: SimpleNamespace() for name in columns}
        if names is not None:
            self.features["label"].names = names

    def __getitem__(self, name):
        return self.columns[name]

    def __iter__(self):
        """Of a stream: rows as they come."""
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))


@pytest.fixture
def hub(monkeypatch):
    """A stand-in for the package datasets: a mapping from (name, config) to splits."""
    known = {}

    def load_dataset(name, config=None, *, streaming=False):
        if (name, config) not in known:
            raise FileNotFoundError(f"Dataset '{name}' doesn't exist on the Hub\nor elsewhere")
        return known[name, config]

    module = ModuleType("datasets")
    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return known


@STREAMING
def test_hub_splits_and_class_names_are_used(hub, streaming):
    names = ["bad", "good"]
    hub["me/films", None] = {
        "train": Split({"text": ["a", "b"], "label": [1, 0]}, names),
        "validation": Split({"text": ["c"], "label": [0]}, names),
        "test": Split({"text": ["d"], "label": [1]}, names),
        "extra": Split({}),
    }
    splits = load(DataConfig(source="hf:me/films", streaming=streaming))
    assert pairs_of(splits.train) == [("a", "good"), ("b", "bad")]
    assert pairs_of(splits.validation) == [("c", "bad")]
    assert pairs_of(splits.test) == [("d", "good")]


@STREAMING
def test_hub_configuration_and_columns_can_be_named(hub, streaming):
    hub["me/films", "small"] = {"train": Split({"body": ["a", "b"], "stars": [1, 5]})}
    source = read_source("hf:me/films:small", Columns("body", "stars"), streaming=streaming)
    assert pairs(source.train) == [("a", "1"), ("b", "5")]


@STREAMING
def test_hub_split_without_labels_is_left_out_with_a_note(hub, streaming):
    hub["me/glue", None] = {
        "train": Split({"text": ["a", "b"], "label": [0, 1]}, ["n", "p"]),
        "test": Split({"text": ["c"], "label": [-1]}, ["n", "p"]),
    }
    splits = load(
        DataConfig(source="hf:me/glue", streaming=streaming, test_fraction=0, validation_fraction=0)
    )
    assert len(splits.test) == 0
    assert splits.notes == ("hf:me/glue: the split 'test' has no labels and is left out",)


@STREAMING
@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"test": Split({})}, r"hf:me/x must have a split 'train'; it has test: choose another"),
        ({"train": Split({"a": []})}, r"hf:me/x \(train\) has no column 'text'; it has 'a'"),
        (
            {"train": Split({"text": ["a", " "], "label": [1, 2]})},
            r"hf:me/x \(train\), row 2: the text is empty",
        ),
        (
            {"train": Split({"text": ["a", "b"], "label": [0, -1]}, ["n", "p"])},
            r"hf:me/x \(train\), row 2: the label is missing",
        ),
    ],
)
def test_broken_hub_data_is_explained(hub, streaming, splits, message):
    hub["me/x", None] = splits
    with pytest.raises(DataError, match=message):
        read_source("hf:me/x", COLUMNS, streaming=streaming)


@STREAMING
def test_hub_failure_is_one_line(hub, streaming):
    with pytest.raises(
        DownloadError,
        match=r"cannot load hf:me/gone: Dataset 'me/gone' doesn't exist on the Hub; check the net",
    ) as caught:
        read_source("hf:me/gone", COLUMNS, streaming=streaming)
    assert "\n" not in str(caught.value)


def test_hub_without_the_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"reading hf:me/x needs .*'bayespress\[hf\]'"):
        read_source("hf:me/x", COLUMNS)


def films(count, start=0):
    return {
        "text": [f"film {number} \ud83d \U0001f600\n" for number in range(start, start + count)],
        "label": [number % 3 for number in range(start, start + count)],
    }


@pytest.mark.parametrize("has_test", [False, True])
def test_streamed_data_are_split_and_shuffled_as_others(hub, has_test):
    hub["me/films", None] = {"train": Split(films(100))}
    if has_test:
        hub["me/films", None]["test"] = Split(films(9, 100))
    config = DataConfig(source="hf:me/films")
    whole, streamed = load(config), load(replace(config, streaming=True))
    for part in ("train", "validation", "test"):
        assert pairs_of(getattr(streamed, part)) == pairs_of(getattr(whole, part))
        assert isinstance(getattr(streamed, part).texts, StoredTexts)
    every = load_split(replace(config, streaming=True), "all")
    assert pairs_of(every) == pairs_of(load_split(config, "all"))
    assert isinstance(every.texts, StoredTexts)


def test_a_stream_that_breaks_off_is_explained(hub):
    class Broken(Split):
        def __iter__(self):
            yield {"text": "a", "label": 1}
            raise ConnectionError("the line is dead\nso it is")

    hub["me/x", None] = {"train": Broken(films(1))}
    with pytest.raises(DownloadError, match=r"cannot load hf:me/x: the line is dead; check"):
        read_source("hf:me/x", COLUMNS, streaming=True)


def test_a_stream_need_not_know_its_columns(hub):
    split = Split(films(3))
    split.features = split.column_names = None
    hub["me/x", None] = {"train": split}
    assert pairs(read_source("hf:me/x", COLUMNS, streaming=True).train)[2][1] == "2"


def test_only_data_sets_of_the_hub_are_streamed():
    for read in (load, load_text):
        with pytest.raises(DataError, match=r"streaming is for hf:owner/name alone, got .* 'demo'"):
            read(DataConfig(source="demo", streaming=True))


# Older releases of the library leave files that were not read to the end to be closed later.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_real_library_streams_what_it_reads_whole(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="pip install 'bayespress[hf]'")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "films").mkdir()
    for name, start in (("train", 0), ("test", 50)):
        lines = [f"film {k},{'good' if k % 2 else 'bad'}" for k in range(start, start + 40)]
        (tmp_path / "films" / f"{name}.csv").write_text("\n".join(["text,label", *lines]))
    config = DataConfig(source=f"hf:{tmp_path}/films")
    whole, streamed = load(config), load(replace(config, streaming=True))
    for part in ("train", "validation", "test"):
        assert pairs_of(getattr(streamed, part)) == pairs_of(getattr(whole, part))
