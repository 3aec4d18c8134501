"""Files from strangers: whatever the bytes are, there is an ArtifactError or a sound model."""

import json
import random
import tracemalloc
from functools import partial

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, dumps, loads
from bayespress.compact.file import MAGIC
from bayespress.compact.words import pack_words
from bayespress.errors import ArtifactError
from tests.compact.forging import (
    PRELUDE,
    deflated,
    forge,
    forge_fields,
    load_or_refuse,
    parts,
    seal,
)
from tests.compact.language_strategies import small_language_model
from tests.compact.strategies import (
    JSON,
    encoder_of,
    models,
    networks,
    random_network,
    small_model,
)

HONEST, HONEST_LANGUAGE = dumps(small_model()), dumps(small_language_model(window=7))
NETWORK = random_network(
    encoder_of(["good", "bad"]),
    CompactGRU,
    [[2, 1], [1, 2]],
    dims=2,
    outputs=3,
    pooling="mean",
    multi_label=True,
)
HONEST_NETWORK = dumps(NETWORK)
KINDS = pytest.mark.parametrize(
    "honest", [HONEST, HONEST_LANGUAGE, HONEST_NETWORK], ids=["classifier", "language", "network"]
)
ARRAYS = parts(HONEST)[2]
with_fields = partial(forge_fields, HONEST)
with_tokens = partial(forge_fields, HONEST_LANGUAGE)
with_network = partial(forge_fields, HONEST_NETWORK)


@KINDS
def test_a_forged_file_without_a_lie_is_sound(honest):
    assert load_or_refuse(forge_fields(honest)) is not None


@given(st.binary(max_size=200))
@example(b"")
def test_random_bytes_are_refused(data):
    assert load_or_refuse(data) is None


@given(st.binary(max_size=300))
def test_random_bytes_behind_the_magic_are_refused(data):
    assert load_or_refuse(MAGIC + data) is None
    assert load_or_refuse(seal(MAGIC + b"\2\0\0\0" + bytes(8) + data)) is None


@KINDS
def test_every_truncation_is_refused(honest):
    assert all(load_or_refuse(honest[:end]) is None for end in range(len(honest)))


@KINDS
def test_every_flipped_bit_is_refused(honest):
    for place in range(len(honest)):
        for bit in range(8):
            data = bytearray(honest)
            data[place] ^= 1 << bit
            assert load_or_refuse(bytes(data)) is None


@given(st.binary(min_size=1, max_size=20))
def test_a_longer_file_is_refused(more):
    assert load_or_refuse(HONEST + more) is None


@KINDS
@given(st.data())
def test_changed_bytes_under_a_right_checksum_do_no_harm(honest, data):
    body = bytearray(honest[:-4])
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    load_or_refuse(seal(bytes(body)))


@KINDS
@given(st.data())
def test_bytes_cut_out_under_a_right_checksum_do_no_harm(honest, data):
    start = data.draw(st.integers(PRELUDE, len(honest) - 4))
    end = data.draw(st.integers(start, len(honest) - 4))
    assume(start != end)
    assert load_or_refuse(seal(honest[:start] + honest[end:-4])) is None


@given(networks(), st.data())
def test_damage_to_a_network_of_any_shape_does_no_harm(model, data):
    body = bytearray(dumps(model)[:-4])
    start = data.draw(st.integers(PRELUDE, len(body)))
    end = data.draw(st.integers(start, min(start + 8, len(body))))
    body[start:end] = data.draw(st.binary(max_size=8))
    load_or_refuse(seal(bytes(body)))


SIZES = JSON | st.integers(-1, 5) | st.sampled_from([True, 10**4, 2**31, 2**62, 10**30])
LAYERS = JSON | st.lists(JSON | st.lists(SIZES, max_size=3), max_size=66)


@given(
    networks() | models(),
    st.fixed_dictionaries({}, optional={
        "layers": LAYERS,
        "hidden": SIZES,
        "input": SIZES,
        "outputs": SIZES,
        "cell": JSON | st.sampled_from(["gru", "lstm"]),
        "pooling": JSON | st.sampled_from(["last", "mean", "max"]),
        "multi_label": JSON,
    }),
)  # fmt: skip
def test_a_header_that_lies_about_its_network_does_no_harm(model, changes):
    load_or_refuse(forge_fields(dumps(model), **changes))


