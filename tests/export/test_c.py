"""Models in C answer raw texts as the numpy runtime does."""

import dataclasses
import re
import subprocess
import threading
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayespress.config import DataConfig
from bayespress.data import load
from bayespress.errors import ArtifactError, ConfigError
from bayespress.export.c import c_files, write_c
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.storage import StorageError
from bayespress.runtime.predictor import softmax
from bayespress.text import TextEncoder, TokenEncoder, Tokenizer, Vocabulary
from tests.compact.strategies import encoder_of, models, random_model, small_model
from tests.compact.language_strategies import (
    WORDS,
    language_models,
    random_language_model,
    small_language_model,
    word_encoder,
)
from tests.export.helpers import COMPILER, STRICT, Program, command, first_invalid, needs_compiler
from tests.export.texts import ANY_CHARACTER, KNOWN, KNOWN_OR_ANY, PIECES, TEXTS, telling_characters

few = settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_equal_to_numpy(model, texts, program):
    expected = TextPredictor(model).predict_proba(texts)
    np.testing.assert_allclose(program.probabilities(texts), expected, atol=1e-5)


def known_model(lowercase=True, outputs=2, hidden=4, **changes):
    words = [word for word in KNOWN if re.fullmatch(r"\w+", word)]
    encoder = encoder_of(words, lowercase=lowercase, max_length=500)
    live = [number for number in range(4 * hidden) if number % 3]
    return random_model(encoder, 3, hidden, live, outputs, **changes)


@needs_compiler
@few
@given(models(KNOWN_OR_ANY), TEXTS)
def test_a_classifier_equals_numpy(tmp_path, model, texts):
    assert_equal_to_numpy(model, texts, Program(model, tmp_path))


@pytest.fixture(scope="module")
def lowercase(tmp_path_factory):
    model = known_model()
    return model, Program(model, tmp_path_factory.mktemp("lowercase"))


@needs_compiler
@pytest.mark.parametrize("around", ["x{}x", "aΣ{}", "aΣ{}a", "{}Σ", "a{}Σ", "{0}{0}x", "σοφ{}ς"])
def test_every_character_that_tells_is_read_as_python_reads_it(lowercase, around):
    texts = [around.format(character) for character in telling_characters()]
    assert_equal_to_numpy(*lowercase[:1], texts, lowercase[1])


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
