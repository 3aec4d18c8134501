"""Files from strangers: whatever the bytes are, there is an ArtifactError or a sound model."""

import json
import random
import tracemalloc
import zlib

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bayespress.compact import dumps, loads
from bayespress.compact.file import MAGIC
from bayespress.errors import ArtifactError
from tests.compact.strategies import JSON, small_model

HONEST = dumps(small_model())
PRELUDE = 28


def seal(body):
    """Make size and checksum right, so that what lies behind them is looked at."""
    size = (len(body) + 4).to_bytes(8, "little")
    body = body[:12] + size + body[20:]
    return body + zlib.crc32(body).to_bytes(4, "little")


def parts(data=HONEST):
    """The JSON object, the words and the bytes behind the text."""
    stored = int.from_bytes(data[20:24], "little")
    line, *words = zlib.decompress(data[PRELUDE : PRELUDE + stored]).decode().split("\n")
    return json.loads(line), words, data[PRELUDE + stored : -4]


def forge(text, arrays, *, claimed=None, stored=None, version=1):
    text = text if isinstance(text, bytes) else text.encode()
    stored = zlib.compress(text, 0) if stored is None else stored
    sizes = [len(stored), len(text) if claimed is None else claimed]
    numbers = b"".join(size.to_bytes(4, "little") for size in sizes)
    body = MAGIC + version.to_bytes(4, "little") + bytes(8) + numbers + stored + arrays
    return seal(body)


def with_fields(words=None, arrays=None, **changes):
    fields, honest_words, honest_arrays = parts()
    line = json.dumps({**fields, **changes})
    text = "\n".join([line, *(honest_words if words is None else words)])
    return forge(text, honest_arrays if arrays is None else arrays)


def load_or_refuse(data):
    """Load; anything but a sound model or a one-line ArtifactError is a failure."""
    try:
        model = loads(data, "gift")
    except ArtifactError as error:
        model, refusal = None, str(error)
    else:
        refusal = "gift"
        assert dumps(model)
    assert "gift" in refusal
    assert "\n" not in refusal
    return model


def test_a_forged_file_without_a_lie_is_sound():
    assert load_or_refuse(with_fields()) is not None


@given(st.binary(max_size=200))
@example(b"")
def test_random_bytes_are_refused(data):
    assert load_or_refuse(data) is None


@given(st.binary(max_size=300))
def test_random_bytes_behind_the_magic_are_refused(data):
    assert load_or_refuse(MAGIC + data) is None
    assert load_or_refuse(seal(MAGIC + b"\1\0\0\0" + bytes(8) + data)) is None


def test_every_truncation_is_refused():
    assert all(load_or_refuse(HONEST[:end]) is None for end in range(len(HONEST)))


def test_every_flipped_bit_is_refused():
    for place in range(len(HONEST)):
        for bit in range(8):
            data = bytearray(HONEST)
            data[place] ^= 1 << bit
            assert load_or_refuse(bytes(data)) is None


@given(st.binary(min_size=1, max_size=20))
def test_a_longer_file_is_refused(more):
    assert load_or_refuse(HONEST + more) is None


@given(st.data())
def test_changed_bytes_under_a_right_checksum_do_no_harm(data):
    body = bytearray(HONEST[:-4])
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    load_or_refuse(seal(bytes(body)))


@given(st.data())
def test_bytes_cut_out_under_a_right_checksum_do_no_harm(data):
    start = data.draw(st.integers(PRELUDE, len(HONEST) - 4))
    end = data.draw(st.integers(start, len(HONEST) - 4))
    assume(start != end)
    assert load_or_refuse(seal(HONEST[:start] + HONEST[end:-4])) is None


@given(st.sampled_from(sorted(parts()[0])), JSON)
def test_a_field_of_any_other_value_does_no_harm(key, value):
    load_or_refuse(with_fields(**{key: value}))


@given(st.dictionaries(st.sampled_from(sorted(parts()[0])), JSON))
def test_missing_fields_are_refused_or_do_no_harm(fields):
    _, words, arrays = parts()
    assume(set(fields) != set(parts()[0]))
    assert load_or_refuse(forge("\n".join([json.dumps(fields), *words]), arrays)) is None


@given(st.binary(max_size=60))
def test_any_text_part_does_no_harm(text):
    arrays = parts()[2]
    assert load_or_refuse(forge(text, arrays)) is None
    assert load_or_refuse(forge(b"{}", arrays, stored=text)) is None