@KINDS
@given(st.data(), JSON)
def test_a_field_of_any_other_value_does_no_harm(honest, data, value):
    key = data.draw(st.sampled_from(sorted(parts(honest)[0])))
    load_or_refuse(forge_fields(honest, **{key: value}))


@KINDS
@given(st.data())
def test_missing_fields_are_refused_or_do_no_harm(honest, data):
    known, words, arrays = parts(honest)
    fields = data.draw(st.dictionaries(st.sampled_from(sorted(known)), JSON))
    assume(set(fields) != set(known))
    assert load_or_refuse(forge(json.dumps(fields).encode() + pack_words(words), arrays)) is None


@KINDS
@given(text=st.binary(max_size=60))
def test_any_text_part_does_no_harm(honest, text):
    arrays = parts(honest)[2]
    assert load_or_refuse(forge(text, arrays)) is None
    assert load_or_refuse(forge(b"{}", arrays, stored=text)) is None


DEEP = json.loads("[" * 32 + "]" * 32)
LIES = {
    "rows": (with_fields(rows=10**9), "'rows' is negative or more than the file can hold"),
    "many rows": (with_fields(rows=5_000), "its sizes ask for"),
    "much memory": (with_fields(rows=3_000, input=3_000), "bytes of memory, over 1,048,576"),
    "fewer rows": (with_fields(rows=2), "a word has a row behind the last one"),
    "negative": (with_fields(input=-1), "'input' is negative or more than"),
    "bool": (with_fields(hidden=True), "'hidden' is not of type int"),
    "float": (with_fields(outputs=1.0), "'outputs' is not of type int"),
    "hidden": (with_fields(hidden=2**62), "'hidden' is negative or more than"),
    "default": (with_fields(default=4), "the vocabulary leaves the rows 0 … 3"),
    "prefix": (with_fields(prefix=2**70), "'prefix' is negative or more than"),
    "suffix": (with_fields(suffix="1"), "'suffix' is not of type int"),
    "max_length": (with_fields(max_length=0), "max_length is 0"),
    "lowercase": (with_fields(lowercase=0), "'lowercase' is not of type bool"),
    "activation": (with_fields(gate_activation="relu"), "gate_activation is 'relu'"),
    "labels": (with_fields(labels=["a"]), "1 labels do not fit outputs of number 1"),
    "label": (with_fields(labels=["a", 1]), "its labels are not all text"),
    "info": (with_fields(info=[]), "'info' is not of type dict"),
    "runs": (with_fields(word_rows=[[1, 2]]), "'word_rows' does not fit the number of words"),
    "run": (with_fields(word_rows=[[1, 3, 0]]), "'word_rows' is not made of pairs of numbers"),
    "run of true": (with_fields(word_rows=[[True, 3]]), "'word_rows' is not made of pairs"),
    "negative run": (with_fields(word_rows=[[-1, 3]]), "'word_rows' is not made of pairs"),
    "long run": (with_fields(word_rows=[[0, 10**12]]), "'word_rows' does not fit the number"),
    "huge step": (with_fields(word_rows=[[10**300, 3]]), "a word has a row behind the last one"),
    "twice": (with_fields(words=["a", "a", "b"]), "a word stands there twice"),
    "word too many": (with_fields(words=["a", "b", "c", "d"]), "'word_rows' does not fit"),
    "bytes over": (with_fields(arrays=ARRAYS + b"\0"), "its sizes leave 1 bytes over"),
    "bytes missing": (with_fields(arrays=ARRAYS[:-1]), "its sizes ask for 4 bytes where 3"),
    "bitmap": (with_fields(arrays=b"\x15" + ARRAYS[1:]), "a bitmap has bits behind its end"),
    "kind": (with_fields(arrays=ARRAYS[:1] + b"\x0c" + ARRAYS[2:]), "unknown kind 12"),
    "nan": (with_fields(arrays=ARRAYS[:-4] + b"\0\0\xc0\x7f"), "values that are not finite"),
    "infinite": (with_fields(arrays=ARRAYS[:-4] + b"\0\0\x80\xff"), "are not finite"),
    "large": (with_fields(arrays=ARRAYS[:-4] + b"\0\0\xc0\x58"), "values beyond 2 ** 50, whose"),
    "info too deep": (with_fields(info={"x": DEEP}), "info is nested deeper than 32 levels"),
    "infinite number": (forge(b'{"info":{"x":1e999}}', ARRAYS), "its header is not JSON (Value"),
    "array": (forge("[]", ARRAYS), "its header is not a JSON object"),
    "no json": (forge("{", ARRAYS), "its header is not JSON"),
    "digits": (forge('{"rows":' + "1" * 5000 + "}", ARRAYS), "its header is not JSON"),
    "json nan": (with_fields(info={"x": float("nan")}), "its header is not JSON"),
    "depth": (forge("[" * 50_000, ARRAYS), "its header is not JSON (RecursionError)"),
    "utf-8": (forge(b"\xc0", ARRAYS), "its text is not UTF-8"),
    "utf-8 of a word": (with_fields(words=b"\xf5\xc0"), "its text is not UTF-8"),
    "shares too much": (with_fields(words=b"\xf5a\xf7b"), "a word shares more than there is"),
    "zlib": (forge("{}", b"", stored=b"abcdef"), "its text cannot be inflated"),
    "zlib end": (forge("{}", b"", stored=deflated(b"{}")[:-1]), "another size than promised"),
    "zlib over": (forge("{}", b"", stored=deflated(b"{}") + b"x"), "another size than"),
    "claims less": (forge("{}", b"", claimed=1), "its text has another size than promised"),
    "claims more": (forge("{}", b"", claimed=3), "its text has another size than promised"),
    "claims none": (forge("{}", b"", claimed=0), "its text cannot have 0 bytes"),
    "claims much": (forge("{}", b"", claimed=2**32 - 1), "its text cannot have 4294967295 bytes"),
    "version 0": (forge("{}", b"", version=0), "there is no format 0"),
}  # fmt: skip

