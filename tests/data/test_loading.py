"""Splits: who decides them, that they can be repeated, and what cannot be trained on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.config import FIELDS, DataConfig
from bayespress.data import LabelledTexts, load, load_split, source_defaults
from bayespress.data.loading import _split
from bayespress.data.model import RawSource, Row
from bayespress.data.sources import SOURCE_DEFAULTS
from bayespress.errors import DataError


def table(count, classes=("neg", "pos")):
    rows = [f"text {number},{classes[number % len(classes)]}" for number in range(count)]
    return "\n".join(["text,label", *rows])


def config(path, **further):
    return DataConfig(source=str(path), **further)


def test_fractions_are_split_off(write):
    splits = load(config(write("r.csv", table(100)), test_fraction=0.2, validation_fraction=0.25))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (60, 20, 20)
    texts = [*splits.train.texts, *splits.validation.texts, *splits.test.texts]
    assert sorted(texts) == sorted(f"text {number}" for number in range(100))
    assert splits.labels == ("neg", "pos")
    assert splits.notes == ()


def test_split_repeats_with_its_seed_and_changes_with_another(write):
    path = write("r.csv", table(40))
    assert load(config(path)) == load(config(path))
    assert load(config(path)).test != load(config(path, split_seed=1)).test


def test_split_is_the_documented_permutation(write):
    splits = load(config(write("r.csv", table(10)), test_fraction=0.2, validation_fraction=0.25))
    # numpy.random.default_rng(113).permutation(10): the last 2 test, the last 2 before validate.
    order = [
        text.removeprefix("text ")
        for part in (splits.train, splits.validation, splits.test)
        for text in part.texts
    ]
    assert "".join(order) == "6873095124"


def test_zero_fractions_leave_splits_empty(write):
    splits = load(config(write("r.csv", table(6)), test_fraction=0.0, validation_fraction=0.0))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6, 0, 0)


def test_further_sources_take_the_place_of_fractions(write):
    source = write("train.csv", table(10))
    write("val/pos/1.txt", "good")
    test = write("test.jsonl", '{"text": "bad", "label": "neg"}')
    further = {"validation_source": str(test.parent / "val"), "test_source": str(test)}
    splits = load(config(source, **further))
    assert splits.train.texts == tuple(f"text {number}" for number in range(10))
    assert splits.validation == LabelledTexts(("good",), ("pos",))
    assert splits.test == LabelledTexts(("bad",), ("neg",))


def test_further_source_gives_its_split_of_that_name(write):
    for split, text in (("train", "no"), ("validation", "yes"), ("test", "no")):
        root = write(f"own/{split}/pos/1.txt", text).parents[2]
    splits = load(config(write("r.csv", table(10)), validation_source=str(root)))
    assert splits.validation.texts == ("yes",)


def test_numbers_are_sorted_as_numbers(write):
    path = write("r.csv", table(40, classes=("10", "9", "-1", "2.5")))
    assert load(config(path)).labels == ("-1", "2.5", "9", "10")


@pytest.mark.parametrize(
    ("content", "further", "message"),
    [
        (
            table(5, classes=("only",)),
            {},
            r"r\.csv: there must be at least two classes to train on, but .* has the label 'only'",
        ),
        (
            table(4),
            {"test_fraction": 0.9},
            r"r\.csv has 4 rows, none of which is left to train on; add rows, or lower",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_explained(write, content, further, message):
    with pytest.raises(DataError, match=message):
        load(config(write("r.csv", content), **further))


@pytest.mark.parametrize("kind", ["validation", "test"])
def test_label_without_training_texts_is_named_with_its_place(write, kind):
    source, other = write("r.csv", table(9)), write("o.csv", "text,label\na,pos\nb,odd\n")
    with pytest.raises(
        DataError,
        match=rf"o\.csv, line 3: the label 'odd' of the {kind} data does not occur in the training "
        "data, which has 'neg', 'pos'; add training texts of it, or remove the row",
    ):
        load(config(source, **{f"{kind}_source": str(other)}))


def test_missing_label_error_names_ten_classes_at_most(write):
    classes = tuple(f"class {number:02}" for number in range(15))
    source, other = write("r.csv", table(30, classes)), write("o.csv", "text,label\nb,odd\n")
    with pytest.raises(DataError, match=r"'class 09' and 5 more; add"):
        load(config(source, validation_fraction=0.0, test_source=str(other)))


def test_load_split_gives_what_load_gives(write):
    data = config(write("r.csv", table(30)))
    splits = load(data)
    for split in ("train", "validation", "test"):
        assert load_split(data, split) == getattr(splits, split)
    assert load_split(data, "all").texts == tuple(f"text {number}" for number in range(30))


def test_load_split_needs_no_second_class(write):
    assert len(load_split(config(write("r.csv", table(3, classes=("only",)))), "all")) == 3


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("dev", r"split must be one of train, validation, test, all, got 'dev'"),
        ("test", r"r\.csv has no test rows: set test_fraction above 0, or take another split"),
    ],
)
def test_load_split_explains_what_it_cannot_give(write, split, message):
    with pytest.raises(DataError, match=message):
        load_split(config(write("r.csv", table(9)), test_fraction=0.0), split)


def test_labelled_texts_are_selected_by_position():
    both = LabelledTexts(("a", "b", "c"), ("1", "2", "3"))
    assert both.select([2, 0]) == LabelledTexts(("c", "a"), ("3", "1"))
    assert len(both) == 3


def test_labelled_texts_must_be_in_step():
    with pytest.raises(DataError, match="one label a text, got 1 texts and 2 labels"):
        LabelledTexts(("a",), ("1", "2"))


def test_source_defaults_are_settings():
    for source in SOURCE_DEFAULTS:
        assert set(source_defaults(source)) <= set(FIELDS)
    assert source_defaults("imdb")["split_seed"] == 113
    assert source_defaults("some/file.csv") == {}


def test_source_defaults_cannot_be_changed_by_a_caller():
    source_defaults("demo")["lowercase"] = None
    assert source_defaults("demo")["lowercase"] is True


@settings(max_examples=80)
@given(
    st.integers(1, 60),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.integers(0, 2**32),
)
def test_splits_never_share_nor_lose_a_row(count, validation, test, seed):
    rows = [Row(str(number), "x", "f", number) for number in range(count)]
    settings_ = DataConfig(validation_fraction=validation, test_fraction=test, split_seed=seed)
    parts = _split(RawSource(rows), settings_)
    together = [*parts.train, *parts.validation, *parts.test]
    assert sorted(together) == sorted(rows)
    assert abs(len(parts.test) - test * count) <= 0.5