LIES = {
    "rows": (with_fields(rows=10**9), "'rows' is negative or more than the file can hold"),
    "many rows": (with_fields(rows=5_000), "its sizes ask for"),
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
    "bytes over": (with_fields(arrays=parts()[2] + b"\0"), "its sizes leave 1 bytes over"),
    "bytes missing": (with_fields(arrays=parts()[2][:-1]), "its sizes ask for 4 bytes where 3"),
    "bitmap": (with_fields(arrays=b"\x15" + parts()[2][1:]), "a bitmap has bits behind its end"),
    "kind": (with_fields(arrays=parts()[2][:1] + b"\7" + parts()[2][2:]), "unknown kind 7"),
    "nan": (with_fields(arrays=parts()[2][:-4] + b"\0\0\xc0\x7f"), "values that are not finite"),
    "infinite": (with_fields(arrays=parts()[2][:-4] + b"\0\0\x80\xff"), "are not finite"),
    "array": (forge("[]", parts()[2]), "its header is not a JSON object"),
    "no json": (forge("{", parts()[2]), "its header is not JSON"),
    "digits": (forge('{"rows":' + "1" * 5000 + "}", parts()[2]), "its header is not JSON"),
    "json nan": (with_fields(info={"x": float("nan")}), "its header is not JSON"),
    "depth": (forge("[" * 50_000, parts()[2]), "its header is not JSON (RecursionError)"),
    "utf-8": (forge(b"\xff", parts()[2]), "its text is not UTF-8"),
    "zlib": (forge("{}", b"", stored=b"abcdef"), "its text cannot be inflated"),
    "zlib end": (forge("{}", b"", stored=zlib.compress(b"{}")[:-1]), "another size than promised"),
    "zlib over": (forge("{}", b"", stored=zlib.compress(b"{}") + b"x"), "another size than"),
    "claims less": (forge("{}", b"", claimed=1), "its text has another size than promised"),
    "claims more": (forge("{}", b"", claimed=3), "its text has another size than promised"),
    "claims none": (forge("{}", b"", claimed=0), "its text cannot have 0 bytes"),
    "claims much": (forge("{}", b"", claimed=2**32 - 1), "its text cannot have 4294967295 bytes"),
    "version 0": (forge("{}", b"", version=0), "there is no format 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_under_a_right_checksum_is_named(name):
    data, message = LIES[name]
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


def test_a_file_of_a_newer_version_asks_for_an_upgrade():
    body = HONEST[:8] + (2).to_bytes(4, "little") + HONEST[12:-4]
    with pytest.raises(ArtifactError) as error:
        loads(seal(body), "new.bpr")
    assert str(error.value) == (
        "new.bpr was written by a newer bayespress (format 2, this reads 1): "
        "pip install --upgrade bayespress"
    )


@pytest.mark.parametrize(("data", "message"), [
    (HONEST[:5], "damaged, it ends after 5 bytes"),
    (HONEST[:-9], f"damaged, it should have {len(HONEST)} bytes and has {len(HONEST) - 9}"),
    (HONEST[:60] + b"?" + HONEST[61:], "damaged, its checksum does not match"),
])  # fmt: skip
def test_plain_damage_is_named(data, message):
    with pytest.raises(ArtifactError, match=message):
        loads(data)


def bomb(megabytes):
    return zlib.compress(b" " * megabytes * 2**20, 9)


def greedy_json(piece):
    """As much of a piece as may be inflated from about a thousand bytes."""
    ballast = random.Random(0).randbytes(900).hex()
    text = '{"info":[' + piece * (28_000 // len(piece)) + "0]}\n" + ballast
    stored = zlib.compress(text.encode(), 9)
    assert len(text) <= 32 * len(stored)
    return forge(text, b"", stored=stored)


GREEDY = {
    "inflates to 64 MB": forge("{}", b"", stored=bomb(64), claimed=64 * 2**20),
    "inflates to more than it says": forge("{}", b"", stored=bomb(64), claimed=2**16),
    "json of empty objects": greedy_json("{},"),
    "json of empty lists": greedy_json("[],"),
    "rows": with_fields(rows=30_000, input=0),
    "rows of input": with_fields(rows=20_000, input=20_000),
    "bitmap for all": with_fields(rows=900, input=8, arrays=parts()[2][:1] + b"\1" + bytes(950)),
    "json of long words": greedy_json('"🙂",'),
    "words": with_fields(words=[""] * 900),
    **{name: data for name, (data, _) in LIES.items() if len(data) < 4_000},
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
    assert peak < 2**18 + 800 * len(data)
