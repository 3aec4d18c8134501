"""Model files: loaded, asked a short text, and written once more."""

from __future__ import annotations

import functools
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scripts import fuzz_files
from scripts.fuzz.target import Change, Target, held, refused

from bayespress.compact import CompactModel, arrays_of, dumps, loads
from bayespress.errors import ArtifactError
from bayespress.runtime import LanguageModel
from bayespress.runtime.loading import ready

EXAMPLES = Path(__file__).parents[2] / "examples" / "models"
TEXT = "The plot was good, word1 word2 BAD σοφός naïve 3\n"
_LONGEST_SEED = 2000
WRITTEN = 8
_NO_FILE = (ValueError, IndexError, TypeError, RecursionError, OverflowError, zlib.error)


def load(data: bytes) -> list[CompactModel]:
    """Load a model, if the bytes are one."""
    found: list[CompactModel] = []
    refused(lambda: found.append(loads(data, "gift")))
    return found


def read(data: bytes) -> bool:
    """Load a model and use it; write one of so many, which takes a hundred times as long."""
    for model in load(data):
        use(model)
        if zlib.crc32(data) % WRITTEN == 0:
            write(model)
        return True
    return False


def write(model: CompactModel) -> None:
    """Write a model: the file of the model is the model."""
    try:
        again = loads(dumps(model))
    except ArtifactError as error:
        # A file may have room for an axis that its bytes, written shorter, have not.
        held("empty but for the length of an axis" in str(error), f"what loads: {error}")
    else:
        held(are_equal(model, again), "a model changes when it is written and loaded")


def are_equal(one: CompactModel, other: CompactModel) -> bool:
    """Tell whether two models are the same, bit by bit but for the sign of zero."""
    first, second = arrays_of(one), arrays_of(other)
    return (
        one.encoder == other.encoder
        and first.keys() == second.keys()
        and all(np.array_equal(first[name], second[name]) for name in first)
        and getattr(one, "labels", None) == getattr(other, "labels", None)
        and dict(one.info) == dict(other.info)
    )


def use(model: CompactModel) -> None:
    """Ask a model; its answer is refused in one line, or probabilities."""
    predictor = ready(model)
    if isinstance(predictor, LanguageModel):
        # A word that it does not know, and has no other for, is refused.
        known = "".join(predictor.encoder.tokens[:3])
        for text in (known, TEXT):
            refused(lambda text=text: check(predictor.next_token_probabilities(text)[None]))
        return
    refused(lambda: check(predictor.predict_proba([TEXT, ""]), predictor.model.multi_label))


def check(shares: np.ndarray, is_each_for_itself: bool = False) -> None:
    """Make sure that shares, a row for each text, are probabilities."""
    held(bool(np.isfinite(shares).all()), "probabilities are not finite")
    held(bool(((shares >= 0) & (shares <= 1)).all()), "probabilities are not from 0 to 1")
    if not is_each_for_itself:
        held(bool(np.allclose(shares.sum(1), 1, atol=1e-4)), "probabilities do not sum up to 1")


def seeds() -> Iterator[bytes]:
    """Give small honest files of every kind of network."""
    for file in sorted(EXAMPLES.glob("*.bpr")):
        if file.stat().st_size < _LONGEST_SEED:
            yield file.read_bytes()
    yield from fuzz_files.random_networks(30, 7)
    yield from fuzz_files.random_language_models(15, 7)


@functools.cache
def _honest() -> list[bytes]:
    return list(seeds())


def change(data: bytes, source: random.Random, change_bytes: Change) -> bytes:
    """Change a file behind its checksum, its inflated text, one of its fields, or any bytes."""
    way = source.random()
    if len(data) < fuzz_files.PRELUDE + 8 or way < 0.05:
        return change_bytes(data)
    if way > 0.75:  # one damage alone: half of what is far into the reader is sound
        return fuzz_files.damaged(source.choice(_honest()), source)
    body = bytearray(data[: -fuzz_files.CHECKSUM])
    try:
        if way < 0.3:
            return fuzz_files.damaged(data, source)
        if way < 0.55:
            text = change_bytes(fuzz_files.text_of(body))
            level = source.choice((0, 9))
            return fuzz_files.sealed(bytes(fuzz_files.with_text(body, text, level)))
    except _NO_FILE:
        pass  # what is no file any more has no text, or no fields
    front = bytes(body[: fuzz_files.PRELUDE])
    return fuzz_files.sealed(front + change_bytes(bytes(body[fuzz_files.PRELUDE :])))


def memory(size: int) -> int:
    """Give the bytes that a file of this size may take while it is loaded and used.

    The arrays as ``docs/security.md`` has them, twice: the predictor keeps the embedding with a row
    of zeros and a table; the text, inflated 32 times and parsed; what blocks are read with.
    """
    arrays = max(2**20, 1024 * size)
    return 3 * arrays + 16 * 2**20 + 1000 * size


WORDS = (
    b'"rows":', b'"input":', b'"hidden":', b'"outputs":', b'"layers":[[', b'"cell":"gru"',
    b'"pooling":"mean"', b'"multi_label":true', b'"kind":"language_model"', b'"level":"char"',
    b'"window":null', b'"word_rows":[[1,', b'"labels":["', b'"info":{', b'"default":null',
    b'"max_length":', b"1e999", b"\\ud800", b"\xf5", b"\xf6", b"\xff", b"\x10", b"\x11", b"\x0a",
)  # fmt: skip
LOADER = Target("loader", read, seeds, change, WORDS, 4096, memory)