# The bytes behind the text: live gates, tokens that are read, then the blocks.
TOKENS, BYTES = parts(HONEST_LANGUAGE)[1:]
LIES_ABOUT_LANGUAGE = {
    "kind": (with_tokens(kind="poem"), "its kind of model is unknown"),
    "kind of kind": (with_tokens(kind=None), "'kind' is not of type str"),
    "level": (with_tokens(level="byte"), "level is 'byte', not one of word, char"),
    "level of words": (with_tokens(level="word"), "tokens of the level word are not all without"),
    "tokenizer": (with_tokens(tokenizer=""), "tokenizer is '', not one of words, spaces"),
    "lowercase": (with_tokens(lowercase="no"), "'lowercase' is not of type bool"),
    "window": (with_tokens(window=1), "window is 1, but must be between 2 and"),
    "huge window": (with_tokens(window=2**90), "window is 12379400392853802748991"),
    "bool window": (with_tokens(window=True), "'window' is not of type int"),
    "hidden": (with_tokens(hidden=2**40), "'hidden' is negative or more than the file can hold"),
    "more neurons": (with_tokens(hidden=2), "a block is of the unknown kind"),
    "info": (with_tokens(info=3), "'info' is not of type dict"),
    "info too deep": (with_tokens(info={"x": DEEP}), "info is nested deeper than 32 levels"),
    "twice": (with_tokens([*TOKENS[:3], "a"]), "a token stands there twice"),
    "two letters": (with_tokens([*TOKENS[:3], "xy"]), "level char are not all one character"),
    "empty token": (with_tokens([*TOKENS[:3], ""]), "level char are not all one character"),
    "more tokens": (with_tokens([*TOKENS, "z"]), "a block is of the unknown kind"),
    "fewer tokens": (with_tokens(TOKENS[:3]), "a bitmap has bits behind its end"),
    "no tokens": (with_tokens([]), "numbers have 108 bits behind the first, more than 12"),
    "nothing": (with_tokens([], b"\0" * 5, hidden=0), "there is no token"),
    "inputs": (with_tokens(arrays=BYTES[:1] + b"\x1f" + BYTES[2:]), "bits behind its end"),
    "fewer inputs": (with_tokens(arrays=BYTES[:1] + b"\3" + BYTES[2:]), "unknown kind"),
    "bytes over": (with_tokens(arrays=BYTES + b"\0"), "its sizes leave 1 bytes over"),
    "bytes missing": (with_tokens(arrays=BYTES[:-1]), "its sizes ask for 16 bytes where 15"),
    "nan": (with_tokens(arrays=BYTES[:-4] + b"\0\0\xc0\x7f"), "values that are not finite"),
    "classifier": (with_tokens(kind="classifier"), "its kind of model is unknown"),
    "language": (with_fields(kind="language_model"), "'level' is not of type str"),
}  # fmt: skip
NETWORK_ARRAYS = parts(HONEST_NETWORK)[2]
LIES_ABOUT_NETWORKS = {
    "no layer": (with_network(layers=[]), "it has 0 layers"),
    "65 layers": (with_network(layers=[[1]] * 65), "it has 65 layers"),
    "no list": (with_network(layers=2), "'layers' is not of type list"),
    "null": (with_network(layers=None), "'layers' is not of type list"),
    "object": (with_network(layers={"0": [2, 1]}), "'layers' is not of type list"),
    "no cell": (with_network(layers=[[]]), "a layer has neither one cell nor two"),
    "three cells": (with_network(layers=[[1, 1, 1]]), "a layer has neither one cell nor two"),
    "layer of another type": (with_network(layers=[2, 1]), "a layer has neither one cell nor two"),
    "layer of text": (with_network(layers=["21"]), "a layer has neither one cell nor two"),
    "negative": (with_network(layers=[[2, -1]]), "'layers' is negative or more than the file"),
    "huge": (with_network(layers=[[2**62]]), "'layers' is negative or more than the file can hold"),
    "bool": (with_network(layers=[[2, True]]), "a size of 'layers' is not of type int"),
    "float": (with_network(layers=[[2.0, 1]]), "a size of 'layers' is not of type int"),
    "list": (with_network(layers=[[[2]]]), "a size of 'layers' is not of type int"),
    "null size": (with_network(layers=[[None]]), "a size of 'layers' is not of type int"),
    "many neurons": (with_network(layers=[[9000]]), "its sizes ask for 3375 bytes where"),
    "more neurons": (with_network(layers=[[2, 1], [1, 9]]), "a bitmap has bits behind its end"),
    "fewer neurons": (with_network(layers=[[1, 1], [1, 2]]), "a bitmap has bits behind its end"),
    "layer more": (with_network(layers=[[2, 1], [1, 2], [1]]), "a block is of the unknown kind"),
    "layer less": (with_network(layers=[[2, 1]]), "a bitmap has bits behind its end"),
    "cells apart": (with_network(layers=[[2], [1], [1, 2]]), "a block is of the unknown kind"),
    "cell": (with_network(cell="rnn"), "its kind of cell is unknown"),
    "another cell": (with_network(cell="lstm"), "a block is of the unknown kind"),
    "cell of another type": (with_network(cell=["gru"]), "'cell' is not of type str"),
    "null cell": (with_network(cell=None), "'cell' is not of type str"),
    "pooling": (with_network(pooling="min"), "pooling is 'min', not one of last, mean, max"),
    "pooling of another type": (with_network(pooling=1), "'pooling' is not of type str"),
    "null pooling": (with_network(pooling=None), "'pooling' is not of type str"),
    "multi_label": (with_network(multi_label=1), "'multi_label' is not of type bool"),
    "null multi_label": (with_network(multi_label=None), "'multi_label' is not of type bool"),
    "labels": (with_network(labels=["a", "b"]), "2 labels do not fit outputs of number 3"),
    "bitmap": (with_network(arrays=b"\x7f" + NETWORK_ARRAYS[1:]), "a bitmap has bits behind its"),
    "bytes over": (with_network(arrays=NETWORK_ARRAYS + b"\0"), "its sizes leave 1 bytes over"),
    "bytes missing": (with_network(arrays=NETWORK_ARRAYS[:-1]), "its sizes ask for 12 bytes where"),
    "gru": (with_fields(cell="gru"), "a block is of the unknown kind"),
    "several labels": (with_fields(multi_label=True), "2 labels do not fit outputs of number 1"),
}  # fmt: skip
ALL_LIES = {
    **{f"classifier: {name}": lie for name, lie in LIES.items()},
    **{f"language: {name}": lie for name, lie in LIES_ABOUT_LANGUAGE.items()},
    **{f"network: {name}": lie for name, lie in LIES_ABOUT_NETWORKS.items()},
}


