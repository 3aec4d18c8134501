r"""The model file: one small file that holds all of a finished model and is safe to open.

Format 2; numbers are little-endian:

======== ====== ===============================================================================
offset   bytes  content
======== ====== ===============================================================================
0        8      magic: ``89 42 50 52 0D 0A 1A 0A`` (line ends, so that text transfers show)
8        4      format version, uint32
12       8      bytes of the whole file, uint64
20       4      bytes of the text part as stored, *s*, uint32
24       4      bytes of the text part inflated, uint32, at most 32 *s*
28       *s*    text part, a raw deflate stream
28 + *s* *g*    live gates: for each cell, a bitmap of *g* = ceil(gates / 8) bytes
…        *t*    language model: the tokens that are read, a bitmap of *t* = ceil(tokens / 8) bytes
…               blocks: embedding (classifier), each cell's weight_ih, weight_hh, bias (and
                hidden_bias), output_weight, output_bias
-4       4      CRC-32 of all bytes before it, uint32
======== ====== ===============================================================================

Bytes 0 to 20 and the last four are the same in every version to come.

The text part is a JSON object and the words, see :mod:`bayespress.compact.header` and
:mod:`~bayespress.compact.words`; blocks are arrays, see :mod:`~bayespress.compact.blocks`. Every
byte is described in ``docs/format.md``, with a reader that needs nothing of this package.

A model comes back bit by bit, save that -0.0 is written as 0.0. Whatever the file claims is held
against the bytes that are there before memory is taken: a text of 32 times its stored bytes, sizes
up to 32 times those of the file (an axis may be long though the array is empty), and arrays of
1,024 times the file or 1 MiB, whichever is more. Numbers beyond 2 ** 50 are refused: sums of their
products may overflow.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayespress.compact.bits import ByteReader, pack_flags
from bayespress.compact.blocks import pack_array
from bayespress.compact.classifier import ClassifierKind
from bayespress.compact.header import Fields, deflate, inflate, pack_text, read_text
from bayespress.compact.kind import Kind
from bayespress.compact.language import LANGUAGE_MODEL, LanguageModelKind
from bayespress.compact.layout import DamageError, Sizes, arrays_of, cells_of
from bayespress.compact.model import CompactLanguageModel, CompactModel
from bayespress.errors import ArtifactError

MAGIC = b"\x89BPR\r\n\x1a\n"
VERSION = 2

_PRELUDE = struct.Struct("<8sIQII")
_CHECKSUM = struct.Struct("<I")
_MAX_EXPANSION = 32
_SMALL_MEMORY, _MAX_MEMORY = 2**20, 1024
_CLASSIFIER, _LANGUAGE_MODEL = ClassifierKind(), LanguageModelKind()


def save(model: CompactModel, path: str | os.PathLike[str]) -> int:
    """Write a model to a file, whole or not at all.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    ArtifactError
        If the model is inconsistent, see :func:`dumps`.
    StorageError
        If the file cannot be written.
    """
    # Those who only load a model should not wait for what writing needs.
    from bayespress.storage import write_bytes  # noqa: PLC0415

    data = dumps(model)
    write_bytes(Path(path), data)
    return len(data)


def load(path: str | os.PathLike[str]) -> CompactModel:
    """Read a model from a file; it may come from a stranger.

    Raises
    ------
    ArtifactError
        If the file is missing, is not a model, is damaged or was written by a newer version.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist: give the path of a model file") from None
    except OSError as error:
        if path.is_dir():
            raise ArtifactError(f"{path} is a folder: give the model file in it") from None
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from None
    return loads(data, str(path))


def dumps(model: CompactModel) -> bytes:
    """Turn a model into the bytes of its file.

    Raises
    ------
    ArtifactError
        If shapes do not fit, values are not finite or beyond 2 ** 50, rows, gates or tokens are out
        of range, or `info` is not made of JSON types or nested deeper than 32 levels.
    """
    kind = _kind_of(model)
    if (problem := kind.first_problem(model)) is not None:
        raise ArtifactError(f"cannot save this model: {problem}")
    text, stored = _pack_text(*kind.text(model))
    bitmaps = b"".join(pack_flags(flags) for flags in kind.flags(model))
    rest = _PRELUDE.size + len(stored) + len(bitmaps) + _CHECKSUM.size
    blocks = b"".join(_blocks(model, rest).values())
    size = rest + len(blocks)
    if Sizes.of(model).longest > _MAX_EXPANSION * size:
        raise ArtifactError("cannot save this model: it is empty but for the length of an axis")
    prelude = _PRELUDE.pack(MAGIC, VERSION, size, len(stored), len(text))
    data = b"".join([prelude, stored, bitmaps, blocks])
    return data + _CHECKSUM.pack(zlib.crc32(data))


