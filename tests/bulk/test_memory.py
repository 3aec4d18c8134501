"""Records of an output folder, which a stranger may have written."""

import json

import pytest

from bayespress.bulk.inputs import Item
from bayespress.bulk.memory import FOLDER, Memory, Record, Stamp
from bayespress.errors import RunError

HONEST = {
    "format": 1,
    "settings": {"model": "0"},
    "source": {"size": 1, "changed": 2},
    "answers": {"size": 3, "changed": 4},
}


def test_a_record_is_read_as_it_was_written():
    record = Record({"model": "0"}, Stamp(1, 2), Stamp(3, 4))
    assert Record.from_json(record.to_json()) == record
    assert Record.from_json(json.dumps(HONEST)) == record


@pytest.mark.parametrize("text", [
    "", "[]", "{}", "1", "[" * 100_000, json.dumps({**HONEST, "format": 2}),
    json.dumps({**HONEST, "settings": [1]}), json.dumps({**HONEST, "settings": None}),
    json.dumps({**HONEST, "source": 3}), json.dumps({**HONEST, "more": 3}),
])  # fmt: skip
def test_what_is_no_record_is_none(text):
    assert Record.from_json(text) is None


def test_answers_beside_a_record_that_is_no_text_are_a_strangers(tmp_path):
    source, done = tmp_path / "a.csv", tmp_path / "out" / FOLDER / "done"
    done.mkdir(parents=True)
    for file in (source, tmp_path / "out" / "a.csv"):
        file.touch()
    (done / "a.csv.json").write_bytes(b"\xff\xfe")
    memory = Memory(tmp_path / "out", {"model": "0"})
    with pytest.raises(RunError, match="is none of this command's files"):
        memory.is_done(Item(source, source.relative_to(tmp_path)))
