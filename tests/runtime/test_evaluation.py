"""Figures of finished models: evaluation and inspection."""

import math

import numpy as np
import pytest

from bayespress.compact import CompactClassifier, CompactLSTM
from bayespress.errors import DataError
from bayespress.runtime import TextPredictor, class_numbers, evaluate, inspect
from bayespress.text import TextEncoder, Tokenizer, Vocabulary


def model_of(vectors, outputs=1, labels=("bad", "good"), *, live=(2,)):
    """One neuron whose cell adds up the words' numbers; all gates but g are constant."""
    rows = {word: row for row, word in enumerate(vectors, 1)}
    encoder = TextEncoder(Tokenizer(), Vocabulary(rows, len(rows) + 1), 10)
    lstm = CompactLSTM(
        weight_ih=np.ones((len(live), 1), np.float32),
        weight_hh=np.zeros((len(live), 1), np.float32),
        bias=np.array([9, 9, 0, 9], np.float32),  # i, f and o are open: hard sigmoid of 9 is 1
        live_gates=np.array(live),
        gate_activation="hard_sigmoid",
    )
    weight = np.arange(1, outputs + 1, dtype=np.float32)[:, None]
    return CompactClassifier(
        encoder=encoder,
        embedding=np.array(list(vectors.values()), np.float32)[:, None],
        layers=((lstm,),),
        output_weight=weight,
        output_bias=np.zeros(outputs, np.float32),
        labels=labels,
        info={"dense_bytes": 5000, "code": "LLLLLL"},
    )


WORDS = {"fine": 0.5, "great": 2.0, "awful": -1.0}


def test_figures_of_an_evaluation_are_those_of_its_definition():
    predictor = TextPredictor(model_of(WORDS))
    texts = ["great", "fine", "awful", "great"]
    labels = ["good", "good", "bad", "bad"]
    result = evaluate(predictor, texts, labels)
    of_label = predictor.predict_proba(texts)[range(4), [1, 1, 0, 0]]
    assert result.texts == 4
    assert result.accuracy == 0.75
    assert result.nll == pytest.approx(-np.log(of_label).mean(), rel=1e-6)
    assert result.classes["good"] == {"texts": 2, "recall": 1.0, "precision": pytest.approx(2 / 3)}
    assert result.classes["bad"] == {"texts": 2, "recall": 0.5, "precision": 1.0}
    assert result.to_dict()["classes"]["bad"]["recall"] == 0.5


def test_class_that_never_occurs_has_no_recall():
    result = evaluate(TextPredictor(model_of(WORDS)), ["great"], ["good"])
    assert result.classes["bad"] == {"texts": 0, "recall": None, "precision": None}


def test_label_unseen_in_training_is_named():
    with pytest.raises(DataError, match="label 'meh' was not seen in training; the model knows"):
        class_numbers(["good", "meh"], ("bad", "good"))


def test_nothing_to_evaluate_on_is_an_error():
    with pytest.raises(DataError, match="there is no text to evaluate on"):
        evaluate(TextPredictor(model_of(WORDS)), [], [])


def test_kept_words_come_by_weight_with_their_effect():
    inspection = inspect(model_of(WORDS), file_bytes=500)
    assert [word.word for word in inspection.words] == ["great", "awful", "fine"]
    assert [word.weight for word in inspection.words] == [2.0, 1.0, 0.5]
    # One step of a cell with open gates: h = tanh(tanh(x)), against h = 0 of a pruned word.
    expected = [math.tanh(math.tanh(x)) for x in (2.0, -1.0, 0.5)]
    assert [word.effect for word in inspection.words] == pytest.approx(expected, abs=1e-6)
    assert [word.toward for word in inspection.words] == ["good", "bad", "good"]
    assert inspection.size_ratio == 10
    assert inspection.weights == 3 + 1 + 1
    assert inspection.to_dict()["words"][0]["word"] == "great"


def test_effect_with_many_classes_is_the_largest_change():
    model = model_of(WORDS, outputs=3, labels=("a", "b", "c"))
    great = inspect(model, 1).words[0]
    assert great.toward == "c"
    assert great.effect == pytest.approx(3 * math.tanh(math.tanh(2.0)), abs=1e-6)


def test_constant_gates_are_shown_with_their_values():
    (gates,) = inspect(model_of(WORDS), 1).gates
    assert gates == {"i": 1.0, "f": 1.0, "g": None, "o": 1.0}
    (gates,) = inspect(model_of(WORDS, live=(0,)), 1).gates
    assert gates == {"i": None, "f": 1.0, "g": 0.0, "o": 1.0}


def test_model_without_words_can_be_inspected():
    inspection = inspect(model_of({}), 1)
    assert inspection.words == []
    assert inspection.size_ratio == 5000
