"""The text part of a model file: one line of JSON, then one word a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import numpy as np

from bayespress.compact.layout import DamageError, Sizes
from bayespress.compact.model import CompactClassifier
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

T = TypeVar("T")


@dataclass(frozen=True)
class Header:
    """Everything of a model but its arrays; `input`, `hidden` and `outputs` are their sizes."""

    encoder: TextEncoder
    input: int
    hidden: int
    outputs: int
    gate_activation: str
    labels: tuple[str, ...]
    info: Mapping[str, Any]

    @property
    def rows(self) -> int:
        """Rows of the embedding, the zero row left out."""
        return self.encoder.vocabulary.num_rows - 1


def write_header(model: CompactClassifier) -> str:
    """Put everything of a model but its arrays into a text.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If `info` is not made of JSON types.
    """
    encoder, vocabulary, sizes = model.encoder, model.encoder.vocabulary, Sizes.of(model)
    # Words of one row in the order of the alphabet: equal models give equal files, smaller ones.
    words = sorted(vocabulary.rows, key=lambda word: (vocabulary.rows[word], word))
    fields = {
        "lowercase": encoder.tokenizer.lowercase,
        "max_length": encoder.max_length,
        "default": vocabulary.default,
        "prefix": vocabulary.prefix,
        "suffix": vocabulary.suffix,
        "rows": sizes.rows,
        "input": sizes.input,
        "hidden": sizes.hidden,
        "outputs": sizes.outputs,
        "gate_activation": model.lstm.gate_activation,
        "labels": model.labels,
        "info": dict(model.info),
        "word_rows": _to_runs([vocabulary.rows[word] for word in words]),
    }
    line = json.dumps(fields, separators=(",", ":"), allow_nan=False)
    return "\n".join([line, *words])


def read_header(text: str, max_size: int) -> Header:
    """Read what :func:`write_header` wrote; no size may exceed `max_size`.

    Raises
    ------
    DamageError
        If the JSON is not JSON, fields are missing, of another type or
        out of range, or words do not fit.
    """
    line, *words = text.split("\n")
    fields = _Fields(_parse_json(line), max_size)
    labels = fields.get("labels", list)
    if not all(isinstance(label, str) for label in labels):
        raise DamageError("its labels are not all text")
    return Header(
        encoder=_read_encoder(fields, words),
        input=fields.size("input"),
        hidden=fields.size("hidden"),
        outputs=fields.size("outputs"),
        gate_activation=fields.get("gate_activation", str),
        labels=tuple(labels),
        info=fields.get("info", dict),
    )


def _read_encoder(fields: _Fields, words: Sequence[str]) -> TextEncoder:
    last = fields.size("rows")
    word_rows = _from_runs(fields.get("word_rows", list), len(words), last)
    rows = dict(zip(words, word_rows, strict=True))
    if len(rows) != len(words):
        raise DamageError("a word stands there twice")
    vocabulary = Vocabulary(
        MappingProxyType(rows),
        last + 1,
        default=fields.row("default"),
        prefix=fields.row("prefix"),
        suffix=fields.row("suffix"),
    )
    tokenizer = Tokenizer(fields.get("lowercase", bool))
    return TextEncoder(tokenizer, vocabulary, fields.get("max_length", int))


class _Fields:
    """The JSON object, read with types: what it claims is not to be trusted."""

    def __init__(self, fields: dict[str, Any], max_size: int) -> None:
        self._fields, self._max_size = fields, max_size

    def get(self, key: str, kind: type[T]) -> T:
        value = self._fields.get(key)
        # Not isinstance(): True is an int.
        if type(value) is not kind:
            raise DamageError(f"{key!r} is not of type {kind.__name__}")
        return value

    def size(self, key: str) -> int:
        if not 0 <= (value := self.get(key, int)) <= self._max_size:
            raise DamageError(f"{key!r} is negative or more than the file can hold")
        return value

    def row(self, key: str) -> int | None:
        return None if self._fields.get(key, 0) is None else self.size(key)


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


def _to_runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Write rising rows as steps from the row before, equal steps together: ``[step, count]``."""
    steps = (after - before for before, after in pairwise([0, *rows]))
    return [(step, len(list(run))) for step, run in groupby(steps)]


def _from_runs(runs: list[Any], words: int, last: int) -> list[int]:
    if not all(_is_run(run) for run in runs):
        raise DamageError("'word_rows' is not made of pairs of numbers")
    # Sums of Python's own integers, which cannot overflow, before any array is made.
    if sum(count for _, count in runs) != words:
        raise DamageError("'word_rows' does not fit the number of words")
    if sum(step * count for step, count in runs) > last:
        raise DamageError("a word has a row behind the last one")
    steps, counts = np.array(runs, np.int64).reshape(-1, 2).T
    rows: list[int] = np.repeat(steps, counts).cumsum().tolist()
    return rows


def _is_run(run: Any) -> bool:
    if not isinstance(run, list) or [type(number) for number in run] != [int, int]:
        return False
    return bool(run[0] >= 0 and run[1] > 0)