@pytest.mark.parametrize("name", ALL_LIES)
def test_a_lie_under_a_right_checksum_is_named(name):
    data, message = ALL_LIES[name]
    with pytest.raises(ArtifactError) as error:
        loads(data, "gift.bpr")
    text = str(error.value)
    assert text.startswith("gift.bpr is damaged, ")
    assert text.endswith(": copy or download it once more")
    assert message in text


@pytest.mark.parametrize("data", [b"", b"PK\3\4 a zip archive", b"{}", MAGIC[:7] + b"\r"])
def test_another_kind_of_file_is_named(data):
    with pytest.raises(ArtifactError, match=r"^notes\.txt is not a bayespress model file$"):
        loads(data, "notes.txt")


def test_a_file_from_before_the_first_release_is_to_be_written_once_more():
    body = HONEST[:8] + (1).to_bytes(4, "little") + HONEST[12:-4]
    with pytest.raises(ArtifactError) as error:
        loads(seal(body), "old.bpr")
    assert str(error.value) == (
        "old.bpr was written before the first release (format 1, this reads 2): "
        "write it once more, with bayespress compress"
    )


def test_a_file_of_a_newer_version_asks_for_an_upgrade():
    body = HONEST[:8] + (3).to_bytes(4, "little") + HONEST[12:-4]
    with pytest.raises(ArtifactError) as error:
        loads(seal(body), "new.bpr")
    assert str(error.value) == (
        "new.bpr was written by a newer bayespress (format 3, this reads 2): "
        "pip install --upgrade bayespress"
    )


