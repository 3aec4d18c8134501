"""Finished models as plain arrays, and their file."""

from bayespress.compact.file import dumps, load, loads, save
from bayespress.compact.model import CompactClassifier, CompactLSTM

__all__ = ["CompactClassifier", "CompactLSTM", "dumps", "load", "loads", "save"]
