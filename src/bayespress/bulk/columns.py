"""The columns that answers add to those of a file."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bayespress.compact.model import FloatArray
from bayespress.errors import DataError
from bayespress.runtime.predictor import labels_in

_LONGEST_NAME = 40
Answer = tuple[str, float, list[float], list[int]]
"""The most probable class, its probability, that of each class, numbers of all labels given."""


@dataclass(frozen=True)
class Columns:
    """Where the text stands, and what is added.

    Attributes
    ----------
    text
        The column of texts.
    labels
        The classes.
    prefix
        Stands before the name of each new column.
    every_class
        Whether to add the probability of each class.
    several
        Whether a text may have several labels: those of at least 50 % are added too.
    """

    text: str
    labels: tuple[str, ...]
    prefix: str = ""
    every_class: bool = False
    several: bool = False

    @property
    def label(self) -> str:
        """Name of the column of answers."""
        return f"{self.prefix}label"

    @property
    def probability(self) -> str:
        """Name of the column of the answer's probability."""
        return f"{self.prefix}probability"

    @property
    def given(self) -> tuple[str, ...]:
        """Name of the column of all labels that a text is given; none where it has one label."""
        return (f"{self.prefix}labels",) if self.several else ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the new columns that hold text."""
        return (self.label, *self.given)

    @property
    def probabilities(self) -> str:
        """Name of the object with each class's probability, in JSON lines."""
        return f"{self.prefix}probabilities"

    @property
    def of_classes(self) -> tuple[str, ...]:
        """Names of the columns of each class's probability; none if they are not wanted."""
        names = (f"{self.probability}_{label}" for label in self.labels)
        return tuple(names) if self.every_class else ()

    @property
    def added(self) -> tuple[str, ...]:
        """Names of all new columns of a table."""
        return (self.label, self.probability, *self.given, *self.of_classes)

    def find(self, names: Sequence[str], place: str) -> int:
        """Find the text among the columns that there are, none of which may be a new one.

        Raises
        ------
        DataError
            If it is missing, or a new column has the name of one that is there.
        """
        if self.text not in names:
            raise DataError(f"{place} has no column {self.text!r}; {self._there(names)}")
        self.check_new(names, self.added, place)
        return names.index(self.text)

    def check_new(self, names: Sequence[str], added: Sequence[str], place: str) -> None:
        """Make sure that what is added is new.

        Raises
        ------
        DataError
            If it is not.
        """
        clash = next((name for name in added if name in names), None)
        if clash is not None:
            raise DataError(
                f"{place} has a column {clash!r} already: give the new columns other names, "
                f"for instance with --prefix {self.prefix or 'predicted'}_"
            )

    def _there(self, names: Sequence[str]) -> str:
        close = difflib.get_close_matches(self.text, names, n=1)
        if close:
            return f"did you mean --text-column {close[0]!r}?"
        there = ", ".join(repr(name[:_LONGEST_NAME]) for name in names)
        return f"it has {there}: set --text-column to one of them"

    def answers(self, probabilities: FloatArray) -> list[Answer]:
        """Round probabilities, shape ``(N, classes)``, as ``bayespress predict`` prints them."""
        best = probabilities.argmax(axis=1).tolist() if len(probabilities) else []
        rows = ([round(value, 6) for value in row] for row in probabilities.tolist())
        given = [labels_in(row) if self.several else [] for row in probabilities]
        return [
            (self.labels[k], row[k], row, all_given)
            for k, row, all_given in zip(best, rows, given, strict=True)
        ]

    def cells(self, answer: Answer) -> list[str | float]:
        """Give an answer's values of the new columns of a table."""
        label, probability, every, numbers = answer
        names = [self.labels[k] for k in numbers]
        given = [json.dumps(names, ensure_ascii=False)] if self.several else []
        return [label, probability, *given, *(every if self.every_class else ())]

    def members(self, answer: Answer) -> str:
        """Write an answer's members of a JSON object."""
        label, probability, every, numbers = answer
        values: dict[str, object] = {self.label: label, self.probability: probability}
        for name in self.given:
            values[name] = {self.labels[k]: every[k] for k in numbers}
        if self.every_class:
            values[self.probabilities] = dict(zip(self.labels, every, strict=True))
        return json.dumps(values, ensure_ascii=False)[1:-1]
