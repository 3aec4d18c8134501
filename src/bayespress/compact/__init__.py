"""Finished models as plain arrays, and their file."""

from bayespress.compact.file import byte_counts, dumps, load, loads, save
from bayespress.compact.layout import arrays_of, cells_of, layers_of, with_layers
from bayespress.compact.model import (
    CompactCell,
    CompactClassifier,
    CompactGRU,
    CompactLanguageModel,
    CompactLayer,
    CompactLSTM,
    CompactModel,
)
from bayespress.compact.order import by_alphabet
from bayespress.compact.precision import rounded

__all__ = [
    "CompactCell",
    "CompactClassifier",
    "CompactGRU",
    "CompactLSTM",
    "CompactLanguageModel",
    "CompactLayer",
    "CompactModel",
    "arrays_of",
    "by_alphabet",
    "byte_counts",
    "cells_of",
    "dumps",
    "layers_of",
    "load",
    "loads",
    "rounded",
    "save",
    "with_layers",
]
