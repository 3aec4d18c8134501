"""Damage model files under a right checksum, and see that each is loaded or refused in one line.

    python scripts/fuzz_files.py examples/models/*.bpr --seconds 60
    python scripts/fuzz_files.py --networks 1000 --seed 3

Bytes are changed, cut out or put in behind the prelude, the inflated text is changed, or a field of
the header gets another value; size and checksum are made right, so that what lies behind them is
looked at. Half of the damage is done to files of random networks of every kind, which the script
makes itself. Prints a JSON object; any other error than that of a damaged file ends the script.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import (
    CompactCell,
    CompactClassifier,
    CompactGRU,
    CompactLanguageModel,
    CompactLSTM,
    dumps,
    loads,
    rounded,
)
from bayespress.compact.header import DICTIONARY, deflate
from bayespress.errors import ArtifactError
from bayespress.text import TextEncoder, TokenEncoder, Tokenizer, Vocabulary

PRELUDE, CHECKSUM = 28, 4
# Those that begin a block, a word, a size, and the ends of a byte's range.
TELLING = (0, 1, 2, 3, 8, 10, 11, 16, 17, 127, 128, 255)
_CHARACTERS = tuple("\na\u03c3\u03c2i.é")  # both forms of the small sigma
_TOKENS = ("<eos>", "the", "cat", "it's", "\u03c3\u03bf\u03c6\u03cc\u03c2")
NETWORK_FIELDS = ("layers", "hidden", "cell", "pooling", "multi_label", "input", "rows", "outputs")
# What a field is not, or is in another network.
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 3, 1.0, 9_000, 2**31, 2**62, 10**30, "", "gru", "lstm", "last",
    "mean", "max", "min", [], {},
)  # fmt: skip


def sealed(body: bytes) -> bytes:
    """Make size and checksum right."""
    size = (len(body) + CHECKSUM).to_bytes(8, "little")
    body = body[:12] + size + body[20:]
    return body + zlib.crc32(body).to_bytes(4, "little")


def damaged(honest: bytes, source: random.Random) -> bytes:
    """Change a file in one of five ways."""
    body = bytearray(honest[:-CHECKSUM])
    way, place = source.random(), source.randrange(PRELUDE, len(body))
    if way < 0.4:
        for _ in range(source.randint(1, 4)):
            byte = source.choice((*TELLING, source.randrange(256)))
            body[source.randrange(20, len(body))] = byte
    elif way < 0.55:
        del body[place : place + source.randint(1, 30)]
    elif way < 0.7:
        body[place:place] = source.randbytes(source.randint(1, 30))
    else:
        change = _other_bytes if way < 0.85 else _other_field
        body = with_text(body, change(text_of(body), source))
    return sealed(bytes(body))


def text_of(body: bytearray) -> bytes:
    """Inflate the text part."""
    stored = int.from_bytes(body[20:24], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=DICTIONARY)
    return inflater.decompress(bytes(body[PRELUDE : PRELUDE + stored]))


def with_text(body: bytearray, text: bytes, level: int = 0) -> bytearray:
    """Put another text part in the place of a file's."""
    stored = int.from_bytes(body[20:24], "little")
    packed = deflate(text, level)
    sizes = len(packed).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return body[:20] + sizes + packed + body[PRELUDE + stored :]


def _other_bytes(text: bytes, source: random.Random) -> bytes:
    """Change bytes of the text part: digits, marks of words, anything."""
    changed = bytearray(text)
    for _ in range(source.randint(1, 3)):
        any_byte = source.randrange(256)
        byte = source.choice((any_byte, 48 + source.randrange(10), 0xF5 + source.randrange(11)))
        changed[source.randrange(len(changed))] = byte
    return bytes(changed)


def _other_field(text: bytes, source: random.Random) -> bytes:
    """Change a field of the header, or leave it out."""
    end = mark.start() if (mark := re.search(rb"[\xf5-\xff]", text)) else len(text)
    fields = json.loads(text[:end])
    key = source.choice((*NETWORK_FIELDS, *fields))
    fields[key] = _other_layers(source) if key == "layers" else source.choice(VALUES)
    if source.random() < 0.1:
        del fields[key]
    return json.dumps(fields, separators=(",", ":")).encode() + text[end:]


def _other_layers(source: random.Random) -> Any:
    """Give layers as they could be, or with anything in the place of a layer or of a size."""
    layers: list[Any] = [
        [source.randint(0, 4) for _ in range(source.randint(1, 2))]
        for _ in range(source.choice((1, 2, 3, 64, 65)))
    ]
    way, layer = source.random(), source.choice(layers)
    if way < 0.3:
        layer[source.randrange(len(layer))] = source.choice(VALUES)
    elif way < 0.5:
        layers[source.randrange(len(layers))] = source.choice((*VALUES, [1, 2, 3]))
    elif way < 0.6:
        return source.choice(VALUES)
    return layers


