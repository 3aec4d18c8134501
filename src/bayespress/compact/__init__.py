"""Finished models as plain arrays, and their file."""

from bayespress.compact.file import byte_counts, dumps, load, loads, save
from bayespress.compact.layout import arrays_of
from bayespress.compact.model import (
    CompactClassifier,
    CompactLanguageModel,
    CompactLSTM,
    CompactModel,
)
from bayespress.compact.order import by_alphabet
from bayespress.compact.precision import rounded

__all__ = [
    "CompactClassifier",
    "CompactLSTM",
    "CompactLanguageModel",
    "CompactModel",
    "arrays_of",
    "by_alphabet",
    "byte_counts",
    "dumps",
    "load",
    "loads",
    "rounded",
    "save",
]
