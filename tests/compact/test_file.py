import dataclasses
import re
import zlib
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import (
    CompactCell,
    CompactGRU,
    CompactLanguageModel,
    CompactLSTM,
    byte_counts,
    cells_of,
    check,
    dumps,
    file,
    load,
    loads,
    save,
    with_layers,
)
from bayespress.compact.bits import pack_size
from bayespress.compact.layout import arrays_of
from bayespress.errors import ArtifactError, BayespressError
from bayespress.text import TextEncoder, Tokenizer, Vocabulary
from tests.compact.forging import parts, text_of
from tests.compact.language_strategies import language_models, small_language_model
from tests.compact.strategies import (
    encoder_of,
    models,
    networks,
    random_model,
    random_network,
    small_model,
)

any_classifiers = models() | networks()
WORD_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def invented_words(count, seed=0):
    random = np.random.default_rng(seed)
    share = 1 / np.arange(2, len(WORD_LETTERS) + 2)
    words = {}
    while len(words) < count:
        letters = random.choice(list(WORD_LETTERS), random.integers(3, 10), p=share / share.sum())
        words.setdefault("".join(letters))
    return list(words)


def realistic_model():
    """300 words, 7 neurons, 8 live gates, 7 dimensions and about 350 weights."""
    return random_model(
        encoder_of(invented_words(300)),
        7,
        7,
        [0, 3, 7, 10, 14, 16, 18, 25],
        1,
        density=0.15,
        info={"code": "LLLLLL", "compression_ratio": 17_432.1, "dense": {"rows": 20_000}},
    )


def assert_same(one, other):
    assert one.encoder == other.encoder
    assert one.labels == other.labels
    assert dict(one.info) == dict(other.info)
    assert (one.pooling, one.multi_label) == (other.pooling, other.multi_label)
    assert list(map(len, one.layers)) == list(map(len, other.layers))
    for (_, cell), (_, back) in zip(cells_of(one), cells_of(other), strict=True):
        assert type(cell) is type(back)
        assert cell.gate_activation == back.gate_activation
        assert cell.live_gates.tolist() == back.live_gates.tolist()
        assert back.live_gates.dtype == np.int64
    assert list(arrays_of(one)) == list(arrays_of(other))
    for name, array in arrays_of(one).items():
        back = arrays_of(other)[name]
        assert back.shape == array.shape
        assert back.dtype == np.float32
        assert back.tobytes() == (array + np.float32(0)).tobytes()


@given(any_classifiers)
def test_a_model_comes_back_bit_by_bit(model):
    assert_same(model, loads(dumps(model)))


@given(any_classifiers, st.randoms(use_true_random=False))
def test_equal_models_give_equal_bytes_whatever_the_order_of_the_map(model, random):
    items = list(model.encoder.vocabulary.rows.items())
    random.shuffle(items)
    vocabulary = dataclasses.replace(model.encoder.vocabulary, rows=dict(items))
    encoder = dataclasses.replace(model.encoder, vocabulary=vocabulary)
    assert dumps(dataclasses.replace(model, encoder=encoder)) == dumps(model)


def test_a_realistic_model_is_a_few_thousand_bytes():
    assert len(dumps(realistic_model())) < 4_000


def test_save_gives_the_size_and_load_reads_the_file(tmp_path):
    model, path = small_model(), tmp_path / "new" / "model.bpr"
    assert save(model, path) == path.stat().st_size
    assert_same(model, load(path))
    assert_same(model, load(str(path)))


def test_a_big_dense_model_comes_back():
    words = [f"w{number}" for number in range(100_000)]
    vocabulary = Vocabulary.build([words], size=20_000, min_documents=1, unknown="learned")
    encoder = TextEncoder(Tokenizer(), vocabulary, 200)
    model = random_model(encoder, 300, 16, range(64), 4)
    assert_same(model, loads(dumps(model)))


