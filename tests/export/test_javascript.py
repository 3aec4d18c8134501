"""The module gives what the numpy runtime gives, on the same raw texts."""

import dataclasses
import itertools
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, CompactLSTM
from bayespress.config import DataConfig
from bayespress.data import load_split
from bayespress.errors import ArtifactError, DataError
from bayespress.export.javascript import module_of, write_js
from bayespress.runtime import LanguageModel, TextPredictor, explain
from bayespress.text import TokenEncoder, Tokenizer
from tests.compact.language_strategies import (
    language_models,
    random_language_model,
    small_language_model,
)
from tests.compact.strategies import (
    encoder_of,
    models,
    networks,
    random_model,
    random_network,
    small_model,
)
from tests.export.node import needs_node

pytestmark = needs_node

WORDS = st.sampled_from(["good", "bad", "naïve", "ΟΔΟΣ", "οδος", "İ", "i", "x", "𐐀", "ǆ", "₃"])
TEXT = st.text(st.characters() | st.sampled_from(" \n\r'’.ΣAaİ\x1c\x85\u0345\ud800"), max_size=30)
TEXTS = st.lists(
    TEXT | st.lists(WORDS | TEXT, max_size=20).map(" ".join), min_size=1, max_size=12
)  # fmt: skip
LOOSE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLANES_OF_LETTERS, PLANE_OF_TAGS = range(0x20000), range(0xE0000, 0xE1000)


