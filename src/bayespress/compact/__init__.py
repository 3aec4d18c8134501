"""Finished models as plain arrays, and their file."""

from bayespress.compact.model import CompactClassifier, CompactLSTM

__all__ = ["CompactClassifier", "CompactLSTM"]
