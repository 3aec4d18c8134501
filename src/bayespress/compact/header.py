"""The text part of a model file: a JSON object, then words or tokens, deflated."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from bayespress.compact.layout import DamageError
from bayespress.compact.words import MARK, pack_words, read_words

T = TypeVar("T")

DICTIONARY = (
    b'"zero":[]true{"kind":"language_model","level":"char","tokenizer":"spaces",'
    b'"level":"word","tokenizer":"words","lowercase":true,"window":null,"hidden":'
    b'"gate_activation":"sigmoid","info":{"code":"CDN"}}'
    b'{"lowercase":false,"max_length":200,"default":null,"prefix":1,"suffix":2,'
    b'{"lowercase":true,"max_length":100,"default":0,"prefix":null,"suffix":null,"rows":,'
    b'"input":,"hidden":,"outputs":1,"gate_activation":"hard_sigmoid",'
    b'"labels":["negative","positive"],"info":{"code":"LLLLLL","words":[,20001],"dims":[,300],'
    b'"neurons":[,128],"gates":[,512],"compression_ratio":1,"stored_compression_ratio":1,'
    b'"dense_ratio":1,"dense_bytes":25034525},"word_rows":[[1,]]}'
)
"""What the text is deflated after: the keys that a header has, so that they cost next to nothing.

Part of the format: a change of it makes another version.
"""


class Fields:
    """The JSON object, read with types: what it claims is not to be trusted.

    Parameters
    ----------
    fields
        The object as it was parsed.
    max_size
        No size may exceed this.
    """

    def __init__(self, fields: dict[str, Any], max_size: int) -> None:
        self._fields, self._max_size = fields, max_size

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def get(self, key: str, kind: type[T]) -> T:
        """Read a value of exactly this type.

        Raises
        ------
        DamageError
            If it is missing or of another type.
        """
        value = self._fields.get(key)
        # Not isinstance(): True is an int.
        if type(value) is not kind:
            raise DamageError(f"{key!r} is not of type {kind.__name__}")
        return value

    def get_or_none(self, key: str, kind: type[T]) -> T | None:
        """Read a value of exactly this type, or null.

        Raises
        ------
        DamageError
            If it is missing or of another type.
        """
        return None if self._fields.get(key, 0) is None else self.get(key, kind)

    def size(self, key: str) -> int:
        """Read the length of an axis.

        Raises
        ------
        DamageError
            If it is missing, no integer, negative or more than the file can hold.
        """
        return self.checked_size(key, self.get(key, int))

    def checked_size(self, key: str, value: Any) -> int:
        """Check the length of an axis that stands somewhere under a key.

        Raises
        ------
        DamageError
            If it is no integer, negative or more than the file can hold.
        """
        if type(value) is not int:
            raise DamageError(f"a size of {key!r} is not of type int")
        if not 0 <= value <= self._max_size:
            raise DamageError(f"{key!r} is negative or more than the file can hold")
        return value

    def row(self, key: str) -> int | None:
        """Read a number up to the largest size, or null.

        Raises
        ------
        DamageError
            As :meth:`size` does.
        """
        return None if self._fields.get(key, 0) is None else self.size(key)


def pack_text(fields: Mapping[str, Any], words: Sequence[str]) -> bytes:
    """Put the JSON object and the words into one text, see :mod:`bayespress.compact.words`.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If the fields are not made of JSON types.
    UnicodeEncodeError
        If a word is not valid Unicode.
    """
    # No character beyond ASCII: no byte of the object can be taken for the beginning of a word.
    header = json.dumps(fields, separators=(",", ":"), allow_nan=False)
    return header.encode() + pack_words(words)


def read_text(text: bytes, max_size: int) -> tuple[Fields, list[str]]:
    """Take a text apart that :func:`pack_text` wrote; no size in it may exceed `max_size`.

    Raises
    ------
    DamageError
        If it does not begin with a JSON object, or words do not follow.
    """
    mark = MARK.search(text)
    end = mark.start() if mark else len(text)
    try:
        words = read_words(text[end:])
        header = text[:end].decode()
    except UnicodeDecodeError:
        raise DamageError("its text is not UTF-8") from None
    except ValueError as error:
        raise DamageError(str(error)) from None
    return Fields(_parse_json(header), max_size), words


def deflate(text: bytes, level: int = 9) -> bytes:
    """Compress a text; at level 0 it stays as it is."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zdict=DICTIONARY)
    return deflater.compress(text) + deflater.flush()


def inflate(stored: memoryview, size: int) -> bytes:
    """Undo :func:`deflate`; takes no more memory than a text of this size needs.

    Raises
    ------
    DamageError
        If it cannot be inflated, or has another size.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=DICTIONARY)
    try:
        # One byte more than is promised: the end of the stream must have come by then.
        text = inflater.decompress(stored, size + 1)
    except zlib.error:
        raise DamageError("its text cannot be inflated") from None
    if len(text) != size or not inflater.eof or inflater.unused_data:
        raise DamageError("its text has another size than promised")
    return text


def _parse_json(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise DamageError(f"its header is not JSON ({type(error).__name__})") from None
    if not isinstance(fields, dict):
        raise DamageError("its header is not a JSON object")
    return fields


def _finite(number: str) -> float:
    """Read a number; one as large as 1e999 would be infinite, which JSON cannot say."""
    return value if math.isfinite(value := float(number)) else _refuse(number)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
