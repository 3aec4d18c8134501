import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.errors import RunError
from bayespress.history import EpochRecord, read_history, write_history

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PAIRS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6))
BY_TYPE = {
    "int": st.integers(1, 1000),
    "float": NUMBERS,
    "float | None": st.none() | NUMBERS,
    "Count": PAIRS,
    "Count | None": st.none() | PAIRS,
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
