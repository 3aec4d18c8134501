"""The file gives in onnxruntime what the numpy runtime gives, and its metadata are enough."""

import contextlib
import dataclasses
import json
import re
import shlex
import sys
from pathlib import Path
from types import MappingProxyType
from unittest import mock

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from bayespress.compact import CompactGRU, CompactLSTM, layers_of, load, save, with_layers
from bayespress.errors import ArtifactError, MissingExtraError
from bayespress.export import write_onnx
from bayespress.export.onnx import graph, onnx_of
from bayespress.runtime import LSTMState, NumpyLSTM, TextPredictor
from bayespress.runtime.predictor import softmax
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from bayespress.text.tokens import UNKNOWN
from tests.cli.helpers import refused, worked
from tests.compact.language_strategies import (
    char_encoder,
    language_models,
    random_language_model,
    small_language_model,
    word_encoder,
)
from tests.compact.strategies import (
    LAYERS,
    encoder_of,
    models,
    networks,
    random_model,
    random_network,
    small_model,
)
from tests.export.texts import KNOWN_OR_ANY, TEXT

DOCUMENT = Path(__file__).parents[2] / "docs" / "onnx.md"
FEW = settings(max_examples=80)


def session_of(model):
    return onnxruntime.InferenceSession(onnx_of(model), providers=["CPUExecutionProvider"])


@st.composite
def sessions(draw, strategy):
    """A model and its session; its file names zeros, or leaves them out wherever it can."""
    model = draw(strategy)
    if draw(st.booleans()):
        # Gates reach the flat ends of their activation.
        layers = [
            tuple(dataclasses.replace(cell, bias=4 * cell.bias) for cell in layer)
            for layer in layers_of(model)
        ]
        model = with_layers(model, tuple(layers))
    with mock.patch.object(graph, "NODE_BYTES", draw(st.sampled_from([-(10**9), 10**9]))):
        return model, session_of(model)


def ids_below(count):
    return st.lists(st.integers(0, count - 1), max_size=9)