def joined(text):
    """Put halves of characters together that stand side by side, as JavaScript's strings do."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@LOOSE
@given(models(WORDS) | networks(WORDS), TEXTS)
def test_probabilities_and_words_equal_those_of_python(node, model, texts):
    texts = [joined(text) for text in texts]
    answers = node.answers(
        model, [[name, text] for name in ("predict", "explain") for text in texts]
    )
    predicted, explained = answers[: len(texts)], answers[len(texts) :]
    expected = TextPredictor(model).predict_proba(texts)
    found = np.array([answer["probabilities"] for answer in predicted])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    for answer, row in zip(predicted, found, strict=True):
        assert answer["label"] == model.labels[row.argmax()]
        given = [label for label, share in zip(model.labels, row, strict=True) if share >= 0.5]
        assert answer.get("labels") == (given if model.multi_label else None)
    for text, tokens in zip(texts, explained, strict=True):
        assert [token["token"] for token in tokens] == list(model.encoder.tokenizer.words(text))
        for before, after in itertools.pairwise(tokens):
            assert before["end"] <= after["start"]


@LOOSE
@given(models(WORDS) | networks(WORDS), TEXTS)
def test_effects_are_those_of_python(node, model, texts):
    text = joined(" ".join(texts))
    first, *others = node.answers(model, [["explain", text], *every_label(text, model)])
    best = explain(TextPredictor(model), text).explained
    assert_effects_equal(first, model, text, best)
    for tokens, label in zip(others, model.labels, strict=True):
        assert_effects_equal(tokens, model, text, label)


def every_label(text, model):
    return [["explain", text, label] for label in model.labels]


def assert_effects_equal(tokens, model, text, label):
    words = explain(TextPredictor(model), text, label).words
    for token, word in zip(tokens, words, strict=True):
        assert (token["token"], token["read"], token["kept"]) == (word.token, word.read, word.kept)
        assert token["effect"] == pytest.approx(word.effect, abs=1e-4)
        assert token["probability"] == pytest.approx(word.probability, abs=1e-5)
    assert all(token["effect"] == 0 for token in tokens if not token["read"])


def test_places_are_those_of_the_text_before_it_was_lowercased(node):
    text = "İÇ 𐐀😀GOOD"
    (tokens,) = node.answers(random_model(encoder_of(["good"], lowercase=True), 1, 1, [0], 1),
                             [["explain", text]])  # fmt: skip
    places = [(token["token"], token["start"], token["end"]) for token in tokens]
    assert places == [("i", 0, 1), ("ç", 1, 2), ("𐐨", 3, 5), ("good", 7, 11)]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("kind", [CompactLSTM, CompactGRU])
@pytest.mark.parametrize("layers", [[[3]], [[3, 2]], [[2], [0], [3]], [[2, 3], [3, 1]]])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_every_kind_of_network_reads_as_in_python(node, kind, layers, pooling, multi_label):
    """Whatever the random networks are, each kind is among those that are held against numpy."""
    model = random_network(
        encoder_of(["good", "bad", "naïve"], max_length=8), kind, layers, outputs=3,
        pooling=pooling, multi_label=multi_label, live=0.7,
    )  # fmt: skip
    texts = ["", "good", "bad new good", "naïve bad bad " * 4]
    calls = [["predict", text] for text in texts] + every_label(texts[-1], model)
    answers = node.answers(model, calls)
    np.testing.assert_allclose(
        [answer["probabilities"] for answer in answers[: len(texts)]],
        TextPredictor(model).predict_proba(texts),
        rtol=0,
        atol=1e-5,
    )
    for tokens, label in zip(answers[len(texts) :], model.labels, strict=True):
        assert_effects_equal(tokens, model, texts[-1], label)


def test_effects_of_a_label_are_its_own_log_odds(node):
    model = random_network(encoder_of(["good", "bad"]), CompactGRU, [[2, 2]], outputs=2,
                           multi_label=True)  # fmt: skip
    calls = [["explain", "good bad", label] for label in model.labels]
    for tokens, odds in zip(node.answers(model, calls), log_odds(model, "good bad"), strict=True):
        assert sum(token["effect"] for token in tokens) == pytest.approx(odds, abs=1e-4)


def log_odds(model, text):
    """By how much a whole text raises each output."""
    before, after = TextPredictor(model).logits([np.array([], int), model.encoder.encode(text)])
    return after - before


def test_the_module_of_the_papers_network_has_none_of_the_general_code():
    encoder = encoder_of(["good"])
    general = {"class GRU", "hasBackward", "the most probable label,"}
    assert not {code for code in general if code in module_of(small_model())}
    gru = random_network(encoder, CompactGRU, [[2]])
    assert {code for code in general if code in module_of(gru)} == {"class GRU"}
    assert "class LSTM" not in module_of(gru)


def test_an_answer_can_be_named_whose_words_are_explained(node):
    model = random_model(encoder_of(["good", "bad"]), 2, 2, range(8), 1)
    model = dataclasses.replace(model, labels=("__proto__", "<b>"))
    calls = [["explain", "good bad", label] for label in (*model.labels, "x")]
    first, second, error = node.answers(model, calls)
    assert [a["effect"] for a in first] == pytest.approx([-b["effect"] for b in second])
    assert error == {"error": 'RangeError: there is no class "x"'}


def every(pattern, codes=range(sys.maxunicode + 1)):
    """A text with each code point in a pattern, space apart; many at a time."""
    for start in range(codes.start, codes.stop, 2**16):
        chunk = range(start, min(start + 2**16, codes.stop))
        yield joined(" ".join(pattern.replace("*", chr(code)) for code in chunk))


def assert_tokens_equal(node, encoder, texts):
    texts = list(texts)
    calls = [["tokenize", text] for text in texts]
    answers = node.answers(random_language_model(encoder, 0), calls, brief=True)
    for text, found in zip(texts, answers, strict=True):
        names = ("<eos>" if token == "\n" else token for token in encoder.split(text))
        # Not compared by pytest, which would write down how a million tokens differ.
        assert hash(found) == hash("\n".join(names))


def test_every_character_is_lowercased_and_split_as_in_python(node):
    assert_tokens_equal(node, TokenEncoder("word", "words", True, ("a",)), every("a*"))


def test_every_character_is_white_space_where_it_is_in_python(node):
    encoder = TokenEncoder("word", "spaces", False, ("a",))
    assert_tokens_equal(node, encoder, every("a*", PLANES_OF_LETTERS))


@pytest.mark.parametrize("pattern", ["*Σ", "A*Σ", "AΣ*", "AΣ*A"])
def test_sigma_is_lowercased_as_in_python_beside_every_character(node, pattern):
    encoder = TokenEncoder("word", "spaces", True, ("a",))
    assert_tokens_equal(node, encoder, every(pattern, PLANES_OF_LETTERS))
    assert_tokens_equal(node, encoder, every(pattern, PLANE_OF_TAGS))


def test_thousands_of_sentences_are_classified_as_in_python(node):
    texts = load_split(DataConfig(source="demo"), "train").texts
    words = Counter(word for text in texts for word in Tokenizer(True).words(text))
    encoder = encoder_of(
        [word for word, _ in words.most_common(800)], max_length=60, lowercase=True
    )
    model = random_model(encoder, 4, 6, range(0, 24, 2), 3)
    found = node.answers(model, [["predict", text] for text in texts])
    expected = TextPredictor(model).predict_proba(texts)
    probabilities = np.array([answer["probabilities"] for answer in found])
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)


@LOOSE
@given(language_models(), TEXTS)
def test_tokens_and_their_probabilities_equal_those_of_python(node, model, texts):
    texts = [joined(text) for text in texts]
    names = ("tokenize", "probabilities")
    answers = node.answers(model, [[name, text] for name in names for text in texts])
    tokens, found = answers[: len(texts)], answers[len(texts) :]
    runtime = LanguageModel(model)
    for text, split, probabilities in zip(texts, tokens, found, strict=True):
        assert [token["token"] for token in split] == list(model.encoder.split(text))
        try:
            expected = runtime.next_token_probabilities(text)
        except DataError:
            assert probabilities["error"].startswith("RangeError: the model does not know")
        else:
            np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)


@LOOSE
@given(
    language_models(),
    st.sampled_from(["", "\n", "the cat", "(it's"]),
    st.integers(0, 2**200) | st.integers(0, 9),
    st.sampled_from([0, 1e-320, 0.3, 1, 3.5]),
)
def test_equal_seeds_write_the_texts_of_python(node, model, prompt, seed, temperature):
    options = {"length": 20, "temperature": temperature, "seed": seed}
    exact = {**options, "seed": {"bigint": str(seed)} if seed > 2**53 else seed}
    (found,) = node.answers(model, [["generate", prompt, exact]])
    try:
        expected = list(LanguageModel(model).generate(prompt, **options))
    except DataError:
        assert found["error"].startswith("RangeError: the model ")
    else:
        assert found == expected


@pytest.mark.parametrize(("options", "message"), [
    ({"length": -1}, "length must be at least 0, got -1"),
    ({"temperature": -0.5}, "temperature must be finite and at least 0, got -0.5"),
    ({"seed": -1}, "seed must be at least 0, got -1"),
])  # fmt: skip
def test_options_out_of_range_are_refused(node, options, message):
    (found,) = node.answers(small_language_model(), [["generate", "a", options]])
    assert found == {"error": f"RangeError: {message}"}


def test_an_inconsistent_model_is_not_written(tmp_path):
    model = dataclasses.replace(small_model(), labels=("one",))
    with pytest.raises(ArtifactError, match="1 labels do not fit"):
        write_js(model, tmp_path / "model.mjs")
    assert not list(tmp_path.iterdir())
