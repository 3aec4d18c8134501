"""Finished models as plain arrays, and their file."""

from bayespress.compact.file import dumps, load, loads, save
from bayespress.compact.model import (
    CompactClassifier,
    CompactLanguageModel,
    CompactLSTM,
    CompactModel,
)

__all__ = [
    "CompactClassifier",
    "CompactLSTM",
    "CompactLanguageModel",
    "CompactModel",
    "dumps",
    "load",
    "loads",
    "save",
]
