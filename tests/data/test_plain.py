"""Plain text for language models: what is read, how it is cut, and what is explained."""

from __future__ import annotations

import gzip
import os
import sys
from types import MappingProxyType, ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.config import Config, DataConfig
from bayespress.data import (
    TextSplits,
    load,
    load_split,
    load_text,
    load_text_split,
    source_defaults,
)
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.data.plain import read_plain
from bayespress.data.plain_loading import cut
from bayespress.errors import DataError, MissingExtraError
from bayespress.storage import CACHE_VARIABLE

PTB = {
    "train": " aer <unk> N years \n mr. <unk> is chairman \n",
    "valid": " consumers may want \n",
    "test": " no it was n't \n but \n",
}


def config(source, **further):
    return DataConfig(source=str(source), **further)


def whole(source, **further):
    return load_text_split(config(source, **further), "all")


@pytest.fixture
def ptb(write, monkeypatch):
    for part, text in PTB.items():
        root = write(f"data/ptb/ptb.{part}.txt", text).parents[1]
    monkeypatch.setenv(DATA_VARIABLE, str(root))
    return root


@pytest.mark.parametrize("source", ["ptb-word", "ptb-char"])
def test_ptb_is_read_from_the_folder_of_the_user_without_spaces_around_lines(ptb, source):
    assert load_text(config(source)) == TextSplits(
        "aer <unk> N years\nmr. <unk> is chairman\n",
        "consumers may want\n",
        "no it was n't\nbut\n",
    )


@pytest.mark.parametrize("source", ["ptb-word", "ptb-char"])
def test_ptb_cannot_be_classified(source):
    rule = f"^{source} is plain text: train a language model on it with --task lm$"
    for act in (load, lambda data: load_split(data, "all")):
        with pytest.raises(DataError, match=rule):
            act(config(source))
    with pytest.raises(DataError, match=rule):
        load(config("demo", validation_source=source))


@pytest.mark.parametrize(
    ("source", "level", "batch_size", "clip_norm"),
    [("ptb-word", "word", 32, 10.0), ("ptb-char", "char", 64, 1.0)],
)
def test_ptb_brings_along_what_the_papers_do(source, level, batch_size, clip_norm):
    flat = Config.from_flat(source_defaults(source), {"source": source, "schedule": "paper"}).flat()
    expected = {
        "task": "lm",
        "level": level,
        "lowercase": False,
        "min_documents": 1,
        "batch_size": batch_size,
        "clip_norm": clip_norm,
        "learning_rate": 2e-3,
    }
    assert {key: flat[key] for key in expected} == expected
    assert source_defaults("ptb-word")["tokenizer"] == "spaces"
    assert "hidden_size" not in source_defaults(source)


def test_ptb_without_the_extra_is_explained(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"downloading data .*'bayespress\[train\]'"):
        load_text(config("ptb-word"))


def test_demo_keeps_its_split_with_a_sentence_a_line():
    splits, labelled = load_text(config("demo")), load(config("demo"))
    for split in ("train", "validation", "test"):
        assert getattr(splits, split) == "".join(
            f"{text}\n" for text in getattr(labelled, split).texts
        )


def test_settings_of_the_demo_serve_language_models_too():
    settings = Config.from_flat(source_defaults("demo"), {"task": "lm"})
    assert settings.text.lowercase
    assert settings.text.segment_length == 35


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("one\rtwo", "one\ntwo\n"),
        ("\ufeffone\ntwo", "one\ntwo\n"),
        (" naïve\t漢字 \n\n\u2028", " naïve\t漢字 \n\n\u2028\n"),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "A.TXT", "notes.md", "README", "part.1"])
def test_files_are_read_as_lines_whatever_their_breaks(write, name, content, text):
    assert whole(write(name, content)) == text
    assert whole(write(f"{name}.gz", gzip.compress(content.encode()))) == text


def test_folder_is_read_file_by_file_in_order(write):
    write("root/b.txt", "third")
    write("root/a/z.md", "first")
    write("root/a/y.txt.gz", gzip.compress(b"before\r\n"))
    write("root/c.TXT", "\ufefflast")
    write("root/empty.txt", "")
    write("root/c.csv", "text\nno\n")
    write("root/.git/x.txt", "no")
    root = write("root/.hidden.txt", "no").parent
    assert whole(root) == "before\nfirst\nthird\nlast\n"


def test_several_sources_are_joined_in_their_order(write):
    second, first = write("b.txt", "one"), write("a.txt", "two\n")
    folder = write("root/c.txt", "three").parent
    table = write("d.csv", "text\nfour\n")
    listed = os.pathsep.join(str(path) for path in (second, first, folder, table))
    assert whole(listed) == whole(listed + os.pathsep) == "one\ntwo\nthree\nfour\n"