def test_words_that_became_the_zero_vector_are_carried_where_others_are_skipped():
    vocabulary = Vocabulary(MappingProxyType({"a": 0, "b": 1, "c": 2, "d": 2}), 3, None, 0, 2)
    model = random_model(TextEncoder(Tokenizer(), vocabulary, 9), 2, 1, [0], 1)
    assert loads(dumps(model)).encoder.encode("a new b c d").tolist() == [0, 0, 1, 2, 2, 2]


def test_a_text_that_would_shrink_too_far_is_stored_as_it_is():
    model = small_model(info={"note": "a" * 100_000})
    data = dumps(model)
    assert len(data) > 100_000
    assert_same(model, loads(data))


def test_a_checksum_ends_the_file():
    data = dumps(small_model())
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")


@pytest.mark.parametrize("changes", [
    ({"output_bias": np.full(1, np.nan, np.float32)}, "output_bias has values that are not finite"),
    ({"embedding": np.zeros((2, 2), np.float32)}, "embedding has shape (2, 2), but "),
    ({"embedding": np.zeros((3, 2))}, "embedding is float64, but must be float32"),
    ({"labels": ("a", "b", "c")}, "3 labels do not fit outputs of number 1"),
    ({"labels": ("a", 1)}, "labels are not all text"),
    ({"info": {"x": {1, 2}}}, "its info is not JSON"),
    ({"info": {"x": float("nan")}}, "its info is not JSON"),
    ({"output_weight": np.zeros((0, 1), np.float32), "output_bias": np.zeros(0, np.float32)},
     "there is no output"),
])  # fmt: skip
def test_an_inconsistent_model_is_not_saved(changes):
    fields, message = changes
    with pytest.raises(ArtifactError) as error:
        dumps(dataclasses.replace(small_model(), **fields))
    assert str(error.value).startswith("cannot save this model: ")
    assert message in str(error.value)


@pytest.mark.parametrize(("changes", "message"), [
    ({"live_gates": np.array([0, 4])}, "live_gates leave the range 0 … 3"),
    ({"live_gates": np.array([-1, 0])}, "live_gates leave the range 0 … 3"),
    ({"live_gates": np.array([2, 0])}, "live_gates do not rise"),
    ({"live_gates": np.array([2, 2])}, "live_gates do not rise"),
    ({"gate_activation": "relu"}, "gate_activation is 'relu', not one of hard_sigmoid, sigmoid"),
])  # fmt: skip
def test_gates_out_of_order_are_not_saved(changes, message):
    model = small_model()
    lstm = dataclasses.replace(model.lstm, **changes)
    with pytest.raises(ArtifactError, match=message):
        dumps(with_layers(model, ((lstm,),)))


def small_network(kind=CompactGRU, layers=((2, 1), (3, 2)), **changes):
    return random_network(encoder_of(["good", "bad"]), kind, layers, outputs=3, **changes)


def with_last_cell(model, **changes):
    *below, (*others, cell) = model.layers
    return with_layers(model, (*below, (*others, dataclasses.replace(cell, **changes))))


def with_other_layers(*layers):
    return dataclasses.replace(small_network(), layers=layers)


