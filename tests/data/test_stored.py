"""Texts on disk: the same rows, no file left behind, and a full disk said in one line."""

import errno
import gc
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from bayespress.data.files import Columns
from bayespress.data.model import Row
from bayespress.data.sources import read_source
from bayespress.data.stored import StoredRows, TextStore, chosen, joined, labels_of
from bayespress.storage import CACHE_VARIABLE, StorageError

ROWS = [Row(f"text {k} \ud83d é\n", "ab"[k % 2], "x (train)", k + 1, "row") for k in range(7)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return TextStore()


def test_rows_come_back_as_they_were(store):
    rows = store.store(iter(ROWS), "x (train)")
    assert list(rows) == ROWS
    assert (len(rows), rows[-1], list(rows[2:5])) == (7, ROWS[-1], ROWS[2:5])
    assert list(rows.texts) == [row.text for row in ROWS]
    assert list(rows.texts[1:3]) == [row.text for row in ROWS[1:3]]
    assert list(labels_of(rows)) == list(labels_of(ROWS))


def test_places_name_the_split_and_the_row(store):
    store.store(ROWS, "x (train)")
    other = store.store(ROWS[:2], "x (test)")
    assert [row.place for row in other] == ["x (test), row 1", "x (test), row 2"]


def test_chosen_and_joined_rows_stay_on_disk(store):
    first, second = store.store(ROWS, "x (train)"), store.store(ROWS[:3], "x (test)")
    order = np.array([3, 0, 6])
    assert list(chosen(first, order)) == chosen(ROWS, order)
    both = joined([chosen(first, order), second])
    assert isinstance(both, StoredRows)
    assert [row.text for row in both] == [ROWS[k].text for k in (3, 0, 6, 0, 1, 2)]


def test_rows_of_several_stores_are_joined_in_memory(store):
    assert joined([store.store(ROWS, "a"), ROWS[:1]])[-1] == ROWS[0]
    assert joined([ROWS, ROWS[:1]]) == [*ROWS, ROWS[0]]


def open_files():
    """How many files this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_no_file_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    opened = open_files()
    rows = TextStore().store(ROWS, "x")
    assert list(tmp_path.iterdir()) == []
    del rows
    gc.collect()
    assert open_files() == opened


def test_plain_texts_are_not_kept_as_their_own_labels(monkeypatch, tmp_path):
    class Split(list):
        features, column_names = None, ("text",)

    module = ModuleType("datasets")
    module.load_dataset = lambda *_, **__: {"train": Split({"text": f"{k}"} for k in range(9))}
    monkeypatch.setitem(sys.modules, "datasets", module)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    rows = read_source("hf:me/x", Columns("text", None), streaming=True).train
    assert set(labels_of(rows)) == {"text"}
    assert [row.text for row in rows] == [f"{k}" for k in range(9)]


def test_a_full_disk_is_one_line(store):
    def full():
        yield ROWS[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageError, match=r"cannot store the texts of x: No space .*BAYESPRESS_C"):
        store.store(full(), "x")