@pytest.mark.skipif(os.pathsep == ";", reason="such a name is possible where the sign is a colon")
def test_path_that_is_there_wins_over_a_list(write):
    write("a", "no")
    assert whole(write(f"a{os.pathsep}b.txt", "yes")) == "yes\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", 'text,stars\n"one\r\n\ntwo",5\n three ,4\n'),
        ("r.tsv", 'text\n"one\ntwo"\nthree\n'),
        ("r.jsonl", '{"text": "one\\ntwo\\n"}\n{"text": "three", "label": [1, 2]}\n'),
    ],
)
def test_tables_give_a_text_a_line_and_need_no_labels(write, name, content):
    assert whole(write(name, content)) == "one two\nthree\n"
    assert whole(write(f"{name}.gz", gzip.compress(content.encode()))) == "one two\nthree\n"


def test_column_of_a_table_can_be_named_and_its_texts_may_be_empty(write):
    path = write("r.csv", "label,body\n,one\n,\npos,two\n")
    assert whole(path, text_column="body") == "one\n\ntwo\n"


def test_parquet_gives_a_text_a_line(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"text": ["one", None, "two"]}), tmp_path / "r.parquet")
    assert whole(tmp_path / "r.parquet") == "one\n\ntwo\n"


def test_imdb_gives_a_review_a_line(write, monkeypatch):
    for split in ("train", "test"):
        for label in ("pos", "neg"):
            write(f"data/aclImdb/{split}/{label}/0_1.txt", f"{split} {label}")
    root = write("data/aclImdb/train/unsup/0_0.txt", "of no label").parents[3]
    monkeypatch.setenv(DATA_VARIABLE, str(root))
    splits = load_text(config("imdb", validation_fraction=0.5))
    assert splits == TextSplits("train neg\n", "train pos\n", "test neg\ntest pos\n")


def test_notes_of_a_source_are_passed_on(write, monkeypatch):
    write("data/ag_news/train_subset.csv", '"1","A","B"\n' * 10)
    root = write("data/ag_news/test.csv", '"3","","Stocks"\n').parents[1]
    monkeypatch.setenv(DATA_VARIABLE, str(root))
    splits = load_text(config("ag-news"))
    assert splits.test == "Stocks\n"
    assert splits.notes == ("ag-news: training data is a subset, 10 rows of train_subset.csv",)


def test_hub_gives_its_splits_without_labels(monkeypatch):
    class Split(dict):
        column_names = ("text",)
        features = MappingProxyType({"text": SimpleNamespace()})

    module = ModuleType("datasets")
    module.load_dataset = lambda *_: {
        "train": Split(text=[" = Title = \n", "", "words\n"]),
        "validation": Split(text=["more"]),
        "test": Split(text=["", "end"]),
    }
    monkeypatch.setitem(sys.modules, "datasets", module)
    assert load_text(config("hf:me/wiki:raw")) == TextSplits(
        "= Title =\n\nwords\n", "more\n", "\nend\n"
    )


def test_a_streamed_text_is_the_same(hub_of_lines):
    whole = load_text(config("hf:me/wiki"))
    assert load_text(config("hf:me/wiki", streaming=True)) == whole
    assert whole.train.count("\n") > 50


@pytest.fixture
def hub_of_lines(monkeypatch, tmp_path):
    class Split(dict):
        column_names = ("text",)
        features = None

        def __iter__(self):
            return ({"text": text} for text in self["text"])

    module = ModuleType("datasets")
    module.load_dataset = lambda *_, **__: {"train": Split(text=[f"line {k}" for k in range(99)])}
    monkeypatch.setitem(sys.modules, "datasets", module)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))


def lines_of(numbers):
    return "".join(f"line {number:02}\n" for number in numbers)


def test_last_lines_are_tested_and_those_before_them_validate(write):
    path = write("a.txt", lines_of(range(100)))
    splits = load_text(config(path, test_fraction=0.2, validation_fraction=0.25))
    assert splits == TextSplits(
        lines_of(range(60)), lines_of(range(60, 80)), lines_of(range(80, 100))
    )


def test_no_fraction_leaves_a_part_empty(write):
    path = write("a.txt", "one\ntwo\n")
    splits = load_text(config(path, test_fraction=0.0, validation_fraction=0.0))
    assert splits == TextSplits("one\ntwo\n", "", "")


def test_further_sources_take_the_place_of_fractions(write, ptb):
    source, test = write("a.txt", "one\ntwo\n"), write("b.txt", "three")
    splits = load_text(config(source, validation_source=str(source), test_source=str(test)))
    assert splits == TextSplits("one\ntwo\n", "one\ntwo\n", "three\n")
    splits = load_text(config(source, validation_source="ptb-word", test_source="ptb-word"))
    assert splits.validation == "consumers may want\n"
    assert splits.test == "no it was n't\nbut\n"


def test_load_text_split_gives_what_load_text_gives(write):
    data = config(write("a.txt", lines_of(range(100))))
    splits = load_text(data)
    for split in ("train", "validation", "test"):
        assert load_text_split(data, split) == getattr(splits, split)
    assert load_text_split(data, "all") == lines_of(range(100))


