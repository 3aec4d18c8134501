import dataclasses

import numpy as np
import pytest
from hypothesis import given

from bayespress.compact import dumps
from bayespress.runtime import LanguageInspection, inspect
from tests.compact.language_strategies import (
    char_encoder,
    language_models,
    random_language_model,
    word_encoder,
)


def test_inputs_come_by_the_norm_of_their_column():
    model = random_language_model(word_encoder(), 1, [0, 2], [1, 3, 4], window=9)
    weight_ih = np.array([[3, 0, 1], [4, 0.5, 0]], np.float32)
    model = dataclasses.replace(model, lstm=dataclasses.replace(model.lstm, weight_ih=weight_ih))
    inspection = inspect(model, file_bytes=500)
    assert [(token.word, token.weight) for token in inspection.words] == [
        ("cat", 5.0),
        (",", 1.0),
        (".", 0.5),
    ]
    assert (inspection.tokens, inspection.level, inspection.window) == (10, "word", 9)
    assert inspection.weights == 4 + 2 + 10
    assert inspection.size_ratio is None


def test_ratios_and_facts_are_those_of_the_info():
    info = {"dense_bytes": 5000, "code": "LLLL"}
    inspection = inspect(random_language_model(char_encoder(), 2, info=info), 500)
    assert inspection.size_ratio == 10
    assert inspection.info == info
    assert inspection.level == "char"


def test_constant_gates_are_shown_with_their_values():
    model = random_language_model(char_encoder(), 1, [0], activation="hard_sigmoid")
    bias = np.array([1, 9, 0.5, -9], np.float32)
    model = dataclasses.replace(model, lstm=dataclasses.replace(model.lstm, bias=bias))
    (gates,) = inspect(model, 1).gates
    assert gates == {"i": None, "f": 1.0, "g": pytest.approx(np.tanh(0.5)), "o": 0.0}


@given(language_models())
def test_every_language_model_can_be_inspected(model):
    found = inspect(model, len(dumps(model)))
    assert isinstance(found, LanguageInspection)
    assert sorted(token.word for token in found.words) == sorted(
        model.encoder.tokens[number] for number in model.inputs
    )
    assert len(found.gates) == found.neurons
    assert set(found.to_dict()) >= {"words", "tokens", "gates", "info", "window", "weights"}
