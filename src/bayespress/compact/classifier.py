"""A classifier's part of the file: its header, its words and what must hold in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import check
from bayespress.compact.bits import ByteReader
from bayespress.compact.header import Fields
from bayespress.compact.kind import CellFrames, Kind, live_flags, read_arrays
from bayespress.compact.layout import CELLS, DamageError, Sizes, cells_of
from bayespress.compact.model import CompactCell, CompactClassifier
from bayespress.text import TextEncoder, Tokenizer, Vocabulary


class ClassifierKind(Kind[CompactClassifier]):
    """The kind whose files do not name one."""

    def text(self, model: CompactClassifier) -> tuple[dict[str, Any], Sequence[str]]:
        """Give the fields, and words by rising row, those of one row by the alphabet."""
        encoder, vocabulary, sizes = model.encoder, model.encoder.vocabulary, Sizes.of(model)
        # Words of one row in the order of the alphabet: equal models give equal files, smaller
        # ones.
        words = sorted(vocabulary.rows, key=lambda word: (vocabulary.rows[word], word))
        fields = {
            "lowercase": encoder.tokenizer.lowercase,
            "max_length": encoder.max_length,
            "default": vocabulary.default,
            "prefix": vocabulary.prefix,
            "suffix": vocabulary.suffix,
            "rows": sizes.rows,
            "input": sizes.input,
            **_network_fields(model),
            "outputs": sizes.outputs,
            "gate_activation": model.layers[0][0].gate_activation,
            "labels": model.labels,
            "info": dict(model.info),
            "word_rows": _to_runs([vocabulary.rows[word] for word in words]),
        }
        return fields, words

    def flags(self, model: CompactClassifier) -> Sequence[NDArray[np.bool_]]:
        """Give the live gates of each cell."""
        return [live_flags(cell) for _, cell in cells_of(model)]

    def problems(self, model: CompactClassifier) -> Iterator[str]:
        """Look at the network, its arrays and gates, the labels and words."""
        yield from check.problems_of_layers(model)
        yield from check.problems_of_arrays(model)
        for end, cell in cells_of(model):
            yield from check.problems_of_gates(cell, end)
        yield from check.problems_of_labels(model)
        if model.encoder.max_length < 1:
            yield f"max_length is {model.encoder.max_length}, but a text has at least one token"
        yield from check.problems_of_vocabulary(model.encoder.vocabulary)

    def read(self, fields: Fields, words: Sequence[str], reader: ByteReader) -> CompactClassifier:
        """Make the classifier; see :meth:`Kind.read`."""
        encoder, labels = _read_encoder(fields, words), fields.get("labels", list)
        if not all(isinstance(label, str) for label in labels):
            raise DamageError("its labels are not all text")
        kind, hidden = _read_network(fields)
        outputs, dims = fields.size("outputs"), fields.size("input")
        info, activation = fields.get("info", dict), fields.get("gate_activation", str)
        cells = CellFrames.read(reader, kind, activation, hidden)
        rows = encoder.vocabulary.num_rows - 1
        arrays = read_arrays(reader, Sizes(rows, dims, cells.sizes, outputs))
        return CompactClassifier(
            encoder=encoder,
            embedding=arrays["embedding"],
            layers=cells.filled(arrays),
            output_weight=arrays["output_weight"],
            output_bias=arrays["output_bias"],
            labels=tuple(labels),
            pooling=fields.get("pooling", str) if "pooling" in fields else "last",
            multi_label=fields.get("multi_label", bool) if "multi_label" in fields else False,
            info=info,
        )


def _network_fields(model: CompactClassifier) -> dict[str, Any]:
    """Describe the network; what the papers' network has goes without saying."""
    hidden = [[cell.hidden_size for cell in layer] for layer in model.layers]
    fields: dict[str, Any] = (
        {"hidden": hidden[0][0]} if len(hidden) == len(hidden[0]) == 1 else {"layers": hidden}
    )
    if model.layers[0][0].name != "lstm":
        fields["cell"] = model.layers[0][0].name
    if model.pooling != "last":
        fields["pooling"] = model.pooling
    return {**fields, "multi_label": True} if model.multi_label else fields


def _read_network(fields: Fields) -> tuple[type[CompactCell], list[list[int]]]:
    """Read the kind of the cells, and the neurons of each."""
    name = fields.get("cell", str) if "cell" in fields else "lstm"
    if name not in CELLS:
        raise DamageError("its kind of cell is unknown")
    if "layers" not in fields:
        return CELLS[name], [[fields.size("hidden")]]
    layers = fields.get("layers", list)
    if not 0 < len(layers) <= check.MAX_LAYERS:
        raise DamageError(f"it has {len(layers)} layers")
    if not all(isinstance(layer, list) and 0 < len(layer) <= 2 for layer in layers):
        raise DamageError("a layer has neither one cell nor two")
    return CELLS[name], [[fields.checked_size("layers", size) for size in la] for la in layers]


def _read_encoder(fields: Fields, words: Sequence[str]) -> TextEncoder:
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
