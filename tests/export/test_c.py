# ruff: noqa: RUF001 - Greek letters look like Latin ones
"""Models in C answer raw texts as the numpy runtime does."""

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayespress.compact import with_layers
from bayespress.config import DataConfig
from bayespress.data import load
from bayespress.export import unicode
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.runtime.predictor import softmax
from bayespress.text import TextEncoder, TokenEncoder, Tokenizer, Vocabulary
from tests.compact.language_strategies import (
    WORDS,
    language_models,
    random_language_model,
    word_encoder,
)
from tests.compact.strategies import encoder_of, models, random_model
from tests.export.helpers import (
    STRICT,
    Program,
    first_invalid,
    known_model,
    needs_compiler,
)
from tests.export.texts import ANY_CHARACTER, KNOWN, KNOWN_OR_ANY, PIECES, TEXTS, telling_characters

few = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_equal_to_numpy(model, texts, program):
    expected = TextPredictor(model).predict_proba(texts)
    np.testing.assert_allclose(program.probabilities(texts), expected, atol=1e-5)


@needs_compiler
@few
@given(models(KNOWN_OR_ANY), TEXTS, st.booleans())
def test_a_classifier_equals_numpy(tmp_path, model, texts, fast):
    assert_equal_to_numpy(model, texts, Program(model, tmp_path, fast=fast))


@st.composite
def models_and_ids(draw):
    model = draw(models())
    row = st.integers(0, len(model.embedding))
    return model, draw(st.lists(st.lists(row, max_size=30), max_size=9))


@needs_compiler
@few
@given(models_and_ids(), st.booleans())
def test_ids_are_answered_as_by_numpy(tmp_path, drawn, fast):
    model, ids = drawn
    answers = Program(model, tmp_path, fast=fast).ask_ids(ids)
    assert not answers.codes.any()
    expected = TextPredictor(model).predict_proba_of_ids([np.array(text, np.int32) for text in ids])
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)


@pytest.fixture(scope="module")
def lowercase(tmp_path_factory):
    model = known_model()
    return model, Program(model, tmp_path_factory.mktemp("lowercase"))


@needs_compiler
@pytest.mark.parametrize("around", ["x{}x", "aΣ{}", "aΣ{}a", "{}Σ", "a{}Σ", "{0}{0}x", "σοφ{}ς"])
def test_every_character_that_tells_is_read_as_python_reads_it(lowercase, around):
    texts = [around.format(character) for character in telling_characters()]
    assert_equal_to_numpy(*lowercase[:1], texts, lowercase[1])


@needs_compiler
def test_ids_without_a_vector_are_refused_and_nothing_is_set(lowercase):
    model, program = lowercase
    count = len(model.embedding) + 1
    strange = [-1, -(2**31), count, 2**31 - 1]
    texts = [[0, count - 1], *([0] * before + [bad] for bad in strange for before in (0, 3))]
    answers = program.ask_ids(texts)
    assert answers.codes.tolist() == [0] + [-2] * 8
    np.testing.assert_array_equal(answers.probabilities, answers.probabilities[:1].repeat(9, 0))


def language_reference(model, texts):
    """What is returned, and every token's probability behind each text."""
    ready = LanguageModel(model)
    start, encoder = ready._lstm.zero_state(1), model.encoder
    states = [ready._read(encoder.encode(text), start) for text in texts]
    has_unknown = "<unk>" in encoder.tokens
    codes = [int(bool(encoder.unknown(text)) and not has_unknown) for text in texts]
    return codes, np.concatenate([softmax(ready._logits(state)[None]) for state in states])


def assert_language_equal(model, texts, program):
    codes, probabilities = language_reference(model, texts)
    answers = program.ask(texts)
    assert answers.codes.tolist() == codes
    np.testing.assert_allclose(answers.probabilities, probabilities, atol=1e-5)


TOKEN = st.sampled_from([word for word in [*KNOWN, *PIECES, *WORDS] if word.split() == [word]])
CHARACTER = st.sampled_from("aσςi\n \0\u0307.kΣIx") | ANY_CHARACTER


