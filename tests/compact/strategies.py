"""Random models of every shape, for the tests of this folder and of the runtime."""

from types import MappingProxyType

import numpy as np
from hypothesis import strategies as st

from bayespress.compact import CompactClassifier, CompactGRU, CompactLSTM
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


@st.composite
def networks(draw, words=ANY_WORD):
    """Classifiers of every kind: cells, layers, directions, poolings, several labels at once."""
    encoder = TextEncoder(
        Tokenizer(draw(st.booleans())), draw(vocabularies(words)), draw(st.integers(1, 12))
    )
    return random_network(
        encoder,
        draw(st.sampled_from([CompactLSTM, CompactGRU])),
        draw(LAYERS),
        dims=draw(st.integers(0, 4)),
        outputs=draw(st.integers(1, 4)),
        pooling=draw(st.sampled_from(["last", "mean", "max"])),
        multi_label=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
        live=draw(st.sampled_from([0.0, 0.6, 1.0])),
        activation=draw(st.sampled_from(["hard_sigmoid", "sigmoid"])),
    )


LAYERS = st.integers(1, 2).flatmap(
    lambda directions: st.lists(
        st.lists(st.integers(0, 4), min_size=directions, max_size=directions),
        min_size=1,
        max_size=3,
    )
)
"""Neurons of each cell, layer by layer."""


def random_network(
    encoder,
    kind,
    layers,
    *,
    dims=3,
    outputs=1,
    pooling="last",
    multi_label=False,
    seed=0,
    live=1.0,
    activation="sigmoid",
):
    """A classifier with cells of random weights, of whose gates a share is live."""
    random = np.random.default_rng(seed)

    def array(*shape):
        return random.normal(size=shape).astype(np.float32)

    cells, inputs = [], dims
    for layer in layers:
        cells.append(
            tuple(_random_cell(array, random, kind, inputs, h, live, activation) for h in layer)
        )
        inputs = sum(layer)
    labels = outputs if multi_label else max(outputs, 2)
    return CompactClassifier(
        encoder,
        array(encoder.vocabulary.num_rows - 1, dims),
        tuple(cells),
        array(outputs, inputs),
        array(outputs),
        tuple(f"class {number}" for number in range(labels)),
        pooling,
        multi_label,
    )


def _random_cell(array, random, kind, inputs, hidden, live, activation):
    gates = len(kind.gates) * hidden
    numbers = np.flatnonzero(random.random(gates) < live)
    more = {"hidden_bias": array(hidden)} if kind is CompactGRU else {}
    return kind(
        weight_ih=array(len(numbers), inputs),
        weight_hh=array(len(numbers), hidden),
        bias=array(gates),
        live_gates=numbers,
        gate_activation=activation,
        **more,
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
        ((lstm,),),
        array(outputs, hidden),
        array(outputs),
        tuple(f"class {number}" for number in range(max(outputs, 2))),
        info=info,
    )


def encoder_of(words, *, max_length=200, lowercase=False):
    rows = {word: row for row, word in enumerate(words, 1)}
    vocabulary = Vocabulary(MappingProxyType(rows), len(rows) + 1)
    return TextEncoder(Tokenizer(lowercase), vocabulary, max_length)


def small_model(**changes):
    return random_model(encoder_of(["good", "bad", "naïve"]), 2, 1, [0, 2], 1, **changes)
