import dataclasses
import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayespress
from bayespress.compact import save
from bayespress.runtime import LSTMState, NumpyLSTM, TextPredictor, columns, load, predictor
from bayespress.runtime.activations import sigmoid
from bayespress.runtime.columns import ColumnLSTM
from bayespress.runtime.predictor import softmax
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from tests.compact.strategies import encoder_of, models, random_model, small_model

WORDS = ["good", "bad", "naïve", "so", "Ünïcode", "漢字", "a", "b_1", "42"]
TEXTS = st.lists(st.lists(st.sampled_from([*WORDS, "new"]), max_size=14).map(", ".join), max_size=6)


def reference_logits(model, text):
    """One text, one step and one gate after another, in double precision."""
    lstm, neurons = model.lstm, len(model.lstm.bias) // 4
    soft = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    hard = lambda x: min(max(0.2 * x + 0.5, 0), 1)  # noqa: E731
    activation = hard if lstm.gate_activation == "hard_sigmoid" else soft
    h, c = [0.0] * neurons, [0.0] * neurons
    for row in model.encoder.encode(text).tolist():
        x = [0.0] * model.embedding.shape[1] if row == 0 else model.embedding[row - 1].tolist()
        a = lstm.bias.tolist()
        for number, gate in enumerate(lstm.live_gates.tolist()):
            a[gate] += sum(w * v for w, v in zip(lstm.weight_ih[number].tolist(), x, strict=True))
            a[gate] += sum(w * v for w, v in zip(lstm.weight_hh[number].tolist(), h, strict=True))
        for j in range(neurons):
            i, f, o = (activation(a[k * neurons + j]) for k in (0, 1, 3))
            c[j] = f * c[j] + i * math.tanh(a[2 * neurons + j])
            h[j] = o * math.tanh(c[j])
    return model.output_weight.astype(float) @ np.array(h) + model.output_bias


def reference_probabilities(model, text):
    logits = reference_logits(model, text)
    if len(logits) == 1:
        p = 1 / (1 + math.exp(-logits[0]))
        return [1 - p, p]
    return [1 / sum(math.exp(other - one) for other in logits) for one in logits]


def dense_model(outputs=3, **changes):
    encoder = encoder_of(WORDS)
    return random_model(encoder, 5, 8, range(32), outputs, seed=4, **changes)


@given(models(st.sampled_from(WORDS)), TEXTS)
def test_predictions_equal_a_plain_loop(model, texts):
    probabilities = TextPredictor(model).predict_proba(texts)
    assert probabilities.shape == (len(texts), len(model.labels))
    assert probabilities.dtype == np.float32
    for text, row in zip(texts, probabilities, strict=True):
        np.testing.assert_allclose(row, reference_probabilities(model, text), atol=1e-5)


@given(models(st.sampled_from(WORDS)), TEXTS)
def test_a_prediction_does_not_depend_on_the_other_texts(model, texts):
    ready = TextPredictor(model)
    together = ready.predict_proba(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(ready.predict_proba([text])[0], row, atol=1e-6)


@given(models(st.sampled_from(WORDS)), TEXTS)
def test_probabilities_sum_to_one_and_labels_follow_them(model, texts):
    ready = TextPredictor(model)
    probabilities = ready.predict_proba(texts)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert ready.labels == model.labels
    assert ready.predict(texts) == [model.labels[row.argmax()] for row in probabilities]


def random_texts(count, longest=60, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(0, longest))) for _ in range(count)]


def test_chunks_change_nothing(monkeypatch):
    texts = random_texts(100)
    ready = TextPredictor(dense_model())
    whole = ready.predict_proba(texts)
    monkeypatch.setattr(predictor, "_CHUNK", 7)
    np.testing.assert_allclose(ready.predict_proba(texts), whole, atol=1e-6)
    np.testing.assert_allclose(ready.predict_proba(texts[::-1])[::-1], whole, atol=1e-6)


def test_a_model_too_large_for_a_table_predicts_the_same(monkeypatch):
    texts, model = random_texts(20), dense_model()
    with_table = TextPredictor(model).predict_proba(texts)
    monkeypatch.setattr(predictor, "_MAX_TABLE", 0)
    np.testing.assert_allclose(TextPredictor(model).predict_proba(texts), with_table, atol=1e-6)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "sigmoid"])