@needs_compiler
@few
@given(language_models(TOKEN, CHARACTER), TEXTS)
def test_a_language_model_equals_numpy(tmp_path, model, texts):
    assert_language_equal(model, texts, Program(model, tmp_path))


MANY_TOKENS = (
    *("it's", "it’s", "IT’S", "a'b", "a’b", "'", "’", "''", ".", "(", "½", "<unk>"),
    *(
        "a",
        "b",
        "it",
        "IT",
        "tis",
        "s",
        "good",
        "σοφός",
        "aς",
        "aσ",
        "'tis",
        "a''",
        "a'.b",
        "<eos>",
    ),
)


@needs_compiler
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("tokenizer", ["words", "spaces"])
@pytest.mark.parametrize("tokens", [MANY_TOKENS, MANY_TOKENS[12:-1]])
def test_words_marks_and_lines_are_told_apart_as_python_does(tmp_path, tokenizer, lower, tokens):
    encoder = TokenEncoder("word", tokenizer, lower, tokens)
    model = random_language_model(encoder, 4, seed=5)
    choose = np.random.default_rng(6).choice
    pieces = [*MANY_TOKENS, "'", "’", "\n", " ", "a", *PIECES]
    texts = ["".join(choose(pieces, number % 8)) for number in range(800)]
    texts += [first + second for first in ("a", "a'", "a’", "'") for second in PIECES]
    near = [chr(code) for one in unicode.space_ranges() for code in range(one[0] - 1, one[1] + 1)]
    texts += [f"a{character}b" for character in near]
    assert_language_equal(model, texts, Program(model, tmp_path))


@pytest.fixture(scope="module")
def characters(tmp_path_factory):
    """Every fourth telling character is known."""
    known = tuple(dict.fromkeys("aσςxiΣ\u0307" + "".join(telling_characters()[::4])))
    model = random_language_model(TokenEncoder("char", "words", True, known), 3, seed=1)
    return model, Program(model, tmp_path_factory.mktemp("characters"))


@needs_compiler
@pytest.mark.parametrize("around", ["{}", "aΣ{}", "aΣ{}a", "a{}Σ", "Σ{0}Σ{0}Σa"])
def test_every_character_is_lowercased_as_python_does(characters, around):
    model, program = characters
    texts = [around.format(character) for character in telling_characters()]
    size = len(model.encoder.tokens)
    assert size > 1000
    for first in range(0, len(texts), 1000):
        assert_language_equal(model, texts[first : first + 1000], program)


def tiny_models():
    """Models with nothing left of one thing or another."""
    none = Vocabulary(MappingProxyType({}), 1)
    no_words = TextEncoder(Tokenizer(True), none, 9)
    skipping = TextEncoder(Tokenizer(), Vocabulary(MappingProxyType({"a": 0}), 1, None), 9)
    words, several = encoder_of(["good", "bad"]), range(12)
    return {
        "all gates constant": random_model(words, 2, 3, [], 2),
        "no words": random_model(no_words, 0, 3, several, 1),
        "skips what it does not know": random_model(skipping, 2, 3, several, 1),
        "no dimensions": random_model(words, 0, 3, several, 1),
        "one neuron": random_model(words, 2, 1, [0, 1, 2, 3], 1),
        "one gate": random_model(words, 2, 2, [5], 3, activation="sigmoid"),
        "no neurons": random_model(words, 2, 0, [], 3),
        "no weights": random_model(words, 2, 3, several, 3, density=0),
        "three classes": random_model(words, 2, 3, several, 3),
        "as long as can be": random_model(encoder_of(["a"], max_length=2**70), 2, 3, several, 1),
        "neurons that no gate reads": without_columns(random_model(words, 2, 5, range(20), 1)),
    }


def without_columns(model):
    weight_hh = model.lstm.weight_hh * np.array([0, 1, 0, 1, 1], np.float32)
    return with_layers(model, ((dataclasses.replace(model.lstm, weight_hh=weight_hh),),))


