"""Effects are what each word changed, and lead from the first to the last answer."""

import dataclasses
import itertools
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, CompactLSTM
from bayespress.errors import ConfigError
from bayespress.runtime import TextPredictor, explain, predictor
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from tests.compact.strategies import (
    encoder_of,
    models,
    networks,
    random_model,
    random_network,
    small_model,
)

WORDS = st.sampled_from(["good", "bad", "naïve", "ΟΔΟΣ", "οδος", "İ", "i", "x", "𐐀", "ǆ"])
PITFALLS = ["İ", "Σ", "ΑΣ", "ß", "ǅ"]
TEXT = st.lists(WORDS | st.text(max_size=5), max_size=16).map(" ".join)


@st.composite
def questions(draw):
    """A model, a text, and one of its classes or none."""
    model = draw(models(WORDS) | networks(WORDS))
    return model, draw(TEXT), draw(st.none() | st.sampled_from(model.labels))


def odds(model, ids, label):
    """Log odds after some rows, by a softmax or a sigmoid in double precision."""
    (logits,) = TextPredictor(model).logits([np.array(ids, np.int32)]).astype(float)
    if model.multi_label:
        share = 1 / (1 + np.exp(-logits[model.labels.index(label)]))
        return np.log(share) - np.log1p(-share)
    logits = np.array([0.0, *logits]) if len(logits) == 1 else logits
    weights = np.exp(logits - logits.max())
    others = np.delete(weights, model.labels.index(label)).sum()
    return np.log(weights[model.labels.index(label)]) - np.log(others)


@given(questions())
def test_effects_sum_to_the_change_of_the_answer(question):
    model, text, label = question
    found = explain(TextPredictor(model), text, label)
    total = sum(word.effect for word in found.words)
    assert total == pytest.approx(found.final - found.start, abs=1e-9)
    ids = model.encoder.encode(text).tolist()
    assert found.final == pytest.approx(odds(model, ids, found.explained), abs=1e-4)
    if any(word.read for word in found.words):
        before = [] if model.encoder.vocabulary.prefix is None else ids[:1]
        assert found.start == pytest.approx(odds(model, before, found.explained), abs=1e-4)


@given(questions())
def test_the_answer_is_that_of_predict(question):
    model, text, label = question
    ready = TextPredictor(model)
    found = explain(ready, text, label)
    (row,) = ready.predict_proba([text])
    assert found.probability == pytest.approx(row.max(), abs=1e-6)
    assert row[model.labels.index(found.label)] == pytest.approx(row.max(), abs=1e-6)
    assert found.explained == (found.label if label is None else label)
    last = row[model.labels.index(found.explained)]
    for word in found.words[-1:]:
        assert word.probability == pytest.approx(last, abs=1e-6)


@given(models(WORDS) | networks(WORDS), st.lists(WORDS, min_size=1, max_size=9))
def test_a_probability_is_the_answer_to_the_text_up_to_the_word(model, words):
    vocabulary = dataclasses.replace(model.encoder.vocabulary, suffix=None)
    encoder = dataclasses.replace(model.encoder, vocabulary=vocabulary)
    ready = TextPredictor(dataclasses.replace(model, encoder=encoder))
    text = " ".join(words)
    found = explain(ready, text, model.labels[0])
    ends = [text[: word.end] for word in found.words]
    expected = ready.predict_proba(ends)[:, 0]
    np.testing.assert_allclose([w.probability for w in found.words], expected, atol=1e-5)


@given(st.booleans(), st.lists(st.text(max_size=4) | st.sampled_from(PITFALLS)))
def test_places_are_those_of_the_text_before_it_was_lowercased(lowercase, pieces):
    text, tokenizer = "".join(pieces), Tokenizer(lowercase)
    spans = list(tokenizer.spans(text))
    assert [token for token, *_ in spans] == list(tokenizer.words(text))
    for token, start, end in spans:
        part = text[start:end]
        # Sigma alone does not know that it ends a word; the dot of İ is no part of a word.
        alone = (part.lower() if lowercase else part).removesuffix("\u0307")
        assert alone.upper() == token.upper()
    for (_, _, end), (_, start, _) in itertools.pairwise(spans):
        assert end <= start


def test_a_character_that_becomes_two_moves_no_other():
    text = "İİ GOOD"
    model = random_model(encoder_of(["good"], lowercase=True), 1, 1, [0], 1)
    words = explain(TextPredictor(model), text).words
    assert [(text[w.start : w.end], w.token, w.kept) for w in words] == [
        ("İ", "i", False),
        ("İ", "i", False),
        ("GOOD", "good", True),
    ]


def test_words_beyond_the_length_are_not_read_and_move_nothing():
    model = random_model(encoder_of(["good", "bad"], max_length=3), 2, 3, range(12), 1)
    found = explain(TextPredictor(model), "good bad new good bad")
    assert [word.read for word in found.words] == [True, True, True, False, False]
    assert [word.kept for word in found.words] == [True, True, False, True, True]
    assert [word.effect for word in found.words[3:]] == [0, 0]
    assert all(word.effect != 0 for word in found.words[:3])
    assert len({word.probability for word in found.words[2:]}) == 1


def papers_model(max_length=9):
    words = MappingProxyType({"good": 3, "rare": 2})
    vocabulary = Vocabulary(words, 4, default=None, prefix=1, suffix=2)
    encoder = TextEncoder(Tokenizer(), vocabulary, max_length)
    return random_model(encoder, 3, 3, range(12), 1, seed=1)