def test_a_dense_model_equals_a_plain_loop(activation):
    model, texts = dense_model(activation=activation), random_texts(10)
    logits = TextPredictor(model).logits([model.encoder.encode(text) for text in texts])
    expected = [reference_logits(model, text) for text in texts]
    np.testing.assert_allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "sigmoid"])
@pytest.mark.parametrize("live", [range(32), [1, 9, 10, 16, 18, 23, 24, 31]])
def test_a_single_text_of_any_length_equals_a_plain_loop(monkeypatch, live, activation):
    monkeypatch.setattr(columns, "_NUMBERS", 7 * 40)  # 7 steps
    model = random_model(encoder_of(WORDS), 5, 8, live, 3, seed=4, activation=activation)
    ready = TextPredictor(model)
    for length in (0, 1, 6, 7, 8, 21, 40):
        text = " ".join(np.random.default_rng(length).choice(WORDS, length))
        logits = ready.logits([model.encoder.encode(text)])
        np.testing.assert_allclose(logits[0], reference_logits(model, text), atol=1e-5)


def test_many_neurons_with_few_live_gates_are_read_by_live_gates_alone(monkeypatch):
    monkeypatch.setattr(columns, "_SMALL", 0)
    few, half = (random_model(encoder_of(WORDS), 5, 8, range(n), 3, seed=4) for n in (15, 16))
    assert (ColumnLSTM.suits(few.lstm, 1), ColumnLSTM.suits(half.lstm, 1)) == (False, True)
    assert_single_texts_equal_batches(few)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "sigmoid"])
def test_several_texts_of_a_larger_network_are_read_the_other_way(monkeypatch, activation):
    model = random_model(encoder_of(WORDS), 5, 9, range(3, 36), 3, seed=4, activation=activation)
    texts, ready = random_texts(30), TextPredictor(model)
    assert ColumnLSTM.suits(model.lstm, 30)
    found = ready.predict_proba(texts)
    monkeypatch.setattr(columns, "_FEW_VALUES", 0)
    assert not ColumnLSTM.suits(model.lstm, 2)
    np.testing.assert_allclose(ready.predict_proba(texts), found, atol=1e-6)