@needs_compiler
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("which", tiny_models())
def test_a_classifier_of_which_little_is_left(tmp_path, which, fast):
    texts = ["", "good", "bad good x", "a a", "GOOD\0bad", *PIECES, "good " * 300]
    model = tiny_models()[which]
    assert_equal_to_numpy(model, texts, Program(model, tmp_path, fast=fast))


@needs_compiler
@pytest.mark.parametrize("hidden", [0, 1])
def test_a_language_model_of_which_little_is_left(tmp_path, hidden):
    model = random_language_model(word_encoder(), hidden, [], [])
    assert_language_equal(model, ["", "the cat\n", "new"], Program(model, tmp_path))


@needs_compiler
def test_enormous_logits_neither_overflow_nor_give_nan(tmp_path):
    bias = np.array([1e38, -1e38, 3e38], np.float32)
    model = dataclasses.replace(known_model(outputs=3), output_bias=bias)
    assert Program(model, tmp_path).probabilities(["good", ""]).tolist() == [[0, 0, 1]] * 2


HALVES = [b"\x80", b"\xc0", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90", b"\xf0\x9f", b"\xff"]
MIXED = st.lists(st.sampled_from([*map(str.encode, PIECES), *HALVES]), max_size=9).map(b"".join)


@needs_compiler
@settings(few, max_examples=40)
@given(st.lists(st.binary(max_size=40) | MIXED, max_size=40))
@pytest.mark.parametrize("kind", ["lowercase", "characters"])
def test_bytes_that_are_not_utf8_are_refused_where_python_refuses_them(request, kind, contents):
    _, program = request.getfixturevalue(kind)
    answers = program.ask(contents)
    firsts = [first_invalid(content) for content in contents]
    assert answers.valid.tolist() == firsts
    for code, content, first in zip(answers.codes, contents, firsts, strict=True):
        assert (code == -1) == (first < len(content))


@needs_compiler
def test_every_lead_of_a_character_is_judged_as_python_does(lowercase):
    seconds, thirds = [*range(0x7E, 0x92), *range(0x9E, 0xA2), 0xBF, 0xC0], [0x7F, 0x80, 0xBF, 0xC0]
    contents = [bytes([lead, second, third, 0x80, 0x41])[:length]
                for lead in range(0x7F, 0x100) for second in seconds for third in thirds
                for length in (1, 2, 3, 4, 5)]  # fmt: skip
    answers = lowercase[1].ask(contents)
    assert answers.valid.tolist() == list(map(first_invalid, contents))


@needs_compiler
@pytest.mark.parametrize("lower", [True, False])
def test_thousands_of_real_sentences_are_answered_as_by_numpy(tmp_path, lower):
    texts = load(DataConfig(source="demo")).train.texts
    encoder = TextEncoder(Tokenizer(lower), frequent_words(texts, lower), 40)
    model = random_model(encoder, 6, 8, [n for n in range(32) if n % 4], 3, density=0.4, seed=3)
    expected = TextPredictor(model).predict_proba(texts)
    found = Program(model, tmp_path, (*STRICT, "-O2")).probabilities(texts)
    assert len(texts) > 8000
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


def frequent_words(texts, lowercase):
    words = map(Tokenizer(lowercase).words, texts)
    return Vocabulary.build(words, size=400, min_documents=3, unknown="learned")


@needs_compiler
def test_a_long_text_is_read_in_the_same_memory(lowercase):
    texts = ["x" * 3_000_000, "Σ'" * 500_000, "\u0301" * 500_000 + "Σ" + "\u0301" * 500_000]
    assert_equal_to_numpy(lowercase[0], texts, lowercase[1])


@needs_compiler
@pytest.mark.slow
def test_a_large_language_model_compiles_in_reasonable_time(tmp_path):
    tokens = tuple(f"w{number}" for number in range(10_000))
    encoder = TokenEncoder("word", "spaces", False, tokens)
    model = random_language_model(encoder, 100, density=0.3)
    texts = ["w1 w9999 w2 new", "w5000\n" * 20]
    assert_language_equal(model, texts, Program(model, tmp_path, (*STRICT, "-O2")))
