"""The history of a run: one JSON line per epoch. Tables and reports read nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from bayespress.errors import RunError
from bayespress.storage import parse_object, read_text, write_bytes

Count = tuple[int, int]
_REMEDY = "remove the line"
_OF_SEVERAL_LABELS = ("train_micro_f1", "validation_micro_f1")


@dataclass(frozen=True)
class EpochRecord:
    """What is known after an epoch; counts are (kept, all).

    Attributes
    ----------
    epoch
        From 1.
    seconds
        Wall time of the epoch, evaluation included.
    loss, nll, kl
        Means over the epoch's steps: the objective, its first term (nats), the undivided KL.
    kl_weight, learning_rate
        At the epoch's last step.
    train_accuracy
        With noise, over the epoch; 1 is 100 %, as for all accuracies. None for language models, and
        where texts have several labels.
    validation_accuracy
        Of the pruned network; None where `train_accuracy` is.
    validation_nll
        Of the pruned network, nats a token; None for classifiers.
    train_micro_f1, validation_micro_f1
        Where texts have several labels, F1 over all pairs of a text and a label in place of
        accuracies; None, and not in a file, for all others.
    score
        What the best epoch is chosen by, see ``compression_worth``.
    words, dims, neurons, gates, paper, weights, groups
        What stays, see :class:`bayespress.compression.Statistics`, as for the ratios. Language
        models have no dims.
    compression_ratio, stored_compression_ratio, dense_ratio
        Three different numbers.
    """

    epoch: int
    seconds: float
    loss: float
    nll: float
    kl: float
    kl_weight: float
    learning_rate: float
    train_accuracy: float | None
    validation_accuracy: float | None
    score: float
    words: Count
    dims: Count | None
    neurons: Count
    gates: Count
    paper: dict[str, Count | None]
    weights: dict[str, Count]
    groups: dict[str, Count]
    compression_ratio: float
    stored_compression_ratio: float
    dense_ratio: float
    validation_nll: float | None = None
    train_micro_f1: float | None = None
    validation_micro_f1: float | None = None

    @property
    def validation_perplexity(self) -> float | None:
        """Of a language model: exp of the negative log likelihood."""
        return None if self.validation_nll is None else perplexity(self.validation_nll)

    @property
    def validation_bits(self) -> float | None:
        """Of a language model: negative log likelihood in bits a token."""
        return None if self.validation_nll is None else self.validation_nll / math.log(2)

    def to_line(self) -> str:
        """Return the record as a line of JSON, its end included."""
        values = asdict(self)
        for name in _OF_SEVERAL_LABELS:
            if values[name] is None:
                del values[name]
        return json.dumps(values) + "\n"

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EpochRecord:
        """Make a record of parsed JSON.

        Raises
        ------
        KeyError
            If a key is missing.
        TypeError
            If a value is of another type.
        """
        known = {**dict.fromkeys((*_OF_SEVERAL_LABELS, "validation_nll")), **values}
        for field in fields(cls):
            if not _fits(known[field.name], str(field.type)):
                raise TypeError(f"{field.name!r} is not of type {field.type}")
        return cls(**{field.name: _tuples(known[field.name]) for field in fields(cls)})


def _fits(value: Any, kind: str) -> bool:
    """Tell whether a value of JSON is of a field's type."""
    if value is None:
        return kind.endswith("| None")
    if kind.startswith("dict"):
        inner = kind.removeprefix("dict[str, ").removesuffix("]")
        return isinstance(value, dict) and all(_fits(one, inner) for one in value.values())
    if kind.startswith("Count"):
        is_pair = isinstance(value, (list, tuple)) and len(value) == 2
        return is_pair and all(_fits(number, "int") for number in value)
    # Not isinstance(): True is an int.
    return type(value) is int or (type(value) is float and kind.startswith("float"))


def perplexity(nll: float) -> float:
    """Exponentiate nats a token; infinite where that is too large for a number.

    Examples
    --------
    >>> perplexity(0.0), perplexity(1000.0)
    (1.0, inf)
    """
    try:
        return math.exp(nll)
    except OverflowError:
        return math.inf


def _tuples(value: Any) -> Any:
    """Turn lists, which JSON makes of counts, into tuples again."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


def read_history(path: Path) -> list[EpochRecord]:
    """Read a history; one that does not exist is empty.

    Raises
    ------
    RunError
        If it is not UTF-8, or a line is not a record.
    """
    return list(_records(path)) if path.exists() else []


def _records(path: Path) -> Iterator[EpochRecord]:
    for number, line in enumerate(read_text(path, _REMEDY).splitlines(), 1):
        try:
            yield EpochRecord.from_dict(parse_object(line))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{path}, line {number} is not an epoch's record ({error!r}); {_REMEDY}"
            ) from None


def read_result(path: Path) -> dict[str, Any]:
    """Read the figures of a finished run.

    Raises
    ------
    RunError
        If they are no JSON object.
    """
    remedy = f"remove it, and write it anew with 'bayespress train --resume --output {path.parent}'"
    try:
        return parse_object(read_text(path, remedy))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); {remedy}") from None


def write_history(path: Path, records: Sequence[EpochRecord]) -> None:
    """Write a history atomically.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    write_bytes(path, "".join(record.to_line() for record in records).encode())
