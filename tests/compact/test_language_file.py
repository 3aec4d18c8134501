"""The file of a language model."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given

from bayespress.compact import CompactLanguageModel, dumps, load, loads, save
from bayespress.compact.layout import arrays_of
from bayespress.errors import ArtifactError
from bayespress.text import TokenEncoder
from tests.compact.forging import text_of
from tests.compact.language_strategies import (
    language_models,
    random_language_model,
    small_language_model,
)


def assert_same(one, other):
    assert isinstance(other, CompactLanguageModel)
    assert one.encoder == other.encoder
    assert one.window == other.window
    assert dict(one.info) == dict(other.info)
    assert one.lstm.gate_activation == other.lstm.gate_activation
    for numbers, back in (
        (one.inputs, other.inputs),
        (one.lstm.live_gates, other.lstm.live_gates),
    ):
        assert back.tolist() == numbers.tolist()
        assert back.dtype == np.int64
    for name, array in arrays_of(one).items():
        back = arrays_of(other)[name]
        assert back.shape == array.shape
        assert back.dtype == np.float32
        assert back.tobytes() == (array + np.float32(0)).tobytes()


@given(language_models())
def test_a_language_model_comes_back_bit_by_bit(model):
    data = dumps(model)
    assert_same(model, loads(data))
    assert dumps(loads(data)) == data


def test_save_and_load_take_both_kinds(tmp_path):
    model, path = small_language_model(window=5), tmp_path / "new" / "model.bpr"
    assert save(model, path) == path.stat().st_size
    assert_same(model, load(path))


def test_a_big_sparse_model_takes_five_and_a_half_bytes_for_a_weight_that_is_left():
    tokens = tuple(f"w{number}" for number in range(5_000))
    encoder = TokenEncoder("word", "words", False, tokens)
    model = random_language_model(encoder, 40, density=0.01)
    data = dumps(model)
    assert_same(model, loads(data))
    matrices = arrays_of(model).values()
    kept = sum(np.count_nonzero(matrix) for matrix in matrices)
    assert len(data) < 5.5 * kept + 20_000


def test_the_layout_of_a_language_model_is_the_documented_one():
    model = small_language_model(window=7)
    text, arrays = text_of(dumps(model))
    assert text == (
        b'{"kind":"language_model","level":"char","tokenizer":"words","lowercase":false,'
        b'"window":7,"hidden":1,"gate_activation":"sigmoid","info":{}}'
        b"\xf5\n\xf5a\xf5\\\xf5\xc3\xa9"
    )
    assert arrays[:2] == bytes([0b0101, 0b1011])
    values = np.frombuffer(arrays[3:27], "<f4")
    assert values.tolist() == model.lstm.weight_ih.reshape(-1).tolist()


@pytest.mark.parametrize(("changes", "message"), [
    ({"output_bias": np.full(4, np.nan, np.float32)}, "output_bias has values that are not fini"),
    ({"output_weight": np.zeros((3, 1), np.float32)}, "output_weight has shape (3, 1), but the "),
    ({"output_weight": np.zeros((4, 1))}, "output_weight is float64, but must be float32"),
    ({"inputs": np.array([0, 1])}, "weight_ih has shape (2, 3), but the others ask for (2, 2)"),
    ({"inputs": np.array([0, 1, 4])}, "inputs leave the range 0 … 3"),
    ({"inputs": np.array([-1, 1, 3])}, "inputs leave the range 0 … 3"),
    ({"inputs": np.array([1, 0, 3])}, "inputs do not rise"),
    ({"window": 1}, "window is 1, but must be between 2 and 2147483647"),
    ({"window": 2**31}, "window is 2147483648, but must be between"),
    ({"info": {"x": {1, 2}}}, "its info is not JSON"),
])  # fmt: skip
def test_an_inconsistent_language_model_is_not_saved(changes, message):
    with pytest.raises(ArtifactError) as error:
        dumps(dataclasses.replace(small_language_model(), **changes))
    assert str(error.value).startswith("cannot save this model: ")
    assert message in str(error.value)


@pytest.mark.parametrize(("changes", "message"), [
    ({"level": "byte"}, "level is 'byte', not one of word, char"),
    ({"tokenizer": "bpe"}, "tokenizer is 'bpe', not one of words, spaces"),
    ({"tokens": ("a", "b", "c", "de")}, "tokens of the level char are not all one character"),
    ({"tokens": ("a", "b", "c", "a")}, "a token stands there twice"),
    ({"tokens": ("a", "b", "c", 4)}, "tokens are not all text"),
    ({"tokens": ("a", "b", "c", "\ud800")}, "a word is not valid Unicode"),
    ({"level": "word", "tokens": ("a", "b", "c", "d e")}, "level word are not all without white"),
    ({"level": "word", "tokens": ("a", "b", "c", "")}, "level word are not all without white"),
])  # fmt: skip
def test_tokens_that_cannot_be_found_in_a_text_are_not_saved(changes, message):
    model = small_language_model()
    encoder = dataclasses.replace(model.encoder, **changes)
    with pytest.raises(ArtifactError, match=message):
        dumps(dataclasses.replace(model, encoder=encoder))


def test_a_model_without_tokens_is_not_saved():
    encoder = TokenEncoder("word", "words", False, ())
    with pytest.raises(ArtifactError, match="there is no token"):
        dumps(random_language_model(encoder, 1))


@pytest.mark.parametrize(("changes", "message"), [
    ({"live_gates": np.array([2, 0])}, "live_gates do not rise"),
    ({"gate_activation": "relu"}, "gate_activation is 'relu', not one of hard_sigmoid, sigmoid"),
])  # fmt: skip
def test_gates_are_looked_at_in_language_models_too(changes, message):
    model = small_language_model()
    lstm = dataclasses.replace(model.lstm, **changes)
    with pytest.raises(ArtifactError, match=message):
        dumps(dataclasses.replace(model, lstm=lstm))
