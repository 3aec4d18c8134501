"""Damage model files under a right checksum, and see that each is loaded or refused in one line.

    python scripts/fuzz_files.py examples/models/*.bpr --seconds 60

Bytes are changed, cut out or put in behind the prelude, or the inflated text is changed, and size
and checksum are made right, so that what lies behind them is looked at. Prints a JSON object; any
other error than that of a damaged file ends the script.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from bayespress.compact import loads
from bayespress.compact.header import DICTIONARY, deflate
from bayespress.errors import ArtifactError

PRELUDE, CHECKSUM = 28, 4
# Those that begin a block, a word, a size, and the ends of a byte's range.
TELLING = (0, 1, 2, 3, 8, 10, 11, 16, 17, 127, 128, 255)


def sealed(body: bytes) -> bytes:
    """Make size and checksum right."""
    size = (len(body) + CHECKSUM).to_bytes(8, "little")
    body = body[:12] + size + body[20:]
    return body + zlib.crc32(body).to_bytes(4, "little")


def damaged(honest: bytes, source: random.Random) -> bytes:
    """Change a file in one of four ways."""
    body = bytearray(honest[:-CHECKSUM])
    way, place = source.random(), source.randrange(PRELUDE, len(body))
    if way < 0.5:
        for _ in range(source.randint(1, 4)):
            byte = source.choice((*TELLING, source.randrange(256)))
            body[source.randrange(20, len(body))] = byte
    elif way < 0.7:
        del body[place : place + source.randint(1, 30)]
    elif way < 0.85:
        body[place:place] = source.randbytes(source.randint(1, 30))
    else:
        body = _with_other_text(body, source)
    return sealed(bytes(body))


def _with_other_text(body: bytearray, source: random.Random) -> bytearray:
    """Change the text part, inflated: digits, marks of words, anything."""
    stored = int.from_bytes(body[20:24], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=DICTIONARY)
    text = bytearray(inflater.decompress(bytes(body[PRELUDE : PRELUDE + stored])))
    for _ in range(source.randint(1, 3)):
        any_byte = source.randrange(256)
        byte = source.choice((any_byte, 48 + source.randrange(10), 0xF5 + source.randrange(11)))
        text[source.randrange(len(text))] = byte
    packed = deflate(bytes(text), level=0)
    sizes = len(packed).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return body[:20] + sizes + packed + body[PRELUDE + stored :]


def main(arguments: Sequence[str] | None = None) -> None:
    """Damage files until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help="model files to begin with")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long  [60]")
    parser.add_argument("--seed", type=int, default=1, help="of the damage  [1]")
    given = parser.parse_args(arguments)
    honest = [model.read_bytes() for model in given.models]
    source, sound, files, slowest = random.Random(given.seed), 0, 0, 0.0
    end = time.perf_counter() + given.seconds
    while time.perf_counter() < end:
        data = damaged(source.choice(honest), source)
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