def assert_single_texts_equal_batches(model):
    ready, texts = TextPredictor(model), random_texts(6)
    together = ready.predict_proba(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(ready.predict_proba([text])[0], row, atol=1e-6)


@pytest.mark.parametrize("activation", ["hard_sigmoid", "sigmoid"])
def test_a_single_sequence_has_the_states_of_one_among_several(activation):
    model = random_model(encoder_of(WORDS), 5, 8, range(3, 32), 3, seed=4, activation=activation)
    lstm = NumpyLSTM(model.lstm)
    table = lstm.project(model.embedding)
    rows = np.random.default_rng(2).integers(0, len(table), (30, 2))
    start = LSTMState(*np.random.default_rng(3).normal(size=(2, 2, 8)).astype(np.float32))
    first = LSTMState(start.hidden[:1].copy(), start.cell[:1].copy())
    (several, after), (alone, end) = (
        lstm.all_hidden(table, rows, start), lstm.all_hidden(table, rows[:, :1], first)
    )  # fmt: skip
    np.testing.assert_allclose(alone, several[:, :1], atol=1e-6)
    np.testing.assert_allclose(end.hidden, after.hidden[:1], atol=1e-6)
    np.testing.assert_allclose(end.cell, after.cell[:1], atol=1e-6)
    np.testing.assert_array_equal(first.cell, start.cell[:1])


def test_no_texts_give_no_rows():
    ready = TextPredictor(small_model())
    assert ready.predict([]) == []
    assert ready.predict_proba([]).shape == (0, 2)
    assert ready.logits([]).shape == (0, 1)


def test_an_empty_text_reads_the_output_bias():
    model = dense_model()
    logits = TextPredictor(model).logits([np.zeros(0, np.int32)])
    np.testing.assert_array_equal(logits[0], model.output_bias)


def test_an_unknown_word_takes_a_time_step():
    ready = TextPredictor(dense_model())
    assert ready.predict_proba(["good"])[0, 0] != ready.predict_proba(["good new"])[0, 0]


def test_a_gate_that_is_not_live_is_the_constant_of_its_bias():
    model = dense_model()
    keep = np.arange(32) % 3 > 0
    ih, hh = (weights * keep[:, None] for weights in (model.lstm.weight_ih, model.lstm.weight_hh))
    masked = dataclasses.replace(model.lstm, weight_ih=ih, weight_hh=hh)
    smaller = dataclasses.replace(
        model.lstm, weight_ih=ih[keep], weight_hh=hh[keep], live_gates=np.flatnonzero(keep)
    )
    answers = [
        TextPredictor(dataclasses.replace(model, layers=((lstm,),))).predict_proba(random_texts(9))
        for lstm in (masked, smaller)
    ]
    np.testing.assert_allclose(*answers, atol=1e-6)


@pytest.mark.parametrize("outputs", [1, 3])
def test_enormous_logits_neither_overflow_nor_warn(outputs):
    model = dense_model(outputs)
    bias = np.array([1e38, -1e38, 3e38][:outputs], np.float32)
    probabilities = TextPredictor(
        dataclasses.replace(model, output_bias=bias)
    ).predict_proba(["good", ""])  # fmt: skip
    best = {1: [0, 1], 3: [0, 0, 1]}[outputs]
    assert probabilities.tolist() == [best, best]


def test_enormous_gates_neither_overflow_nor_warn():
    values = np.array([-3e38, -200, 0, 200, 3e38], np.float32)
    sigmoid(values)
    assert values.tolist() == [0, 0, 0.5, 1, 1]


def test_a_softmax_keeps_small_probabilities():
    np.testing.assert_allclose(
        softmax(np.array([[0, 30]], np.float32)), [[9.357623e-14, 1]], rtol=1e-6
    )


def test_predictions_do_not_change_the_model():
    model = dense_model()
    before = model.lstm.bias.copy(), model.embedding.copy()
    ready = TextPredictor(model)
    texts = random_texts(5)
    np.testing.assert_array_equal(ready.predict_proba(texts), ready.predict_proba(texts))
    np.testing.assert_array_equal(before[0], model.lstm.bias)
    np.testing.assert_array_equal(before[1], model.embedding)


def test_a_single_string_is_not_taken_for_a_list_of_letters():
    with pytest.raises(TypeError, match=r"got one string: write \[text\]"):
        TextPredictor(small_model()).predict("so good")


def test_load_reads_a_file_and_is_public(tmp_path):
    model = dense_model()
    save(model, tmp_path / "model.bpr")
    expected = TextPredictor(model).predict_proba(WORDS)
    assert bayespress.load is load
    np.testing.assert_array_equal(load(tmp_path / "model.bpr").predict_proba(WORDS), expected)


def learned_vocabulary():
    words = [word for rank, word in enumerate(WORDS) for _ in range(len(WORDS) - rank)]
    return Vocabulary.build([words], size=8, min_documents=1, unknown="learned")


def zero_vocabulary():
    return Vocabulary.build([WORDS], size=7, min_documents=1)


@given(st.data())
def test_restricting_the_vocabulary_equals_rows_of_zeros(data):
    full = data.draw(st.sampled_from([learned_vocabulary, zero_vocabulary]))()
    bits = st.lists(st.booleans(), min_size=full.num_rows, max_size=full.num_rows)
    keep = np.array(data.draw(bits))
    encoder = TextEncoder(Tokenizer(), full, data.draw(st.integers(1, 8)))
    model = random_model(encoder, 3, 3, range(12), 1, seed=data.draw(st.integers(0, 99)))
    masked = dataclasses.replace(model, embedding=model.embedding * keep[1:, None])
    smaller, rows = encoder.restrict(keep)
    table = np.concatenate([np.zeros((1, 3), np.float32), model.embedding])
    restricted = dataclasses.replace(model, encoder=smaller, embedding=table[rows])
    texts = data.draw(TEXTS)
    np.testing.assert_allclose(
        TextPredictor(restricted).predict_proba(texts),
        TextPredictor(masked).predict_proba(texts),
        atol=1e-6,
    )


def test_a_model_without_words_still_counts_them():
    encoder = TextEncoder(Tokenizer(), Vocabulary(MappingProxyType({}), 1), 9)
    model = random_model(encoder, 0, 3, range(12), 2, seed=1)
    rows = TextPredictor(model).predict_proba(["", "a", "a b"])
    assert len({tuple(row) for row in rows.tolist()}) == 3