def random_networks(count: int, seed: int) -> Iterator[bytes]:
    """Make files of networks of every kind; equal seeds make equal ones."""
    source = np.random.default_rng(seed)
    for _ in range(count):
        kind = [CompactLSTM, CompactGRU][source.integers(2)]
        directions, depth = source.integers(1, [3, 4]).tolist()
        layers = source.integers(0, 6, (depth, directions)).tolist()
        model = random_network(source, kind, layers)
        yield dumps(rounded(model, str(source.choice(["float32", "float16", "int8", "int3"]))))


def random_language_models(count: int, seed: int) -> Iterator[bytes]:
    """Make files of language models of every kind; equal seeds make equal ones."""
    source = np.random.default_rng(seed)
    for _ in range(count):
        level = str(source.choice(["char", "word"]))
        tokens = _CHARACTERS if level == "char" else _TOKENS
        if level == "word" and source.integers(2):
            tokens += ("<unk>",)
        encoder = TokenEncoder(
            level, str(source.choice(["words", "spaces"])), bool(source.integers(2)), tokens
        )
        inputs = np.flatnonzero(source.random(len(tokens)) < 0.7)
        hidden = int(source.integers(0, 6))
        model = CompactLanguageModel(
            encoder=encoder,
            inputs=inputs,
            lstm=_random_cell(source, CompactLSTM, len(inputs), hidden, "sigmoid"),
            output_weight=_random_array(source, len(tokens), hidden),
            output_bias=_random_array(source, len(tokens)),
            window=[None, 5][source.integers(2)],
        )
        yield dumps(rounded(model, str(source.choice(["float32", "float16", "int8"]))))


def random_network(
    source: np.random.Generator, kind: type[CompactCell], layers: Sequence[Sequence[int]]
) -> CompactClassifier:
    """Make a network of so many cells of a kind, of which more or less is left."""
    words, dims, outputs = source.integers([0, 0, 1], [40, 6, 5]).tolist()
    activation = str(source.choice(["sigmoid", "hard_sigmoid"]))
    is_multi_label = bool(source.integers(2))
    reads = [dims, *map(sum, layers)]
    cells = [
        tuple(_random_cell(source, kind, inputs, hidden, activation) for hidden in layer)
        for inputs, layer in zip(reads, layers, strict=False)
    ]
    return CompactClassifier(
        encoder=_encoder(words),
        embedding=_random_array(source, words, dims),
        layers=tuple(cells),
        output_weight=_random_array(source, outputs, reads[-1]),
        output_bias=_random_array(source, outputs),
        labels=tuple(f"label {k}" for k in range(outputs if is_multi_label else max(outputs, 2))),
        pooling=str(source.choice(["last", "mean", "max"])),
        multi_label=is_multi_label,
    )


def _random_cell(
    source: np.random.Generator, kind: type[CompactCell], inputs: int, hidden: int, activation: str
) -> CompactCell:
    count = len(kind.gates) * hidden
    live = np.flatnonzero(source.random(count) < source.choice([0.0, 0.5, 1.0]))
    is_gru = issubclass(kind, CompactGRU)
    more: dict[str, Any] = {"hidden_bias": _random_array(source, hidden)} if is_gru else {}
    return kind(
        weight_ih=_random_array(source, len(live), inputs),
        weight_hh=_random_array(source, len(live), hidden),
        bias=_random_array(source, count),
        live_gates=live,
        gate_activation=activation,
        **more,
    )


def _random_array(source: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    kept = source.random(shape) < source.choice([0.0, 0.1, 0.5, 1.0])
    return np.asarray(source.normal(size=shape) * kept, np.float32)


def _encoder(words: int) -> TextEncoder:
    rows = MappingProxyType({f"word{number}": number for number in range(1, words + 1)})
    return TextEncoder(Tokenizer(), Vocabulary(rows, words + 1), 20)


def main(arguments: Sequence[str] | None = None) -> None:
    """Damage files until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="*", help="model files to begin with")
    parser.add_argument("--networks", type=int, default=300, help="random ones besides  [300]")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long  [60]")
    parser.add_argument("--seed", type=int, default=1, help="of networks and damage  [1]")
    given = parser.parse_args(arguments)
    both = (
        [model.read_bytes() for model in given.models],
        list(random_networks(given.networks, given.seed)),
    )
    if not any(both):
        parser.error("there is nothing to damage: give model files, or more --networks")
    honest = [files for files in both if files]
    source, sound, files, slowest = random.Random(given.seed), 0, 0, 0.0
    end = time.perf_counter() + given.seconds
    while time.perf_counter() < end:
        data = damaged(source.choice(source.choice(honest)), source)
        begin = time.perf_counter()
        try:
            loads(data)
        except ArtifactError as error:
            if "\n" in str(error):
                raise
        else:
            sound += 1
        slowest = max(slowest, time.perf_counter() - begin)
        files += 1
    figures = {"seed": given.seed, "files": files, "sound": sound, "slowest_s": round(slowest, 4)}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