def padded(texts, width, padding):
    ids = np.full((len(texts), width), padding, np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return {"ids": ids, "lengths": np.array([len(text) for text in texts], np.int64)}


def close(found, expected):
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@FEW
@given(sessions(models()), st.data())
def test_a_classifier_answers_as_that_of_python(both, data):
    assert_same_answers(*both, data)


@FEW
@given(sessions(networks()), st.data())
def test_any_network_answers_as_that_of_python(both, data):
    assert_same_answers(*both, data)


def assert_same_answers(model, session, data):
    rows = model.encoder.vocabulary.num_rows
    texts = data.draw(st.lists(ids_below(rows), min_size=1, max_size=5))
    longest = max(map(len, texts))
    width = longest + data.draw(st.integers(0, 2))
    feed = padded(texts, width, padding=data.draw(st.integers(0, rows - 1)))
    logits, probabilities = session.run(["logits", "probabilities"], feed)
    expected = TextPredictor(model).logits([np.array(text, np.int32) for text in texts])
    close(logits, expected)
    close(probabilities, right_probabilities(model, expected))
    for text, together in zip(texts, logits, strict=True):
        (alone,) = session.run(["logits"], padded([text], len(text), padding=0))
        close(alone[0], together)


def right_probabilities(model, logits):
    """By other words than the runtime's: 1 / (1 + exp(-x)) for each, or a softmax."""
    if model.multi_label:
        return (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    return softmax(logits if logits.shape[1] > 1 else np.pad(logits, ((0, 0), (1, 0))))


@FEW
@given(sessions(language_models()), st.data())
def test_a_language_model_carries_its_state_from_call_to_call(both, data):
    model, session = both
    count = data.draw(st.integers(1, 3))
    hidden = max(model.lstm.hidden_size, 1)
    state = LSTMState(*np.zeros((2, count, hidden), np.float32))
    expected = NumpyLSTM(model.lstm).zero_state(count)
    for _ in range(2):
        length = data.draw(st.integers(0, 5))
        one = st.integers(0, len(model.encoder.tokens) - 1)
        sequence = st.lists(one, min_size=length, max_size=length)
        sequences = data.draw(st.lists(sequence, min_size=count, max_size=count))
        ids = np.array(sequences, np.int64).reshape(count, length)
        feed = {"ids": ids, "h0": state.hidden, "c0": state.cell}
        logits, *after = session.run(["logits", "h", "c"], feed)
        state = LSTMState(*after)
        right, expected = numpy_logits(model, ids, expected)
        close(logits, right)
        if model.lstm.hidden_size:
            close(state.hidden, expected.hidden)
            close(state.cell, expected.cell)
        else:
            assert not state.hidden.any()


def numpy_logits(model, ids, state):
    lstm = NumpyLSTM(model.lstm)
    row = np.full(len(model.encoder.tokens), len(model.inputs))
    row[model.inputs] = np.arange(len(model.inputs))
    hidden, state = lstm.all_hidden(lstm.project_one_hot(), row[ids].T, state)
    return hidden.swapaxes(0, 1) @ model.output_weight.T + model.output_bias, state


# Older ones stop at numbers that do not lie one after another, and at several layers.
with_its_own_program = pytest.mark.skipif(
    tuple(map(int, onnx.__version__.split(".")[:2])) < (1, 23),
    reason="the program of onnx cannot run these networks before 1.23",
)


def another_program(model):
    return ReferenceEvaluator(onnx.load_model_from_string(onnx_of(model))).run


@with_its_own_program
def test_a_text_without_tokens_is_answered_rightly_by_programs_that_do_not_know_lengths():
    model = small_model(activation="sigmoid")
    run = another_program(model)
    (logits,) = run(["logits"], padded([[], [1, 2, 3]], 3, padding=1))
    close(logits, TextPredictor(model).logits([np.zeros(0, int), np.array([1, 2, 3])]))


KINDS = pytest.mark.parametrize("kind", [CompactLSTM, CompactGRU])


@with_its_own_program
@KINDS
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@given(LAYERS, st.integers(0, 999), st.sampled_from([0.0, 0.6, 1.0]))
@settings(max_examples=10)
def test_another_program_gives_the_same_for_any_network(kind, pooling, layers, seed, live):
    # It knows neither lengths nor a hard sigmoid.
    model = random_network(
        encoder_of("abc"), kind, layers, pooling=pooling, outputs=2, seed=seed, live=live
    )
    run = another_program(model)
    texts = [[1, 2, 3, 0], [3, 3, 1, 2]]
    (logits,) = run(["logits"], padded(texts, 4, padding=0))
    close(logits, TextPredictor(model).logits([np.array(text) for text in texts]))


@KINDS
@pytest.mark.parametrize("layers", [[[3]], [[2, 1]], [[2, 2], [1, 0], [0, 3]]])
def test_other_texts_of_a_batch_change_nothing(kind, layers):
    # Each direction of each layer ends where a text does, not where the batch does.
    model = random_network(encoder_of("abc"), kind, layers, pooling="max", outputs=2)
    session, text = session_of(model), [3, 1]
    (alone,) = session.run(["logits"], padded([text], 2, padding=0))
    (among,) = session.run(["logits"], padded([[1, 2, 3, 1, 2], text, []], 7, padding=2))
    close(among[1:2], alone)
    close(among[2], model.output_bias)


@KINDS
def test_each_cell_is_one_node_of_its_kind(kind):
    model = random_network(encoder_of("abc"), kind, [[2, 3], [1, 4]])
    nodes = onnx.load_model_from_string(onnx_of(model)).graph.node
    cells = [node for node in nodes if node.op_type == kind.name.upper()]
    told = [{one.name: one for one in node.attribute} for node in cells]
    assert [one["hidden_size"].i for one in told] == [2, 3, 1, 4]
    assert ["direction" in one for one in told] == [False, True, False, True]
    if kind is CompactGRU:
        assert all(one["linear_before_reset"].i == 1 for one in told)


def test_two_directions_share_the_word_vectors():
    words = encoder_of([f"w{number}" for number in range(500)])
    one, two = (random_network(words, CompactGRU, layers, dims=5) for layers in ([[4]], [[4, 4]]))
    assert len(onnx_of(two)) < len(onnx_of(one)) + 2500


@with_its_own_program
def test_another_program_gives_the_same():
    model = random_language_model(char_encoder("abcd"), 3, [0, 2, 3, 4, 7, 8, 11], [0, 1, 3])
    run = another_program(model)
    ids, zeros = np.array([[0, 1, 2], [3, 3, 0]]), np.zeros((2, 3), np.float32)
    logits, h = run(["logits", "h"], {"ids": ids, "h0": zeros, "c0": zeros})
    right, state = numpy_logits(model, ids, LSTMState(zeros, zeros))
    close(logits, right)
    close(h, state.hidden)


def test_pruned_weights_take_no_bytes():
    tokens = char_encoder(map(chr, range(100, 3100)))
    model = random_language_model(tokens, 20, range(60), range(0, 3000, 3), density=0.02)
    lstm, biases = model.lstm, 3000 + 2 * 80
    matrices = lstm.weight_ih, lstm.weight_hh, model.output_weight
    # Besides a token's row, and for each gate its place.
    entries = sum(map(np.count_nonzero, matrices)) + 1000 + 60
    (metadata,) = onnx.load_model_from_string(onnx_of(model)).metadata_props
    besides = len(metadata.value.encode()) + 8 * 80 + 4000
    assert len(onnx_of(model)) < 8 * entries + 4 * biases + besides
    ids, zeros = np.arange(12).reshape(2, 6), np.zeros((2, 20), np.float32)
    feed = {"ids": ids, "h0": zeros, "c0": zeros}
    (logits,) = session_of(model).run(["logits"], feed)
    close(logits, numpy_logits(model, ids, LSTMState(zeros, zeros))[0])


def test_few_gates_need_no_word_vectors():
    words = encoder_of([f"w{number}" for number in range(500)])
    wide, narrow = (random_model(words, dims, 1, [0, 2], 1) for dims in (64, 2))
    assert len(onnx_of(wide)) < len(onnx_of(narrow)) + 200


def test_the_file_says_what_old_programs_must_know():
    model = onnx.load_model_from_string(onnx_of(small_model()))
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, [one.version for one in model.opset_import]) == (7, [14])
    assert model.producer_name == "bayespress"


def test_equal_models_give_equal_bytes():
    model = small_model()
    vocabulary = model.encoder.vocabulary
    turned = MappingProxyType(dict(reversed(vocabulary.rows.items())))
    encoder = dataclasses.replace(
        model.encoder, vocabulary=dataclasses.replace(vocabulary, rows=turned)
    )
    equal = dataclasses.replace(model, encoder=encoder)
    assert equal.encoder == model.encoder
    assert onnx_of(equal) == onnx_of(model)


def test_any_label_is_in_the_metadata():
    model = dataclasses.replace(small_model(), labels=('"\\', "né\ud800"))
    assert about(model)["labels"] == ['"\\', "né\ud800"]


def about(model):
    (entry,) = onnx.load_model_from_string(onnx_of(model)).metadata_props
    assert entry.key == "bayespress"
    return json.loads(entry.value)


def test_the_metadata_tell_that_a_text_may_have_several_labels():
    model = random_network(encoder_of("abc"), CompactLSTM, [[2]], outputs=3)
    assert "multi_label" not in about(model)
    assert about(dataclasses.replace(model, multi_label=True))["multi_label"] is True


def test_an_inconsistent_model_is_refused(tmp_path):
    model = dataclasses.replace(small_model(), labels=("one",))
    with pytest.raises(ArtifactError, match="1 labels do not fit outputs of number 1"):
        write_onnx(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """Run all that the document shows; give the names that are defined there."""
    folder = tmp_path_factory.mktemp("document")
    vocabulary = Vocabulary.build(
        [["good", "bad", "so", "all"], ["at", "so"]], size=4, min_documents=1, unknown="learned"
    )
    encoder = TextEncoder(Tokenizer(lowercase=True), vocabulary, 6)
    save(random_model(encoder, 3, 4, range(1, 14), 1), folder / "sentiment.bpr")
    language = random_language_model(word_encoder(UNKNOWN, lowercase=True), 4)
    save(language, folder / "language.bpr")
    names = {}
    with contextlib.chdir(folder):
        blocks = re.findall(r"```(\w+)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
        for kind, block in blocks:
            if kind == "python":
                exec(block, names)
                continue
            for line in block.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "pip" or worked(*arguments)
    return names


def test_the_examples_of_the_document_work(documented):
    assert np.ptp(documented["probabilities"][:, 0]) > 0.01
    assert documented["logits"].shape == (1, 3, 11)


@FEW
@given(
    sessions(models(KNOWN_OR_ANY) | networks(KNOWN_OR_ANY)), st.lists(TEXT, min_size=1, max_size=5)
)
def test_texts_become_ids_by_the_metadata_alone(documented, both, texts):
    model, session = both
    told = json.loads(session.get_modelmeta().custom_metadata_map["bayespress"])
    assert (told["kind"], told["labels"]) == ("classifier", list(model.labels))
    assert told.get("multi_label", False) == model.multi_label
    feed = documented["padded"]([documented["rows_of"](text, told["text"]) for text in texts])
    (probabilities,) = session.run(["probabilities"], feed)
    close(probabilities, TextPredictor(model).predict_proba(texts))


@FEW
@given(language_models(st.sampled_from(["a", "it's", ".", "naïve"])), TEXT)
def test_texts_become_tokens_by_the_metadata_alone(documented, model, text):
    told = about(model)
    assert (told["kind"], told["window"]) == ("language_model", model.window)
    ids = documented["ids_of"](text, told["text"])
    assert ids == model.encoder.encode(text).tolist()


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(small_model(), "model.bpr")
    return ["export", "model.bpr", "--to", "onnx", "--output", "model.onnx"]


@pytest.mark.parametrize("model", [small_model, small_language_model])
def test_the_command_writes_one_file(command, model):
    save(model(), "model.bpr")
    first, advice = worked(*command).splitlines()
    content = Path("model.onnx").read_bytes()
    assert content == onnx_of(load(Path("model.bpr")))
    assert first == f"{len(content):>12,} bytes  model.onnx"
    assert advice == "next: turn texts into its ids as docs/onnx.md says"


def test_the_command_replaces_a_file_where_it_is_told_to(command):
    Path("model.onnx").write_text("mine")
    assert "model.onnx exists already: choose another --output, or add --force" in refused(*command)
    assert Path("model.onnx").read_text() == "mine"
    worked(*command, "--force")
    onnx.checker.check_model(onnx.load("model.onnx"))


def test_without_the_extra_it_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    for name in ("network", "graph"):
        monkeypatch.delitem(sys.modules, f"bayespress.export.onnx.{name}", raising=False)
    remedy = r"writing ONNX needs the package 'onnx': pip install 'bayespress\[onnx\]'"
    with pytest.raises(MissingExtraError, match=remedy):
        onnx_of(small_model())
    assert re.search(remedy, refused(*command))
    assert not Path("model.onnx").exists()
