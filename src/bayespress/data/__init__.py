"""From the name of a source to labelled texts, split into training, validation and test data."""

from bayespress.data.loading import load, load_split, source_defaults
from bayespress.data.model import LabelledTexts, Splits

__all__ = ["LabelledTexts", "Splits", "load", "load_split", "source_defaults"]
