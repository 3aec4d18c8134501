import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.errors import RunError
from bayespress.history import EpochRecord, read_history, read_result, write_history

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
BY_TYPE = {
    "int": st.integers(1, 1000),
    "float": NUMBERS,
    "float | None": st.none() | NUMBERS,
    "Count": PAIRS,
    "Count | None": st.none() | PAIRS,
    "dict[str, Count | None]": st.dictionaries(
        st.sampled_from(["words", "dims"]), st.none() | PAIRS
    ),
    "dict[str, Count]": st.dictionaries(st.sampled_from(["embedding", "output"]), PAIRS),
}
FIELDS = {field.name: BY_TYPE[str(field.type)] for field in dataclasses.fields(EpochRecord)}
RECORDS = st.builds(EpochRecord, **FIELDS)


def record(epoch=1):
    counts = {"words": (1, 2), "dims": (3, 4), "neurons": (5, 6), "gates": (7, 8)}
    return EpochRecord(
        **dict.fromkeys(FIELDS, 0.5)
        | counts
        | {"epoch": epoch, "paper": {}, "weights": {}, "groups": {}}
    )


@given(RECORDS)
def test_a_record_is_one_line_of_json(one):
    line = one.to_line()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert EpochRecord.from_dict(json.loads(line)) == one


def test_a_history_is_read_as_it_was_written(tmp_path):
    records = [record(1), record(2)]
    write_history(tmp_path / "history.jsonl", records)
    assert read_history(tmp_path / "history.jsonl") == records


def test_a_history_that_does_not_exist_is_empty(tmp_path):
    assert read_history(tmp_path / "history.jsonl") == []


def test_keys_that_a_newer_version_added_are_passed_over():
    assert EpochRecord.from_dict({**dataclasses.asdict(record()), "new": 1}) == record()


def test_a_history_from_before_language_models_is_read():
    old = dataclasses.asdict(record())
    del old["validation_nll"]
    assert EpochRecord.from_dict(old).validation_nll is None


@pytest.mark.parametrize(("nll", "expected"), [(None, None), (0.0, 1.0), (1e4, math.inf)])
def test_perplexity_is_exp_of_the_nll_and_may_be_infinite(nll, expected):
    one = dataclasses.replace(record(), validation_nll=nll)
    assert one.validation_perplexity == expected
    assert one.validation_bits == (None if nll is None else nll / math.log(2))


@pytest.mark.parametrize("line", ["{", "3", "null", "[]", "{}", '{"epoch": 2}', ""])
def test_a_line_that_is_no_record_is_named(tmp_path, line):
    path = tmp_path / "history.jsonl"
    path.write_text(f"{record().to_line()}{line}\n")
    with pytest.raises(RunError, match=r"history.jsonl, line 2 is not an epoch's record .* remove"):
        read_history(path)


def test_every_history_that_is_kept_is_read():
    every = sorted((Path(__file__).parents[1] / "results").rglob("*history.jsonl"))
    # Two are from before the papers' counts were kept.
    files = [file for file in every if '"paper"' in file.read_text()]
    assert len(every) - len(files) == 2
    assert len(files) > 40
    kinds = {record.dims is None for file in files for record in read_history(file)}
    assert kinds == {True, False}  # language models have no dimensions


@pytest.mark.parametrize(("key", "value"), [
    ("epoch", "1"), ("epoch", 1.5), ("epoch", True), ("epoch", None), ("seconds", None),
    ("loss", "0"), ("loss", []), ("train_accuracy", {}), ("words", 3), ("words", [1]),
    ("words", [1, 2, 3]), ("words", ["1", "2"]), ("words", None), ("dims", [1, 0.5]),
    ("paper", []), ("paper", {"a": 1}), ("weights", {"a": [1]}), ("groups", {"a": [1, None]}),
    ("groups", {"a": None}),
])  # fmt: skip
def test_a_value_of_another_type_is_named(tmp_path, key, value):
    values = {**json.loads(record().to_line()), key: value}
    (tmp_path / "history.jsonl").write_text(json.dumps(values) + "\n")
    with pytest.raises(
        RunError, match=rf"line 1 is not an epoch's record .*'{key}' is not of type"
    ):
        read_history(tmp_path / "history.jsonl")


@pytest.mark.parametrize(("content", "message"), [
    (b"\xff", "the byte at offset 0 is not UTF-8); remove the line"),
    (b"[" * 100_000, "line 1 is not an epoch's record (ValueError('it is nested too deeply'))"),
    (b"[]", "line 1 is not an epoch's record (ValueError('it is no JSON object'))"),
    (b'{"epoch": 1%s}' % (b"0" * 30), "ValueError('it has a number of more than 64 bits')"),
])  # fmt: skip
def test_a_history_that_no_program_wrote_is_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "history.jsonl").write_bytes(content)
    with pytest.raises(RunError) as error:
        read_history(tmp_path / "history.jsonl")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"1", b"[" * 100_000, b'{"a": 1', b"{}x"])
def test_a_damaged_result_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(RunError, match=r"result\.json is damaged \(.*\); remove it, and write it"):
        read_result(tmp_path / "result.json")
