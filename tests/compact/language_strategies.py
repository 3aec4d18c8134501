"""Random language models of every shape, for the tests of this folder and of the runtime."""

from types import MappingProxyType

import numpy as np
from hypothesis import strategies as st

from bayespress.compact import CompactLanguageModel, CompactLSTM
from bayespress.text import TokenEncoder
from bayespress.text.tokens import END, UNKNOWN
from tests.compact.strategies import JSON

ANY_CHARACTER = st.characters(codec="utf-8")
ANY_WORD = st.text(ANY_CHARACTER, min_size=1, max_size=6).filter(
    lambda word: word.split() == [word]
)
WORDS = ("the", "cat", "sat", ".", ",", "(", "\\n", "naïve", "it's")


@st.composite
def encoders(draw, words=ANY_WORD, characters=ANY_CHARACTER):
    lowercase = draw(st.booleans())
    if draw(st.booleans()):
        tokens = draw(st.lists(characters, min_size=1, max_size=12, unique=True))
        return TokenEncoder("char", "words", lowercase, tuple(tokens))
    tokens = draw(st.lists(words | st.sampled_from([END, UNKNOWN]), min_size=1, max_size=12))
    tokenizer = draw(st.sampled_from(["words", "spaces"]))
    return TokenEncoder("word", tokenizer, lowercase, tuple(dict.fromkeys(tokens)))


@st.composite
def language_models(draw, words=ANY_WORD, characters=ANY_CHARACTER):
    """Models with any part pruned: neurons, gates, inputs, weights."""
    encoder = draw(encoders(words, characters))
    hidden = draw(st.integers(0, 4))
    live = sorted(draw(st.sets(st.sampled_from(range(4 * hidden))))) if hidden else []
    inputs = sorted(draw(st.sets(st.sampled_from(range(len(encoder.tokens))))))
    return random_language_model(
        encoder,
        hidden,
        live,
        inputs,
        window=draw(st.none() | st.integers(2, 6)),
        seed=draw(st.integers(0, 2**32 - 1)),
        density=draw(st.sampled_from([0.0, 0.05, 0.5, 1.0])),
        activation=draw(st.sampled_from(["hard_sigmoid", "sigmoid"])),
        info=draw(st.dictionaries(st.text(max_size=3), JSON, max_size=3)),
    )


def random_language_model(
    encoder,
    hidden,
    live=None,
    inputs=None,
    *,
    window=None,
    seed=0,
    density=1.0,
    activation="sigmoid",
    info=MappingProxyType({}),
):
    random = np.random.default_rng(seed)

    def array(*shape):
        values = random.normal(size=shape) * (random.random(shape) < density)
        return values.astype(np.float32)

    tokens = len(encoder.tokens)
    live = range(4 * hidden) if live is None else live
    inputs = range(tokens) if inputs is None else inputs
    lstm = CompactLSTM(
        array(len(live), len(inputs)),
        array(len(live), hidden),
        array(4 * hidden),
        np.array(live, np.int64),
        activation,
    )
    return CompactLanguageModel(
        encoder,
        np.array(inputs, np.int64),
        lstm,
        array(tokens, hidden),
        array(tokens),
        window,
        info,
    )


def word_encoder(*more, tokenizer="words", lowercase=False):
    return TokenEncoder("word", tokenizer, lowercase, (*WORDS, END, *more))


def char_encoder(characters="\n abc\\n"):
    return TokenEncoder("char", "words", False, tuple(dict.fromkeys(characters)))


def small_language_model(**changes):
    """Characters, among them a line break and a backslash; one of them is not read."""
    return random_language_model(char_encoder("\na\\é"), 1, [0, 2], [0, 1, 3], **changes)
