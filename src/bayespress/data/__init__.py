"""From the name of a source to labelled texts or plain text, split for training and testing."""

from bayespress.data.loading import load, load_split, source_defaults
from bayespress.data.model import LabelledTexts, Splits, TextSplits
from bayespress.data.plain_loading import load_text, load_text_split

__all__ = [
    "LabelledTexts",
    "Splits",
    "TextSplits",
    "load",
    "load_split",
    "load_text",
    "load_text_split",
    "source_defaults",
]
