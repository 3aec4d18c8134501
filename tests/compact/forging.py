"""Files that lie: made of an honest one, with a right size and a right checksum."""

import json
import re
import zlib

from bayespress.compact import dumps, loads
from bayespress.compact.file import MAGIC, VERSION
from bayespress.compact.header import DICTIONARY
from bayespress.compact.words import pack_words, read_words
from bayespress.errors import ArtifactError

PRELUDE = 28


def seal(body):
    """Make size and checksum right, so that what lies behind them is looked at."""
    size = (len(body) + 4).to_bytes(8, "little")
    body = body[:12] + size + body[20:]
    return body + zlib.crc32(body).to_bytes(4, "little")


def deflated(text, level=0):
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15, zdict=DICTIONARY)
    return deflater.compress(text) + deflater.flush()


def text_of(data):
    """The text part of a file, inflated, and the bytes behind it."""
    stored = int.from_bytes(data[20:24], "little")
    inflater = zlib.decompressobj(-15, zdict=DICTIONARY)
    return inflater.decompress(data[PRELUDE : PRELUDE + stored]), data[PRELUDE + stored : -4]


def parts(data):
    """The JSON object, the words and the bytes behind the text."""
    text, arrays = text_of(data)
    header, words = re.fullmatch(rb"([^\xf5-\xff]*)(.*)", text, re.DOTALL).groups()
    return json.loads(header), read_words(words), arrays


def forge(text, arrays, *, claimed=None, stored=None, version=VERSION):
    text = text if isinstance(text, bytes) else text.encode()
    stored = deflated(text) if stored is None else stored
    sizes = [len(stored), len(text) if claimed is None else claimed]
    numbers = b"".join(size.to_bytes(4, "little") for size in sizes)
    body = MAGIC + version.to_bytes(4, "little") + bytes(8) + numbers + stored + arrays
    return seal(body)


def forge_fields(honest, words=None, arrays=None, **changes):
    fields, honest_words, honest_arrays = parts(honest)
    header = json.dumps({**fields, **changes}).encode()
    packed = words if isinstance(words, bytes) else pack_words(words or [])
    if words is None:
        packed = pack_words(honest_words)
    return forge(header + packed, honest_arrays if arrays is None else arrays)


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
