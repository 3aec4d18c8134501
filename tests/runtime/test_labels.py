"""Several labels a text: what is answered, and how answers are measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_score, recall_score

from bayespress.compact import CompactGRU
from bayespress.errors import DataError
from bayespress.runtime import TextPredictor, evaluate, evaluate_labels, explain, label_matrix
from bayespress.runtime.labels import micro_f1
from tests.compact.strategies import encoder_of, networks, random_network

TEXTS = ["good film", "", "bad", "good good bad film", "nothing known", "film bad"]


def model_of(outputs=3, seed=0, **changes):
    encoder = encoder_of(["good", "bad", "film"])
    return random_network(
        encoder, CompactGRU, [[3, 2]], outputs=outputs, multi_label=True, seed=seed, **changes
    )


@given(networks(), st.lists(st.text(max_size=20), max_size=6))
def test_answers_are_those_that_an_explanation_names(model, texts):
    predictor = TextPredictor(model)
    answers = predictor.predict(texts)
    assert len(answers) == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        named = tuple(explain(predictor, text).given)
        assert answer == (named if model.multi_label else named[0])


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_scikit_learn(seed):
    predictor = TextPredictor(model_of(4, seed))
    random = np.random.default_rng(seed)
    wanted = random.random((len(TEXTS), 4)) < 0.5
    wanted[:, 3] = False  # a label that no text has
    labels = [tuple(predictor.labels[k] for k in row.nonzero()[0]) for row in wanted]
    result = evaluate_labels(predictor, TEXTS, labels)
    shares = predictor.predict_proba(TEXTS)
    given_ = shares >= 0.5
    assert result.texts == len(TEXTS)
    assert result.micro_f1 == pytest.approx(f1_score(wanted, given_, average="micro"))
    assert result.exact_match == pytest.approx(accuracy_score(wanted, given_))
    known = [k for k in range(4) if wanted[:, k].any() or given_[:, k].any()]
    macro = f1_score(wanted[:, known], given_[:, known], average="macro", zero_division=0)
    assert result.macro_f1 == pytest.approx(macro)
    summed = sum(log_loss(wanted[:, k], shares[:, k], labels=[False, True]) for k in range(4))
    assert result.nll == pytest.approx(summed, rel=1e-5)
    for k, (name, figures) in enumerate(result.labels.items()):
        assert name == predictor.labels[k]
        assert figures["texts"] == wanted[:, k].sum()
        of_label = wanted[:, k], given_[:, k]
        for key, score, defined in (
            ("recall", recall_score, wanted[:, k].any()),
            ("precision", precision_score, given_[:, k].any()),
        ):
            assert figures[key] == (pytest.approx(score(*of_label)) if defined else None)
    assert result.to_dict()["labels"].keys() == set(predictor.labels)


def test_a_likelihood_is_finite_however_sure_the_model_is():
    model = model_of(1)
    model.output_bias[:] = 500
    result = evaluate_labels(TextPredictor(model), ["good", "good"], [(), ("class 0",)])
    assert 200 < result.nll < 300


def test_f1_of_nothing_given_and_nothing_wanted_is_zero():
    nothing = np.zeros((3, 2), bool)
    assert micro_f1(nothing, nothing) == 0
    assert micro_f1(nothing, ~nothing) == 0
    assert micro_f1(~nothing, ~nothing) == 1


def test_labels_become_a_matrix():
    assert label_matrix([], ["a"]).shape == (0, 1)
    assert label_matrix(["a", ("b", "a"), ()], ["a", "b"]).tolist() == [
        [True, False], [True, True], [False, False],
    ]  # fmt: skip
    with pytest.raises(DataError, match="label 'c' was not seen in training; the model knows a, b"):
        label_matrix([("a", "c")], ["a", "b"])


def test_what_is_measured_fits_the_model():
    several, single = model_of(), random_network(encoder_of("ab"), CompactGRU, [[2]])
    with pytest.raises(DataError, match="gives a text several labels: measure it by evaluate_labe"):
        evaluate(TextPredictor(several), ["a"], ["class 0"])
    with pytest.raises(DataError, match="the model gives a text one class: measure it by evaluate"):
        evaluate_labels(TextPredictor(single), ["a"], [("class 0",)])
    with pytest.raises(DataError, match="there is no text to evaluate on"):
        evaluate_labels(TextPredictor(several), [], [])
