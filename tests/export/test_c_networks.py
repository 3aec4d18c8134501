"""Networks of several cells, GRUs, poolings and several labels, in C, against numpy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, CompactLSTM
from bayespress.config import DataConfig
from bayespress.data import load
from bayespress.export.c import c_files, token_bytes
from bayespress.runtime import TextPredictor
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from tests.compact.strategies import encoder_of, networks, random_network
from tests.export.helpers import STRICT, Program, first_invalid, needs_compiler
from tests.export.texts import KNOWN_OR_ANY, PIECES, TEXTS

few = settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ENCODER = encoder_of(["good", "bad", "it", "is"], max_length=40)
SHAPES = {
    "one cell": [[3]],
    "several layers": [[3], [0], [2]],
    "both ways": [[3, 2]],
    "both ways in several layers": [[3, 2], [2, 4], [3, 0]],
    "larger than vectors": [[19, 9], [8, 17]],
}


def assert_equal_to_numpy(model, program, texts):
    """Both entries answer as numpy: that for texts, and that for ids, which cuts nothing off."""
    reference = TextPredictor(model)
    found = program.probabilities(texts)
    np.testing.assert_allclose(found, reference.predict_proba(texts), atol=1e-5)
    rows = len(model.embedding) + 1
    long = np.arange(3 * min(model.encoder.max_length, 99), dtype=np.int32) % rows
    ids = [*map(model.encoder.encode, texts), np.zeros(0, np.int32), long]
    answers = program.ask_ids(ids)
    assert not answers.codes.any()
    expected = reference.predict_proba_of_ids(ids)
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)


@needs_compiler
@few
@given(networks(KNOWN_OR_ANY), TEXTS, st.booleans())
def test_a_network_of_any_kind_equals_numpy(tmp_path, model, texts, fast):
    assert_equal_to_numpy(model, Program(model, tmp_path, fast=fast), texts)


@needs_compiler
@pytest.mark.parametrize("kind", [CompactLSTM, CompactGRU])
@pytest.mark.parametrize(("shape", "pooling", "fast"), [
    ("larger than vectors", "max", False), ("larger than vectors", "last", True),
    ("several layers", "mean", True), ("both ways", "mean", False),
])  # fmt: skip
def test_long_texts_and_short_ones(tmp_path, kind, shape, pooling, fast):
    model = random_network(
        ENCODER, kind, SHAPES[shape], pooling=pooling, outputs=3, live=0.7, seed=4, dims=18
    )
    if shape == "larger than vectors":
        # Few weights of the layer above: a product of another form.
        model.layers[1][0].weight_ih[:, 3:] = 0
    texts = ["", "good", "x", "bad good x" * 30, "it is\0good\n" * 200, *PIECES]
    assert_equal_to_numpy(model, Program(model, tmp_path, fast=fast), texts)


@needs_compiler
@pytest.mark.parametrize("shape", ["several layers", "both ways in several layers"])
def test_a_text_of_any_length_may_be_read(tmp_path, shape):
    # In lowercase a single character may be a word and what ends it.
    encoder = encoder_of(["good", "i"], max_length=2**70, lowercase=True)
    model = random_network(encoder, CompactGRU, SHAPES[shape], pooling="max", outputs=2)
    texts = ["good " * 2999, "x" * 100_000, "İ" * 999, "a b " * 999, ""]
    assert_equal_to_numpy(model, Program(model, tmp_path), texts)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Two layers, both ways, under both sanitizers."""
    model = random_network(ENCODER, CompactGRU, [[4, 3], [3, 4]], outputs=4, multi_label=True)
    return model, Program(model, tmp_path_factory.mktemp("stack"))


HALVES = [b"\x80", b"\xc0", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90", b"\xf0\x9f", b"\xff"]
MIXED = st.lists(st.sampled_from([*map(str.encode, PIECES), *HALVES]), max_size=9).map(b"".join)


@needs_compiler
@settings(few, max_examples=40)
@given(st.lists(st.binary(max_size=60) | MIXED, max_size=40))
def test_any_bytes_are_read_or_refused(stack, contents):
    model, program = stack
    answers = program.ask(contents)
    firsts = [first_invalid(content) for content in contents]
    assert answers.valid.tolist() == firsts
    valid = [first == len(content) for first, content in zip(firsts, contents, strict=True)]
    assert (answers.codes == 0).tolist() == valid
    texts = [content.decode() for content, good in zip(contents, valid, strict=True) if good]
    expected = TextPredictor(model).predict_proba(texts).reshape(-1, 4)
    np.testing.assert_allclose(answers.probabilities[valid], expected, atol=1e-5)


@needs_compiler
def test_ids_without_a_vector_are_refused_and_nothing_is_set(stack):
    model, program = stack
    count = len(model.embedding) + 1
    texts = [[0, count - 1], [-1], [0, 0, count], [1, -(2**31), 1]]
    answers = program.ask_ids(texts)
    assert answers.codes.tolist() == [0, -2, -2, -2]
    np.testing.assert_array_equal(answers.probabilities, answers.probabilities[:1].repeat(4, 0))


@needs_compiler
def test_enormous_log_odds_of_several_labels_are_no_nan(tmp_path):
    model = random_network(ENCODER, CompactLSTM, [[2]], outputs=3, multi_label=True)
    model.output_bias[:] = [1e38, -1e38, 0]
    model.output_weight[2] = 0
    found = Program(model, tmp_path).probabilities(["good", ""])
    assert found.tolist() == [[1, 0, 0.5]] * 2


@needs_compiler
def test_thousands_of_real_sentences_are_answered_as_by_numpy(tmp_path):
    texts = load(DataConfig(source="demo")).train.texts
    words = Vocabulary.build(
        map(Tokenizer(True).words, texts), size=300, min_documents=3, unknown="learned"
    )
    model = random_network(
        TextEncoder(Tokenizer(True), words, 40), CompactLSTM, [[7, 6], [5, 8]],
        dims=6, outputs=3, pooling="max", live=0.8, seed=3,
    )  # fmt: skip
    expected = TextPredictor(model).predict_proba(texts)
    found = Program(model, tmp_path, (*STRICT, "-O2")).probabilities(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_what_reads_forwards_alone_asks_for_no_memory(pooling):
    model = random_network(ENCODER, CompactGRU, [[3], [2]], pooling=pooling)
    assert token_bytes(model) == 0
    assert "token" not in c_files(model)["model.h"]
    assert "malloc" not in "".join(c_files(model).values())


@pytest.mark.parametrize(("layers", "size"), [
    ([[3, 2]], 4), ([[3, 2], [1, 1]], 4 * (1 + 5)), ([[3, 2], [4, 3], [9, 9]], 4 * (1 + 5 + 7)),
    ([[3, 2], [1, 1], [4, 4], [9, 9]], 4 * (1 + 8 + 2)), ([[0, 0], [1, 1]], 4 * (1 + 1)),
])  # fmt: skip
def test_the_header_says_what_memory_a_word_takes(layers, size):
    model = random_network(ENCODER, CompactLSTM, layers)
    assert token_bytes(model) == size
    header = c_files(model)["model.h"]
    assert f"of a word, {size} bytes" in header
    assert "#define MODEL_TOKENS 40\n" in header
