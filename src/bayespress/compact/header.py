"""The text part of a model file: one line of JSON, then one word or token a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from bayespress.compact.layout import DamageError

T = TypeVar("T")


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
        if not 0 <= (value := self.get(key, int)) <= self._max_size:
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


def write_text(fields: Mapping[str, Any], lines: Sequence[str]) -> str:
    """Put the JSON object and the lines, none of which has a line break, into one text.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If the fields are not made of JSON types.
    """
    line = json.dumps(fields, separators=(",", ":"), allow_nan=False)
    return "\n".join([line, *lines])


def read_text(text: str, max_size: int) -> tuple[Fields, list[str]]:
    """Take a text apart that :func:`write_text` wrote; no size in it may exceed `max_size`.

    Raises
    ------
    DamageError
        If the first line is not a JSON object.
    """
    line, *lines = text.split("\n")
    return Fields(_parse_json(line), max_size), lines


def _parse_json(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DamageError(f"its header is not JSON ({type(error).__name__})") from None
    if not isinstance(fields, dict):
        raise DamageError("its header is not a JSON object")
    return fields


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
