"""Labelled texts and plain ones: as a reader finds them, and as training takes them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bayespress.errors import DataError

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
Label = str | tuple[str, ...]
"""What a text is labelled with: its class, or where it may have several labels, all of them."""


class Row(NamedTuple):
    """One text and its label, and the place to name when something is wrong with it."""

    text: str
    label: Label
    origin: str
    number: int | None = None
    unit: str = "line"

    @property
    def place(self) -> str:
        """The file, and where it holds many rows, the line or row."""
        return self.origin if self.number is None else f"{self.origin}, {self.unit} {self.number}"


@dataclass(frozen=True)
class RawSource:
    """What a reader found: rows by split, None where the source leaves a split to us."""

    train: Sequence[Row]
    validation: Sequence[Row] | None = None
    test: Sequence[Row] | None = None
    label_order: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> list[Sequence[Row]]:
        """The splits that there are."""
        return [part for part in (self.train, self.validation, self.test) if part is not None]


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and their labels, in step.

    Attributes
    ----------
    texts
        Raw texts.
    labels
        The class of each; or a tuple of labels of each, which may be empty.

    Examples
    --------
    >>> LabelledTexts(("good", "bad"), ("1", "0")).select([1])
    LabelledTexts(texts=('bad',), labels=('0',))
    """

    texts: Sequence[str]
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise DataError(
                f"there must be one label a text, got {len(self.texts)} texts "
                f"and {len(self.labels)} labels"
            )

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> LabelledTexts:
        """Forget where the rows came from."""
        rows = tuple(rows)
        return cls(tuple(row.text for row in rows), tuple(row.label for row in rows))

    def select(self, indices: Iterable[int]) -> LabelledTexts:
        """Take the texts of these positions, in this order."""
        chosen = [int(index) for index in indices]
        return LabelledTexts(
            tuple(self.texts[index] for index in chosen),
            tuple(self.labels[index] for index in chosen),
        )


@dataclass(frozen=True)
class Splits:
    """A data set that is ready to train on.

    Attributes
    ----------
    train, validation, test
        Labelled texts; only `validation` and `test` may be empty.
    labels
        The names of the classes.
    notes
        What a reader of the results should know about the data.
    class_weights
        What a text of each class counts in training; None where all count alike, or as the
        settings say.
    multi_label
        Whether a text may have several labels, or none.
    """

    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    class_weights: tuple[float, ...] | None = None
    multi_label: bool = False


@dataclass(frozen=True)
class RawText:
    """What a reader found of plain text, by split; None where the source leaves a split to us."""

    train: str
    validation: str | None = None
    test: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """All text."""
        return f"{self.train}{self.validation or ''}{self.test or ''}"


@dataclass(frozen=True)
class TextSplits:
    """Plain text that is ready for a language model to train on.

    Attributes
    ----------
    train, validation, test
        Lines, each with its line break; only `validation` and `test` may be empty.
    notes
        What a reader of the results should know about the data.
    """

    train: str
    validation: str
    test: str
    notes: tuple[str, ...] = ()


def sort_labels(labels: Iterable[str], official: Sequence[str] = ()) -> tuple[str, ...]:
    """Sort the names of classes: in their official order, by number, or as words.

    Examples
    --------
    >>> sort_labels(["10", "9", "9"]), sort_labels(["b", "a"]), sort_labels(["b", "a"], ["b", "a"])
    (('9', '10'), ('a', 'b'), ('b', 'a'))
    """
    found = set(labels)
    if found <= set(official):
        return tuple(label for label in official if label in found)
    if all(_NUMBER.fullmatch(label) for label in found):
        return tuple(sorted(found, key=lambda label: (float(label), label)))
    return tuple(sorted(found))


def names_in(label: Label) -> tuple[str, ...]:
    """Give the names of what a text is labelled with.

    Examples
    --------
    >>> names_in("good"), names_in(("sad", "long")), names_in(())
    (('good',), ('sad', 'long'), ())
    """
    return (label,) if isinstance(label, str) else label


def label_text(value: Any) -> str:
    """Write a label as text; an empty text stands for a missing label.

    Examples
    --------
    >>> label_text(1), label_text(1.0), label_text(" pos "), label_text(None), label_text(True)
    ('1', '1', 'pos', '', 'true')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def checked(rows: Sequence[Row], origin: str) -> Sequence[Row]:
    """Pass rows on if there are any and each has a text and a label, or where it may, none.

    Raises
    ------
    DataError
        If there are no rows, or one lacks its text or its label.
    """
    if not rows:
        raise DataError(f"{origin} has no rows; at least one labelled text is needed")
    for row in rows:
        if not row.text or row.text.isspace():
            raise DataError(f"{row.place}: the text is empty; write one or remove the row")
        if row.label == "":
            raise DataError(f"{row.place}: the label is missing; write one or remove the row")
    return rows
