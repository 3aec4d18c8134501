"""Random models of every shape, for the tests of this folder and of the runtime."""

from types import MappingProxyType

import numpy as np
from hypothesis import strategies as st

from bayespress.compact import CompactClassifier, CompactLSTM
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

ANY_WORD = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def zero_vocabularies(draw, words=ANY_WORD):
    kept = draw(st.lists(words, unique=True, max_size=12))
    rows = {word: row for row, word in enumerate(kept, 1)}
    return Vocabulary(MappingProxyType(rows), len(kept) + 1)


@st.composite
def learned_vocabularies(draw, words=ANY_WORD):
    lexicon = draw(st.lists(words, unique=True, max_size=12))
    size = draw(st.integers(1, 12))
    vocabulary = Vocabulary.build([lexicon], size=size, min_documents=1, unknown="learned")
    if draw(st.booleans()):
        keep = draw(st.lists(st.booleans(), min_size=size + 3, max_size=size + 3))
        vocabulary, _ = vocabulary.restrict(np.array(keep))
    return vocabulary


@st.composite
def wild_vocabularies(draw, words=ANY_WORD):
    """Any map from words to rows: several words in one row, rows without a word."""
    last = draw(st.integers(0, 8))
    row = st.integers(0, last)
    rows = draw(st.dictionaries(words, row, max_size=12))
    special = [draw(st.none() | row) for _ in range(3)]
    return Vocabulary(MappingProxyType(rows), last + 1, *special)


def vocabularies(words=ANY_WORD):
    return zero_vocabularies(words) | learned_vocabularies(words) | wild_vocabularies(words)


@st.composite
def models(draw, words=ANY_WORD):
    encoder = TextEncoder(
        Tokenizer(draw(st.booleans())), draw(vocabularies(words)), draw(st.integers(1, 12))
    )
    dims, hidden, outputs = (draw(st.integers(low, 5)) for low in (0, 0, 1))
    gates = range(4 * hidden)
    live = sorted(draw(st.sets(st.sampled_from(gates)))) if hidden else []
    return random_model(
        encoder,
        dims,
        hidden,
        live,
        outputs,
        seed=draw(st.integers(0, 2**32 - 1)),
        density=draw(st.sampled_from([0.0, 0.05, 0.5, 1.0])),
        activation=draw(st.sampled_from(["hard_sigmoid", "sigmoid"])),
        info=draw(st.dictionaries(st.text(max_size=3), JSON, max_size=3)),
    )


def random_model(
    encoder,
    dims,
    hidden,
    live,
    outputs,
    *,
    seed=0,
    density=1.0,
    activation="hard_sigmoid",
    info=MappingProxyType({}),
):
    random = np.random.default_rng(seed)

    def array(*shape):
        values = random.normal(size=shape) * (random.random(shape) < density)
        return values.astype(np.float32)

    lstm = CompactLSTM(
        array(len(live), dims),
        array(len(live), hidden),
        array(4 * hidden),
        np.array(live, np.int64),
        activation,
    )
    return CompactClassifier(
        encoder,
        array(encoder.vocabulary.num_rows - 1, dims),
        lstm,
        array(outputs, hidden),
        array(outputs),
        tuple(f"class {number}" for number in range(max(outputs, 2))),
        info,
    )


def encoder_of(words, *, max_length=200, lowercase=False):
    rows = {word: row for row, word in enumerate(words, 1)}
    vocabulary = Vocabulary(MappingProxyType(rows), len(rows) + 1)
    return TextEncoder(Tokenizer(lowercase), vocabulary, max_length)


def small_model(**changes):
    return random_model(encoder_of(["good", "bad", "naïve"]), 2, 1, [0, 2], 1, **changes)
