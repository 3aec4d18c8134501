"""Sorting words changes nothing that a model says."""

from types import MappingProxyType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import by_alphabet, dumps
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from tests.compact.language_strategies import char_encoder, language_models, random_language_model
from tests.compact.strategies import encoder_of, models, networks, random_model

LETTERS = st.sampled_from(["a", "b", "ab", "ba", "é", "Z"])


@given(
    models(LETTERS) | networks(LETTERS),
    st.lists(st.lists(LETTERS, max_size=6).map(" ".join), min_size=1),
)
def test_a_sorted_classifier_says_the_same(model, texts):
    expected = TextPredictor(model).predict_proba(texts)
    ordered = by_alphabet(model)
    np.testing.assert_allclose(TextPredictor(ordered).predict_proba(texts), expected, atol=1e-6)
    words = [word for word in ordered.encoder.vocabulary.words if word is not None]
    assert words == sorted(words)
    assert dumps(by_alphabet(ordered)) == dumps(ordered)


@given(language_models(LETTERS, st.sampled_from("ab\né")), st.lists(LETTERS, min_size=2))
def test_a_sorted_language_model_says_the_same(model, words):
    text = " ".join(words)
    ordered = by_alphabet(model)
    assert list(ordered.encoder.tokens) == sorted(ordered.encoder.tokens)
    one, other = LanguageModel(model), LanguageModel(ordered)
    expected = one.nll(model.encoder.encode(text))[0] if len(model.encoder.encode(text)) > 1 else []
    found = other.nll(ordered.encoder.encode(text))[0] if len(expected) else []
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_tokens_that_are_read_keep_their_weights_in_another_order():
    model = random_language_model(char_encoder("dacb"), 2, inputs=[0, 2, 3])
    ordered = by_alphabet(model)

    def weights(of):
        columns = zip(of.inputs, of.lstm.weight_ih.T, strict=True)
        return {of.encoder.tokens[number]: column.tolist() for number, column in columns}

    assert weights(ordered) == weights(model)
    assert ordered.inputs.tolist() == sorted(ordered.inputs)
    assert ordered.encoder.tokens != model.encoder.tokens


def test_a_sorted_file_is_smaller():
    words = [f"w{number * 7919 % 1000:03}" for number in range(1000)]
    model = random_model(encoder_of(words), 1, 1, [0], 1, density=0.1)
    assert len(dumps(by_alphabet(model))) < 0.7 * len(dumps(model))


def test_rows_without_a_word_come_first():
    rows = MappingProxyType({"b": 1, "": 2, "a": 4})
    vocabulary = Vocabulary(rows, 6, default=5, prefix=3)
    model = random_model(TextEncoder(Tokenizer(), vocabulary, 9), 2, 1, [0], 1)
    ordered = by_alphabet(model)
    found = ordered.encoder.vocabulary
    assert dict(found.rows) == {"": 3, "a": 4, "b": 5}
    assert {found.prefix, found.default} == {1, 2}
    assert (found.prefix, found.suffix) == (1, None)
    np.testing.assert_array_equal(ordered.embedding, model.embedding[[2, 4, 1, 3, 0]])
