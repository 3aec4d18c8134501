"""Event files, read by TensorBoard itself."""

import dataclasses
import math

import pytest

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

from bayespress.report.tensorboard import EventWriter, convert, scalars_of
from bayespress.storage import StorageError
from tests.report.helpers import history, label_history


def scalars(folder):
    """Give each tag's steps and numbers, of all event files in a folder."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_a_converted_history_has_every_number_of_every_epoch(tmp_path):
    records = history(5)
    convert(records, tmp_path / "history.jsonl", tmp_path / "events")
    found = scalars(tmp_path / "events")
    for number, record in enumerate(records):
        for tag, value in scalars_of(record):
            assert found[tag][number] == (record.epoch, pytest.approx(value))
    assert len(found) == len(list(scalars_of(records[0])))
    assert found["quality/validation_accuracy"][4][1] == pytest.approx(0.5752)
    assert found["kept/words"][0] == (1, records[0].words[0])


def test_f1_of_several_labels_is_called_so():
    (record,) = label_history(1)
    tags = dict(scalars_of(record))
    assert tags["quality/validation_micro_f1"] == record.validation_micro_f1
    assert tags["quality/train_micro_f1"] == record.train_micro_f1
    assert not any("accuracy" in tag for tag in tags)


def test_converting_twice_leaves_one_file(tmp_path):
    for _ in range(2):
        convert(history(3), tmp_path / "history.jsonl", tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert [step for step, _ in scalars(tmp_path)["ratios/dense_ratio"]] == [1, 2, 3]


def test_a_resumed_run_writes_no_epoch_twice(tmp_path):
    records = history(4)
    first = EventWriter(tmp_path)
    first.write_earlier([])
    assert not list(tmp_path.iterdir())
    for record in records[:3]:
        first.on_epoch_end(record, is_best=True)
    # Stopped behind the third epoch, of which the checkpoint does not know yet.
    again = EventWriter(tmp_path)
    again.write_earlier(records[:2])
    for record in records[2:]:
        again.on_epoch_end(record, is_best=False)
    assert [step for step, _ in scalars(tmp_path)["training/loss"]] == [1, 2, 3, 4]


def test_epochs_are_there_as_soon_as_they_end(tmp_path):
    writer = EventWriter(tmp_path)
    for count, record in enumerate(history(3), 1):
        writer.on_epoch_end(record, is_best=True)
        assert len(scalars(tmp_path)["training/loss"]) == count


def test_what_a_record_lacks_or_is_not_finite_is_left_out():
    record = dataclasses.replace(history(1, language=True)[0], nll=math.inf)
    tags = dict(scalars_of(record))
    assert "training/nll" not in tags
    assert "quality/validation_accuracy" not in tags
    assert tags["quality/validation_perplexity"] == pytest.approx(math.exp(record.validation_nll))


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StorageError, match=r"cannot write .*file: .*; free some space, or go on without --tensorb"
    ):
        EventWriter(tmp_path / "file").on_epoch_end(history(1)[0], is_best=True)
