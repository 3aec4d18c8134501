"""What must hold in every model, whether it is about to be written or was just read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayespress.compact.layout import Sizes, arrays_of
from bayespress.compact.model import CompactClassifier
from bayespress.text import Vocabulary

GATE_ACTIVATIONS = ("hard_sigmoid", "sigmoid")


def first_problem(model: CompactClassifier) -> str | None:
    """Say in a few words what is wrong with a model, or None if all is well."""
    return next(_problems(model), None)


def _problems(model: CompactClassifier) -> Iterator[str]:
    sizes = Sizes.of(model)
    yield from _problems_of_arrays(model, sizes)
    yield from _problems_of_gates(model, sizes)
    yield from _problems_of_labels(model.labels, sizes.outputs)
    if model.encoder.max_length < 1:
        yield f"max_length is {model.encoder.max_length}, but a text has at least one token"
    yield from _problems_of_vocabulary(model.encoder.vocabulary)


def _problems_of_arrays(model: CompactClassifier, sizes: Sizes) -> Iterator[str]:
    shapes = sizes.shapes()
    for name, array in arrays_of(model).items():
        if array.shape != shapes[name]:
            yield f"{name} has shape {array.shape}, but the others ask for {shapes[name]}"
        if array.dtype != np.float32:
            yield f"{name} is {array.dtype}, but must be float32"
        if not np.isfinite(array).all():
            yield f"{name} has values that are not finite"


def _problems_of_gates(model: CompactClassifier, sizes: Sizes) -> Iterator[str]:
    live, activation = model.lstm.live_gates, model.lstm.gate_activation
    if live.size and not 0 <= live.min() <= live.max() < sizes.gates:
        yield f"live_gates leave the range 0 … {sizes.gates - 1}"
    if np.any(live[1:] <= live[:-1]):
        yield "live_gates do not rise"
    if activation not in GATE_ACTIVATIONS:
        yield f"gate_activation is {activation!r}, not one of {', '.join(GATE_ACTIVATIONS)}"


def _problems_of_labels(labels: tuple[str, ...], outputs: int) -> Iterator[str]:
    if outputs < 1:
        yield "there is no output"
    if len(labels) != max(outputs, 2):
        yield f"{len(labels)} labels do not fit outputs of number {outputs}"
    if not all(isinstance(label, str) for label in labels):
        yield "labels are not all text"


def _problems_of_vocabulary(vocabulary: Vocabulary) -> Iterator[str]:
    if not all(isinstance(word, str) and "\n" not in word for word in vocabulary.rows):
        yield "words are not all text without line breaks"
    special = (vocabulary.default, vocabulary.prefix, vocabulary.suffix)
    rows = {*vocabulary.rows.values(), *special} - {None}
    if not all(row is not None and 0 <= row < vocabulary.num_rows for row in rows):
        yield f"the vocabulary leaves the rows 0 … {vocabulary.num_rows - 1}"