def byte_counts(model: CompactModel) -> dict[str, int]:
    """Tell where the bytes of a model's file go, part by part in the order of the file.

    Returns
    -------
    dict
        ``frame`` (what every file begins and ends with), ``text`` (header and words, deflated),
        ``live gates``, of a language model ``read tokens``, and the arrays by their names. The
        sum is the length of what :func:`dumps` gives.
    """
    kind = _kind_of(model)
    _, stored = _pack_text(*kind.text(model))
    bitmaps = [len(pack_flags(flags)) for flags in kind.flags(model)]
    head = {"frame": _PRELUDE.size + _CHECKSUM.size, "text": len(stored)}
    head |= _bitmap_counts(model, bitmaps)
    blocks = _blocks(model, sum(head.values()))
    return {**head, **{name: len(block) for name, block in blocks.items()}}


def _bitmap_counts(model: CompactModel, bitmaps: Sequence[int]) -> dict[str, int]:
    cells = sum(1 for _ in cells_of(model))
    counts = {"live gates": sum(bitmaps[:cells])}
    return {**counts, "read tokens": bitmaps[cells]} if len(bitmaps) > cells else counts


def _blocks(model: CompactModel, rest: int) -> dict[str, bytes]:
    """Write the arrays of a file that has so many bytes beside them."""
    blocks = _pack_arrays(model, allow_gaps=True)
    if Sizes.of(model).memory > _most_memory(rest + sum(map(len, blocks.values()))):
        blocks = _pack_arrays(model, allow_gaps=False)
    return blocks


def _pack_arrays(model: CompactModel, *, allow_gaps: bool) -> dict[str, bytes]:
    arrays = arrays_of(model)
    return {name: pack_array(array, allow_gaps=allow_gaps) for name, array in arrays.items()}


def _most_memory(size: int) -> int:
    """Give the bytes that the arrays of a file of this size may take."""
    return max(_SMALL_MEMORY, _MAX_MEMORY * size)


def loads(data: bytes, origin: str = "the model") -> CompactModel:
    """Turn the bytes of a file into the model.

    Parameters
    ----------
    data
        All bytes; they may come from a stranger.
    origin
        What to call the file in an error.

    Raises
    ------
    ArtifactError
        If the bytes are not a model, are damaged or were written by a newer version.
    """
    try:
        return _read_model(memoryview(data), origin)
    except DamageError as error:
        raise ArtifactError(
            f"{origin} is damaged, {error}: copy or download it once more"
        ) from None


def _kind_of(model: CompactModel) -> Kind[Any]:
    return _LANGUAGE_MODEL if isinstance(model, CompactLanguageModel) else _CLASSIFIER


def _kind_named(fields: Fields) -> Kind[Any]:
    if "kind" not in fields:
        return _CLASSIFIER
    if fields.get("kind", str) != LANGUAGE_MODEL:
        raise DamageError("its kind of model is unknown")
    return _LANGUAGE_MODEL


def _pack_text(fields: dict[str, Any], words: Sequence[str]) -> tuple[bytes, bytes]:
    """Give the text part as it is and as it is stored."""
    try:
        text = pack_text(fields, words)
    except UnicodeEncodeError:
        raise ArtifactError("cannot save this model: a word is not valid Unicode") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtifactError(f"cannot save this model: its info is not JSON, {error}") from None
    stored = deflate(text)
    if len(text) > _MAX_EXPANSION * len(stored):
        stored = deflate(text, level=0)
    return text, stored


def _read_model(data: memoryview, origin: str) -> CompactModel:
    stored, expanded = _read_prelude(data, origin)
    reader = ByteReader(data[_PRELUDE.size : -_CHECKSUM.size], _most_memory(len(data)))
    piece = reader.take(stored)
    if not 0 < expanded <= _MAX_EXPANSION * stored:
        raise DamageError(f"its text cannot have {expanded} bytes")
    text = inflate(piece, expanded)
    fields, words = read_text(text, max_size=_MAX_EXPANSION * len(data))
    kind = _kind_named(fields)
    model: CompactModel = kind.read(fields, words, reader)
    reader.end()
    if (problem := kind.first_problem(model)) is not None:
        raise DamageError(problem)
    return model


def _read_prelude(data: memoryview, origin: str) -> tuple[int, int]:
    """Check what every version has; give the sizes of the text part, stored and inflated."""
    start = bytes(data[: len(MAGIC)])
    if not start or not MAGIC.startswith(start):
        raise ArtifactError(f"{origin} is not a bayespress model file")
    if len(data) < _PRELUDE.size + _CHECKSUM.size:
        raise DamageError(f"it ends after {len(data)} bytes")
    _, version, size, stored, expanded = _PRELUDE.unpack_from(data)
    if size != len(data):
        raise DamageError(f"it should have {size} bytes and has {len(data)}")
    (checksum,) = _CHECKSUM.unpack(data[-_CHECKSUM.size :])
    if zlib.crc32(data[: -_CHECKSUM.size]) != checksum:
        raise DamageError("its checksum does not match")
    if version > VERSION:
        raise ArtifactError(
            f"{origin} was written by a newer bayespress (format {version}, this reads "
            f"{VERSION}): pip install --upgrade bayespress"
        )
    if version == 1:
        raise ArtifactError(
            f"{origin} was written before the first release (format 1, this reads {VERSION}): "
            "write it once more, with bayespress compress"
        )
    if version < 1:
        raise DamageError(f"there is no format {version}")
    return stored, expanded
