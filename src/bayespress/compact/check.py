"""What must hold in every model, whether it is about to be written or was just read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.layout import CELLS, Sizes, arrays_of
from bayespress.compact.model import CompactCell, CompactClassifier, CompactModel
from bayespress.text import TokenEncoder, Vocabulary

GATE_ACTIVATIONS = ("hard_sigmoid", "sigmoid")
LEVELS = ("word", "char")
TOKENIZERS = ("words", "spaces")
MAX_WINDOW = 2**31 - 1
POOLINGS = ("last", "mean", "max")
MAX_LAYERS = 64
LARGEST_BITS = 50
"""Of a number: its products with another one can be added 2 ** 27 times in single precision."""
MAX_DEPTH = 32
"""Of what `info` holds."""


def problems_of_arrays(model: CompactModel) -> Iterator[str]:
    """Look at shapes, types and values."""
    shapes = Sizes.of(model).shapes()
    for name, array in arrays_of(model).items():
        if array.shape != shapes[name]:
            yield f"{name} has shape {array.shape}, but the others ask for {shapes[name]}"
        if array.dtype != np.float32:
            yield f"{name} is {array.dtype}, but must be float32"
        largest = np.abs(array).max(initial=0)
        if not np.isfinite(largest):
            yield f"{name} has values that are not finite"
        elif largest > 2**LARGEST_BITS:
            yield f"{name} has values beyond 2 ** {LARGEST_BITS}, whose products may overflow"


def problems_of_layers(model: CompactClassifier) -> Iterator[str]:
    """Look whether a classifier's layers can be written: their number, and what cells they have."""
    if not 0 < len(model.layers) <= MAX_LAYERS:
        yield f"there are {len(model.layers)} layers, not 1 … {MAX_LAYERS}"
    elif len({len(layer) for layer in model.layers} | {1, 2}) > 2:
        yield "a layer has neither one cell nor two"
    elif not all(type(cell) in CELLS.values() for layer in model.layers for cell in layer):
        yield f"a cell is not one of {', '.join(kind.__name__ for kind in CELLS.values())}"
    elif len({(type(cell), cell.gate_activation) for la in model.layers for cell in la}) > 1:
        yield "cells are not all of one kind with one activation"
    yield from _problems_of_choice("pooling", model.pooling, POOLINGS)


def problems_of_gates(cell: CompactCell, end: str = "") -> Iterator[str]:
    """Look at the numbers of the live gates, and at the activation; names have this end."""
    yield from problems_of_numbers(f"live_gates{end}", cell.live_gates, len(cell.bias))
    yield from _problems_of_choice("gate_activation", cell.gate_activation, GATE_ACTIVATIONS)


def problems_of_numbers(name: str, numbers: NDArray[np.int64], count: int) -> Iterator[str]:
    """Look whether numbers rise within ``0 … count - 1``."""
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        yield f"{name} leave the range 0 … {count - 1}"
    if np.any(numbers[1:] <= numbers[:-1]):
        yield f"{name} do not rise"


def problems_of_info(info: Any) -> Iterator[str]:
    """Look how deep further information is nested: what is read must be fit to be written."""
    if _is_deeper(info, MAX_DEPTH):
        yield f"info is nested deeper than {MAX_DEPTH} levels"


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (Mapping, list, tuple)):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def problems_of_labels(model: CompactClassifier) -> Iterator[str]:
    """Look at the names of the classes."""
    labels, outputs = model.labels, len(model.output_bias)
    if outputs < 1:
        yield "there is no output"
    if len(labels) != (outputs if model.multi_label else max(outputs, 2)):
        yield f"{len(labels)} labels do not fit outputs of number {outputs}"
    if not all(isinstance(label, str) for label in labels):
        yield "labels are not all text"


def problems_of_vocabulary(vocabulary: Vocabulary) -> Iterator[str]:
    """Look at a classifier's words and their rows."""
    if not all(isinstance(word, str) and "\n" not in word for word in vocabulary.rows):
        yield "words are not all text without line breaks"
    special = (vocabulary.default, vocabulary.prefix, vocabulary.suffix)
    rows = {*vocabulary.rows.values(), *special} - {None}
    if not all(row is not None and 0 <= row < vocabulary.num_rows for row in rows):
        yield f"the vocabulary leaves the rows 0 … {vocabulary.num_rows - 1}"


def problems_of_tokens(encoder: TokenEncoder) -> Iterator[str]:
    """Look at a language model's tokens, and at how they are found in a text."""
    yield from _problems_of_choice("level", encoder.level, LEVELS)
    yield from _problems_of_choice("tokenizer", encoder.tokenizer, TOKENIZERS)
    tokens = encoder.tokens
    if not tokens:
        yield "there is no token"
    if not all(isinstance(token, str) for token in tokens):
        yield "tokens are not all text"
    elif len(set(tokens)) != len(tokens):
        yield "a token stands there twice"
    elif encoder.level == "char" and not all(len(token) == 1 for token in tokens):
        yield "tokens of the level char are not all one character"
    elif encoder.level == "word" and not all(token.split() == [token] for token in tokens):
        yield "tokens of the level word are not all without white space"


def problems_of_window(window: int | None) -> Iterator[str]:
    """Look at the number of tokens of a window."""
    if window is not None and not 2 <= window <= MAX_WINDOW:
        yield f"window is {window}, but must be between 2 and {MAX_WINDOW}"


def _problems_of_choice(name: str, value: str, choices: tuple[str, ...]) -> Iterator[str]:
    if value not in choices:
        yield f"{name} is {value!r}, not one of {', '.join(choices)}"
