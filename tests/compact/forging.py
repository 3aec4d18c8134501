"""Files that lie: made of an honest one, with a right size and a right checksum."""

import json
import zlib

from bayespress.compact import dumps, loads
from bayespress.compact.file import MAGIC
from bayespress.errors import ArtifactError

PRELUDE = 28


def seal(body):
    """Make size and checksum right, so that what lies behind them is looked at."""
    size = (len(body) + 4).to_bytes(8, "little")
    body = body[:12] + size + body[20:]
    return body + zlib.crc32(body).to_bytes(4, "little")


def parts(data):
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


def forge_fields(honest, words=None, arrays=None, **changes):
    fields, honest_words, honest_arrays = parts(honest)
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