LOW_AND_HIGH = small_network().layers
NO_KIND = CompactCell(*[np.zeros((0, 3), np.float32)] * 2, np.zeros(0), np.zeros(0, int), "sigmoid")
NETWORKS_THAT_FAIL = {
    "no layer": (with_other_layers(), "there are 0 layers, not 1 … 64"),
    "too many": (with_other_layers(*LOW_AND_HIGH * 33), "there are 66 layers, not 1 … 64"),
    "no cell": (with_other_layers(()), "a layer has neither one cell nor two"),
    "three cells": (
        with_other_layers((*LOW_AND_HIGH[0], LOW_AND_HIGH[0][0])),
        "a layer has neither one cell nor two",
    ),
    "no kind of cell": (
        with_other_layers((NO_KIND,)),
        "a cell is not one of CompactLSTM, CompactGRU",
    ),
    "two kinds of cells": (
        with_other_layers(LOW_AND_HIGH[0], small_network(CompactLSTM).layers[1]),
        "cells are not all of one kind with one activation",
    ),
    "two activations": (
        with_last_cell(small_network(), gate_activation="hard_sigmoid"),
        "cells are not all of one kind with one activation",
    ),
    "activation": (small_network(activation="relu"), "gate_activation is 'relu', not one of hard"),
    "pooling": (small_network(pooling="min"), "pooling is 'min', not one of last, mean, max"),
    "labels": (
        dataclasses.replace(small_network(multi_label=True), labels=("a", "b")),
        "2 labels do not fit outputs of number 3",
    ),
    "upside down": (
        with_other_layers(*LOW_AND_HIGH[::-1]),
        "weight_ih_l1 has shape (6, 3), but the others ask for (6, 5)",
    ),
    "a layer left out": (
        with_other_layers(LOW_AND_HIGH[0]),
        "output_weight has shape (3, 5), but the others ask for (3, 3)",
    ),
    "bias": (
        with_last_cell(small_network(), bias=np.zeros(7, np.float32)),
        "bias_l1_reverse has shape (7,), but the others ask for (6,)",
    ),
    "hidden bias": (
        with_last_cell(small_network(), hidden_bias=np.zeros(3, np.float32)),
        "hidden_bias_l1_reverse has shape (3,), but the others ask for (2,)",
    ),
    "nan": (
        with_last_cell(small_network(), hidden_bias=np.full(2, np.nan, np.float32)),
        "hidden_bias_l1_reverse has values that are not finite",
    ),
    "gates": (
        with_last_cell(small_network(), live_gates=np.arange(1, 7)),
        "live_gates_l1_reverse leave the range 0 … 5",
    ),
}


@pytest.mark.parametrize("name", NETWORKS_THAT_FAIL)
def test_an_inconsistent_network_is_not_saved(name):
    model, message = NETWORKS_THAT_FAIL[name]
    with pytest.raises(ArtifactError, match=re.escape(f"cannot save this model: {message}")):
        dumps(model)


def test_the_header_tells_what_the_papers_network_has_not():
    plain, gru = small_network(CompactLSTM, [[2]]), small_network(layers=[[2]])
    other = small_network(pooling="max", multi_label=True)
    fields = [parts(dumps(model))[0] for model in (plain, gru, other)]
    new = [{key: field[key] for key in field if key in NETWORK_KEYS} for field in fields]
    assert new == [
        {"hidden": 2},
        {"hidden": 2, "cell": "gru"},
        {"layers": [[2, 1], [3, 2]], "cell": "gru", "pooling": "max", "multi_label": True},
    ]


NETWORK_KEYS = {"hidden", "layers", "cell", "pooling", "multi_label"}


@given(models() | networks() | language_models())
def test_bytes_are_counted_part_by_part(model):
    counts = byte_counts(model)
    assert sum(counts.values()) == len(dumps(model))
    bitmaps = [-(-len(cell.bias) // 8) for _, cell in cells_of(model)]
    assert counts["live gates"] == sum(bitmaps)
    assert list(counts)[:3] == ["frame", "text", "live gates"]
    assert counts["frame"] == 32
    assert ("read tokens" in counts) == isinstance(model, CompactLanguageModel)
    assert list(counts)[-len(arrays_of(model)) :] == list(arrays_of(model))


@pytest.mark.parametrize(("rows", "message"), [
    ({"a": 1, "b\nc": 2}, "words are not all text without line breaks"),
    ({"a": 1, 2: 2}, "words are not all text without line breaks"),
    ({"a": 1, "b": 4}, "the vocabulary leaves the rows 0 … 3"),
    ({"a": 1, "b": -1}, "the vocabulary leaves the rows 0 … 3"),
    ({"a": 1, "\ud800": 2}, "a word is not valid Unicode"),
])  # fmt: skip
def test_a_vocabulary_out_of_range_is_not_saved(rows, message):
    model = small_model()
    encoder = dataclasses.replace(model.encoder, vocabulary=Vocabulary(rows, 4))
    with pytest.raises(ArtifactError, match=message):
        dumps(dataclasses.replace(model, encoder=encoder))


def test_a_length_limit_of_zero_is_not_saved():
    model = small_model()
    encoder = dataclasses.replace(model.encoder, max_length=0)
    with pytest.raises(ArtifactError, match="max_length is 0, but a text has at least one token"):
        dumps(dataclasses.replace(model, encoder=encoder))


def test_an_axis_longer_than_the_file_can_vouch_for_is_not_saved():
    encoder = TextEncoder(Tokenizer(), Vocabulary({}, 1_000_001), 9)
    with pytest.raises(ArtifactError, match="it is empty but for the length of an axis"):
        dumps(random_model(encoder, 0, 1, [0], 1))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"nothing\.bpr does not exist: give the path of a mo"):
        load(tmp_path / "nothing.bpr")


def test_a_folder_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="is a folder: give the model file in it"):
        load(tmp_path)


