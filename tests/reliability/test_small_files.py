"""A file of a kilobyte takes little memory, whatever it claims, to load and to use."""

import gzip
import json
import tracemalloc

import pytest
from scripts.fuzz import corpus
from scripts.fuzz.models import TEXT
from scripts.fuzz.target import refused
from scripts.fuzz.targets import TARGETS

from bayespress.compact import loads
from bayespress.compact.words import pack_words
from bayespress.data.files import Columns, read_file
from bayespress.runtime.loading import ready
from bayespress.text.vectors import read_vectors
from tests.compact.forging import forge
from tests.compact.test_hostile_file import ALL_LIES, GREEDY

KILOBYTE, MIB = 1024, 2**20
NOTHING = bytes([8, 0])  # an array of zeros, in two bytes


def peak_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def padded(fields, words, bits, arrays):
    """A file of a kilobyte: the longer it is, the more it may claim."""
    blank = 0
    for _ in range(2):
        text = json.dumps({**fields, "info": {"x": "y" * blank}}).encode() + pack_words(words)
        data = forge(text, bits + NOTHING * arrays)
        blank += KILOBYTE - len(data)
    assert len(data) == KILOBYTE
    return data


def classifier(rows, layers, *, dims=0, cell="lstm", live=b"\xff"):
    """A classifier all of whose weights are zero, of whose gates all are live."""
    kinds = {"lstm": 4, "gru": 3}
    sizes = [size for layer in layers for size in layer]
    fields = {
        "lowercase": True, "max_length": 100, "default": 1, "prefix": None, "suffix": None,
        "rows": rows, "input": dims, "layers": layers, "cell": cell, "outputs": 1,
        "labels": ["a", "b"], "gate_activation": "sigmoid", "word_rows": [],
    }  # fmt: skip
    bits = b"".join(live * (kinds[cell] * size // 8) for size in sizes)
    return padded(fields, [], bits, 3 + len(sizes) * (7 - kinds[cell]))


def language_model(tokens, hidden, live):
    fields = {
        "kind": "language_model", "level": "char", "tokenizer": "words", "lowercase": False,
        "window": None, "hidden": hidden, "gate_activation": "sigmoid",
    }  # fmt: skip
    bits = live * (hidden // 2) + b"\xff" * (tokens // 8)
    return padded(fields, [chr(0x100 + number) for number in range(tokens)], bits, 5)


ADVERSARIES = {
    "many words, all gates": classifier(32_000, [[248]]),
    "many words, a table that is just small": classifier(16_000, [[64]]),
    "many words, both ways": classifier(32_000, [[176, 176]]),
    "many words of GRU": classifier(32_000, [[280]], cell="gru"),
    "many words, many layers": classifier(32_000, [[16, 16]] * 12),
    "many dead neurons": classifier(8, [[1200]], live=b"\0"),
    "a wide network": classifier(8, [[8]], dims=6_000),
    "a language model of dead neurons": language_model(8, 1200, b"\0"),
    "a language model of many tokens": language_model(152, 176, b"\xff"),
}


@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_kilobyte_of_a_model_loads_in_4_mib_and_is_used_in_64(name):
    data, found = ADVERSARIES[name], []
    assert peak_of(lambda: found.append(loads(data))) < 4 * MIB
    texts = [TEXT, ""]
    predictor = []
    assert peak_of(lambda: predictor.append(ready(found[0]))) < 64 * MIB
    (one,) = predictor
    if hasattr(one, "predict_proba"):
        assert peak_of(lambda: one.predict_proba(texts)) < 64 * MIB
    else:
        known = one.encoder.tokens[0] * 9
        assert peak_of(lambda: one.next_token_probabilities(known)) < 64 * MIB


def small_files():
    known = {f"a lie, {name}": data for name, (data, _) in ALL_LIES.items()}
    known |= {f"greedy, {name}": data for name, data in GREEDY.items()}
    known |= {f"corpus, {k}": data for k, data in enumerate(corpus.kept("loader"))}
    return {name: data for name, data in known.items() if len(data) <= KILOBYTE}


def test_no_small_file_takes_more_than_4_mib_to_load():
    files = small_files()
    assert len(files) > 100
    peaks = {name: peak_of(lambda data=data: refused(lambda: loads(data)))
             for name, data in files.items()}  # fmt: skip
    assert max(peaks.values()) < 4 * MIB, max(peaks, key=peaks.get)


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"loader", "checkpoint"}))
def test_no_kilobyte_of_a_corpus_takes_more_than_8_mib_to_read(name):
    read = TARGETS[name].read
    inputs = [data for data in corpus.kept(name) if len(data) <= KILOBYTE]
    assert max(peak_of(lambda data=data: read(data)) for data in inputs) < 8 * MIB


@pytest.mark.parametrize("content", [b"\0", b"a,", b"\n", b'"', b"text,label\n", b"the 1\n"])
def test_a_little_gzip_takes_what_its_content_takes(tmp_path, content):
    packed = gzip.compress(content * (KILOBYTE * 700 // len(content)), mtime=0)
    assert len(packed) < 4 * KILOBYTE
    (tmp_path / "a.csv.gz").write_bytes(packed)
    (tmp_path / "a.txt.gz").write_bytes(packed)

    def read_both():
        for read in (
            lambda: read_file(tmp_path / "a.csv.gz", Columns()),
            lambda: read_vectors(tmp_path / "a.txt.gz", {"a": 1}, 3),
        ):
            refused(read)  # or read: texts of few letters are texts

    assert peak_of(read_both) < 64 * MIB