def test_a_file_from_before_the_first_release_asks_to_be_written_once_more():
    body = HONEST[:8] + (1).to_bytes(4, "little") + HONEST[12:-4]
    with pytest.raises(ArtifactError, match=r"^old\.bpr was written before .* once more"):
        loads(seal(body), "old.bpr")


@pytest.mark.parametrize(("data", "message"), [
    (HONEST[:5], "damaged, it ends after 5 bytes"),
    (HONEST[:-9], f"damaged, it should have {len(HONEST)} bytes and has {len(HONEST) - 9}"),
    (HONEST[:60] + b"?" + HONEST[61:], "damaged, its checksum does not match"),
])  # fmt: skip
def test_plain_damage_is_named(data, message):
    with pytest.raises(ArtifactError, match=message):
        loads(data)


def bomb(megabytes):
    return deflated(b" " * megabytes * 2**20, 9)


def greedy_json(piece):
    """As much of a piece as may be inflated from about a thousand bytes."""
    ballast = random.Random(0).randbytes(900).hex()
    text = '{"info":[' + piece * (28_000 // len(piece)) + "0]}\n" + ballast
    stored = deflated(text.encode(), 9)
    assert len(text) <= 32 * len(stored)
    return forge(text, b"", stored=stored)


GREEDY = {
    "inflates to 64 MB": forge("{}", b"", stored=bomb(64), claimed=64 * 2**20),
    "inflates to more than it says": forge("{}", b"", stored=bomb(64), claimed=2**16),
    "json of empty objects": greedy_json("{},"),
    "json of empty lists": greedy_json("[],"),
    "rows": with_fields(rows=30_000, input=0),
    "rows of input": with_fields(rows=20_000, input=20_000),
    "bitmap for all": with_fields(rows=900, input=8, arrays=ARRAYS[:1] + b"\1" + bytes(950)),
    "json of long words": greedy_json('"🙂",'),
    "words": with_fields(words=[""] * 900),
    "tokens": with_tokens([""] * 900),
    "short tokens": with_tokens([chr(256 + number) for number in range(900)]),
    "long words": with_fields(words=b"\xf50123456789" + b"\xff" * 900),
    "gaps": with_fields(rows=900, input=250, arrays=ARRAYS[:1] + b"\x08\0" * 9),
    "gaps apart": with_fields(rows=1000, input=250, arrays=ARRAYS[:1] + b"\x11" + b"\x08\0" * 250),
    "many naturals": with_fields(
        rows=900, input=250, arrays=ARRAYS[:1] + b"\x08\xff\xff\xff\xff\x3f\0"
    ),
    "naturals": with_fields(
        rows=900, input=250, arrays=ARRAYS[:1] + b"\x08\xc0\x3e\0\xe8\7" + b"\xff" * 1000
    ),
    "neurons": with_tokens(hidden=20_000),
    "neurons of a network": with_network(layers=[[20_000, 20_000]]),
    "neurons without gates": with_network(layers=[[4_000, 4_000]] * 2, arrays=bytes(8_000)),
    "neurons with all gates": with_network(layers=[[1_000]] * 3, arrays=b"\xff" * 2_000),
    "cells without neurons": with_network(layers=[[0, 0]] * 64),
    **{name: data for name, (data, _) in ALL_LIES.items() if len(data) < 4_000},
}


@pytest.mark.parametrize("name", GREEDY)
def test_a_small_file_takes_little_memory(name):
    data = GREEDY[name]
    tracemalloc.start()
    try:
        load_or_refuse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**21 + 800 * len(data)
