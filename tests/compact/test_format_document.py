"""The page that describes the file has a reader of its own: it must find what was written."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import CompactClassifier, arrays_of, cells_of, dumps, rounded
from bayespress.compact.header import DICTIONARY
from tests.compact.language_strategies import language_models
from tests.compact.strategies import encoder_of, models, networks, random_model

PAGE = Path(__file__).parents[2] / "docs" / "format.md"
PRECISIONS = st.sampled_from(["float32", "float16", "int8", "int3", "auto"])


@pytest.fixture(scope="module")
def read():
    text = PAGE.read_text(encoding="utf-8")
    names = {}
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(block, names)
    assert names["DICTIONARY"] == DICTIONARY
    return names["read"]


def assert_found(found, model):
    header, words, live, tokens, arrays = found
    assert live == [cell.live_gates.tolist() for _, cell in cells_of(model)]
    if isinstance(model, CompactClassifier):
        assert header.get("pooling", "last") == model.pooling
        assert header.get("multi_label", False) == model.multi_label
        assert header.get("cell", "lstm") == model.layers[0][0].name
        assert sorted(words) == sorted(model.encoder.vocabulary.rows)
        assert tuple(header["labels"]) == model.labels
        assert tokens is None
    else:
        assert tuple(words) == model.encoder.tokens
        assert tokens == model.inputs.tolist()
    assert header["info"] == dict(model.info)
    assert list(arrays) == list(arrays_of(model))
    for name, array in arrays_of(model).items():
        assert np.array_equal(np.array(arrays[name], np.float32).reshape(array.shape), array)


@given(
    model=models() | networks() | language_models(),
    precision=PRECISIONS,
    share=st.sampled_from([0.1, 2.0]),
)
def test_the_documented_reader_finds_what_was_written(read, model, precision, share):
    sigmas = {name: share * np.abs(array) for name, array in arrays_of(model).items()}
    small = rounded(model, precision, sigmas)
    assert_found(read(dumps(small)), small)


def test_the_documented_reader_knows_rows_and_columns_apart(read):
    for outputs in (3, 40):
        model = random_model(encoder_of([f"w{n}" for n in range(80)]), 6, 9, range(30), outputs)
        for array in arrays_of(model).values():
            array[:] = np.rint(4 * array)
        for matrix in (model.embedding, model.lstm.weight_hh, model.output_weight):
            matrix[:] *= np.float32(10) ** np.arange(matrix.shape[1], dtype=np.float32)
        assert_found(read(dumps(model)), model)
