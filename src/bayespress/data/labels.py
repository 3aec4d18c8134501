"""What stands where a label is expected: the name of one, or several of them."""

from __future__ import annotations

from typing import Any

from bayespress.data.model import Label, label_text
from bayespress.errors import DataError


def label_of(value: Any, place: str, separator: str | None) -> Label:
    """Read a label, or with a separator all that a text has.

    Parameters
    ----------
    value
        What a cell, a JSON value or a data set holds.
    place
        Names it in errors.
    separator
        What stands between the labels of a text; None where a text has one. Lists are taken as
        they are. A label that is there twice counts once.

    Raises
    ------
    DataError
        If the value is no label, or one of several has no name.

    Examples
    --------
    >>> label_of("sad; long", "r.csv, line 2", ";"), label_of(["sad", 3], "r.jsonl, line 1", ";")
    (('sad', 'long'), ('sad', '3'))
    >>> label_of("sad; long", "r.csv, line 2", None), label_of(None, "r.jsonl, line 1", ";")
    ('sad; long', ())
    """
    if separator is None:
        return _one(value, place)
    if isinstance(value, (list, tuple)):
        return _several(value, place)
    text = _one(value, place)
    names = [part.strip() for part in text.split(separator)] if text else []
    if "" in names:
        raise DataError(
            f"{place}: there must be a label on both sides of each {separator!r}, got "
            f"{text[:40]!r}: write one, or remove the {separator!r}"
        )
    return tuple(dict.fromkeys(names))


def _one(value: Any, place: str) -> str:
    if isinstance(value, (list, tuple, dict, bytes)):
        kind = type(value).__name__
        remedy = "; if a text may have several, set label_separator, for instance to ';'"
        raise DataError(
            f"{place}: the label must be one string or number, got {kind}"
            f"{remedy if kind == 'list' else ''}"
        )
    return label_text(value)


def _several(values: list[Any] | tuple[Any, ...], place: str) -> Label:
    names = [_one(value, place) for value in values]
    if "" in names:
        raise DataError(
            f"{place}: each label of a list must have a name, got {str(values)[:40]}: write it, or "
            "remove it from the list"
        )
    found = tuple(dict.fromkeys(names))
    if len(found) < len(names) and set(found) <= {"0", "1"}:
        raise DataError(
            f"{place}: a list of labels must name those that the text has, got the zeros and ones "
            f'{str(values)[:40]}: write names, for instance ["sad", "long"]'
        )
    return found