def test_an_unreadable_path_is_one_line(tmp_path):
    (tmp_path / "plain").write_text("x")
    with pytest.raises(ArtifactError, match="plain/model cannot be read: Not a directory"):
        load(tmp_path / "plain" / "model")


def test_a_path_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "plain").write_text("x")
    with pytest.raises(BayespressError, match="cannot write"):
        save(small_model(), tmp_path / "plain" / "model")


def test_the_layout_is_the_documented_one():
    model = small_model()
    data = dumps(model)
    assert data[:8] == bytes.fromhex("894250520D0A1A0A")
    assert int.from_bytes(data[8:12], "little") == file.VERSION == 2
    assert int.from_bytes(data[12:20], "little") == len(data)
    text, arrays = text_of(data)
    assert len(text) == int.from_bytes(data[24:28], "little")
    assert text.endswith(b'"word_rows":[[1,3]]}\xf5good\xf5bad\xf5na\xc3\xafve')
    assert arrays[0] == 0b101
    values = np.frombuffer(arrays[2:26], "<f4")
    assert values.tolist() == model.embedding.reshape(-1).tolist()


def test_a_model_of_zeros_is_written_with_bitmaps_where_gaps_would_claim_too_much():
    """A few bytes may not stand for megabytes of zeros: a reader would take them for a lie."""
    model = random_model(encoder_of(["a", "b"]), 300_000, 1, [], 1, density=0.0)
    data = dumps(model)
    assert len(data) > 2 * 300_000 / 8
    assert loads(data).embedding.shape == (2, 300_000)
    assert not loads(data).embedding.any()


@pytest.mark.parametrize(
    ("size", "packed"), [(0, b"\0"), (127, b"\x7f"), (128, b"\x80\1"), (300, b"\xac\2")]
)
def test_a_size_takes_no_more_bytes_than_it_needs(size, packed):
    assert pack_size(size) == packed


def test_what_is_wrong_with_a_file_is_said_with_its_name(tmp_path):
    (tmp_path / "some.bpr").write_bytes(dumps(small_model())[:-1])
    with pytest.raises(ArtifactError, match=r"^.*some\.bpr is damaged, it should have \d+ bytes"):
        load(tmp_path / "some.bpr")
    with pytest.raises(ArtifactError, match=r"^the model is damaged, it should have"):
        loads(dumps(small_model())[:-1])


def test_the_most_layers_and_the_longest_window_are_saved():
    layers = [[1]] * check.MAX_LAYERS
    model = random_network(encoder_of(["a"]), CompactGRU, layers, dims=1)
    assert len(loads(dumps(model)).layers) == check.MAX_LAYERS
    language = dataclasses.replace(small_language_model(), window=check.MAX_WINDOW)
    assert loads(dumps(language)).window == check.MAX_WINDOW


def test_numbers_rise_one_by_one():
    assert list(check.problems_of_numbers("gates", np.array([0, 2, 1]), 3)) == ["gates do not rise"]
    assert not list(check.problems_of_numbers("gates", np.array([0, 1, 2]), 3))