def test_all_of_a_source_with_splits_is_in_their_order(ptb):
    splits = load_text(config("ptb-char"))
    assert whole("ptb-char") == splits.train + splits.validation + splits.test


TEXTS = st.text("ab \n", max_size=60)


@given(TEXTS, st.floats(0, 0.9))
def test_cut_loses_nothing_and_takes_about_what_is_wanted(text, fraction):
    rest, part = cut(text, fraction)
    assert rest + part == text
    wanted = round(len(text) * fraction)
    assert wanted == len(part) or (rest and part)
    assert len(part) <= 2 * wanted
    assert len(rest) <= 2 * (len(text) - wanted)


@given(st.lists(st.text("ab ", max_size=5), min_size=1, max_size=30), st.floats(0, 0.9))
def test_cut_goes_through_no_line_if_lines_are_short(lines, fraction):
    text = "".join(f"{line}\n" for line in lines)
    wanted = len(text) - round(len(text) * fraction)
    rest, _ = cut(text, fraction)
    if len(text) > wanted > 6 and len(text) - wanted > 6:
        assert rest.endswith("\n")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("aa bb cc dd", "aa bb cc "),
        ("Title\n" + "word " * 100 + "\n", "Title\n" + "word " * 80),
        ("漢" * 10, "漢" * 8),
        ("漢" * 10 + "\n", "漢" * 9),
    ],
)
def test_text_without_a_line_end_near_is_cut_at_a_space_or_anywhere(text, rest):
    assert cut(text, 0.2)[0] == rest


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", r"a\.txt is empty; a language model needs text to learn from"),
        ("a.txt", " \n\r\n", r"a\.txt is empty; a language model needs text to learn from"),
        ("a.txt.gz", gzip.compress(b"\n", mtime=0), r"a\.txt\.gz is empty"),
        ("r.csv", "text\n", r"r\.csv has no rows"),
        ("r.csv", "text,a\n,x\n,y\n", r"r\.csv is empty"),
        ("r.csv", "", r"r\.csv is empty"),
        ("r.csv", "body\na\n", r"r\.csv has no column 'text'; it has 'body': set text_column to"),
        ("a.txt", b"ab\nc\xff", r"a\.txt, line 2: byte 0xff at offset 4 is not UTF-8; save the"),
        ("a.txt.gz", b"text", r"a\.txt\.gz is not a whole gzip file: .*; get it again"),
        (
            "a.txt",
            "ab\n",
            r"a\.txt: the last 0\.15 of 3 characters hold no test text; give more of it, chan",
        ),
        ("a.txt", "a\n\n\n\n\n\n", r"a\.txt: the last 0\.15 of 7 characters hold no test text"),
    ],
)
def test_what_cannot_be_read_or_cut_is_explained(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        load_text(config(write(name, content)))
    assert "\n" not in str(caught.value)


def test_part_without_text_is_named(write):
    path = write("a.txt", "word\n" * 10 + "\n" * 10)
    with pytest.raises(
        DataError,
        match=r"a\.txt: the last 0\.15 of 60 characters hold no validation text; give more of it, "
        r"change validation_fraction, or name a validation_source",
    ):
        load_text(config(path, test_source=str(path)))
    with pytest.raises(
        DataError,
        match=r"b\.txt: no text is left to train on; give more of it, or lower validation_fraction "
        r"and test_fraction",
    ):
        load_text(config(write("b.txt", "\n" * 50 + "word\nword\n"), validation_fraction=0.0))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.txt", r"source gone\.txt: there is no such file or folder; check the path"),
        ("ptb_word", r"unknown source 'ptb_word': it must be .*; did you mean 'ptb-word'\?$"),
        (
            os.pathsep.join(["{}", "gone.txt"]),
            rf"there is no file or folder gone\.txt; check the path, .* signs '{os.pathsep}'",
        ),
    ],
)
def test_missing_files_are_explained(write, source, message):
    with pytest.raises(DataError, match=message):
        read_plain(source.format(write("a.txt", "a")), "text")


def test_folders_without_text_are_explained(write):
    root = write("root/c.csv", "text\na\n").parent
    with pytest.raises(
        DataError,
        match=r"root holds no text: of a folder, files that end in \.txt, \.txt\.gz, \.md are "
        r"read; name another folder, or the files themselves",
    ):
        load_text(config(root))
    write("root/a.txt", " ")
    with pytest.raises(DataError, match=r"root is empty; a language model needs text"):
        load_text(config(root))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("dev", r"split must be one of train, validation, test, all, got 'dev'"),
        ("test", r"a\.txt has no test text: set test_fraction above 0, or take another split"),
    ],
)
def test_load_text_split_explains_what_it_cannot_give(write, split, message):
    with pytest.raises(DataError, match=message):
        load_text_split(config(write("a.txt", "some\ntext\n"), test_fraction=0.0), split)