def test_a_start_token_comes_before_the_first_word_and_an_end_token_with_the_last():
    model = papers_model()
    found = explain(TextPredictor(model), "good skipped rare skipped", "class 1")
    after = [odds(model, ids, "class 1") for ids in ([1], [1, 3], [1, 3, 2, 2])]
    assert found.start == pytest.approx(after[0], abs=1e-6)
    assert [word.read for word in found.words] == [True, False, True, False]
    effects = [word.effect for word in found.words]
    assert effects == pytest.approx([after[1] - after[0], 0, after[2] - after[1], 0], abs=1e-6)


def test_a_word_that_is_left_out_takes_no_room():
    found = explain(TextPredictor(papers_model(max_length=3)), "skipped good rare good")
    assert [word.read for word in found.words] == [False, True, True, False]


@pytest.mark.parametrize("text", ["", "skipped", " ?! "])
def test_without_a_word_that_is_read_the_start_is_the_answer(text):
    model = papers_model()
    found = explain(TextPredictor(model), text, "class 1")
    assert found.start == found.final == pytest.approx(odds(model, [1, 2], "class 1"), abs=1e-6)


def test_a_length_of_one_leaves_room_for_the_start_token_alone():
    found = explain(TextPredictor(papers_model(max_length=1)), "good rare")
    assert not any(word.read for word in found.words)
    assert found.start == found.final


def test_of_two_classes_one_gains_what_the_other_loses():
    ready = TextPredictor(small_model())
    first, second = (explain(ready, "so good, bad", label) for label in ready.labels)
    assert first.words
    for one, other in zip(first.words, second.words, strict=True):
        assert one.effect == -other.effect
        assert one.probability + other.probability == pytest.approx(1)


def test_enormous_logits_neither_overflow_nor_warn():
    bias = np.array([1e38, -1e38, 3e38], np.float32)
    model = random_model(encoder_of(["good"]), 2, 2, range(8), 3)
    found = explain(TextPredictor(dataclasses.replace(model, output_bias=bias)), "good")
    assert (found.label, found.probability) == ("class 2", 1)
    assert found.words[0].probability == 1


def test_a_model_too_large_for_a_table_explains_the_same(monkeypatch):
    model = random_model(encoder_of(["good", "bad"]), 2, 3, range(12), 3)
    with_table = explain(TextPredictor(model), "good, bad, good")
    monkeypatch.setattr(predictor, "_MAX_TABLE", 0)
    without = explain(TextPredictor(model), "good, bad, good")
    for one, other in zip(with_table.words, without.words, strict=True):
        assert one.effect == pytest.approx(other.effect, abs=1e-6)


def test_a_text_of_a_hundred_thousand_words_is_explained():
    model = random_model(encoder_of(["good", "bad"]), 2, 3, range(12), 1)
    found = explain(TextPredictor(model), "good bad " * 50_000)
    assert len(found.words) == 100_000
    assert sum(word.read for word in found.words) == 200


def labels_model(bias):
    """A model for several labels at once, of which each has its bias alone for a log odds."""
    model = random_network(encoder_of(["good"]), CompactLSTM, [[2]], outputs=len(bias),
                           multi_label=True)  # fmt: skip
    return dataclasses.replace(
        model,
        output_weight=np.zeros_like(model.output_weight),
        output_bias=np.array(bias, np.float32),
    )


@pytest.mark.parametrize(("bias", "given"), [
    ([2, -1, 3], ["class 2", "class 0"]),
    ([-2, -1, -3], []),
    ([0, -1], ["class 0"]),
    ([5], ["class 0"]),
])  # fmt: skip
def test_of_several_labels_those_more_probable_than_not_are_given(bias, given):
    found = explain(TextPredictor(labels_model(bias)), "so good")
    assert list(found.given) == given
    assert (found.label, found.explained) == (f"class {np.argmax(bias)}",) * 2
    assert found.probability == pytest.approx(1 / (1 + np.exp(-max(bias))))
    assert all(share >= 0.5 for share in found.given.values())
    assert found.final == pytest.approx(max(bias))


def test_of_classes_the_most_probable_one_is_given_however_improbable():
    model = random_model(encoder_of(["good"]), 2, 2, range(8), 5)
    found = explain(TextPredictor(model), "good")
    assert found.given == {found.label: found.probability}


def test_effects_on_one_of_several_labels_know_nothing_of_the_others():
    model = random_network(encoder_of(["good", "bad"]), CompactGRU, [[3, 2]], outputs=2,
                           pooling="max", multi_label=True)  # fmt: skip
    alone = dataclasses.replace(
        model,
        output_weight=model.output_weight[1:],
        output_bias=model.output_bias[1:],
        labels=model.labels[1:],
    )
    both, one = (explain(TextPredictor(m), "so good, bad", "class 1") for m in (model, alone))
    for word, other in zip(both.words, one.words, strict=True):
        assert word.effect == pytest.approx(other.effect, abs=1e-6)
        assert word.probability == pytest.approx(other.probability, abs=1e-6)


def test_a_class_that_the_model_does_not_have_is_refused():
    with pytest.raises(ConfigError, match="no class 'x': name one of class 0, class 1"):
        explain(TextPredictor(small_model()), "good", "x")
