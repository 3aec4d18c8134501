"""From the name of a source to labelled texts or plain text, split for training and testing."""

from bayespress.data.loading import load, load_split, source_defaults
from bayespress.data.model import LabelledTexts, Splits, TextSplits
from bayespress.data.plain_loading import load_text, load_text_split
from bayespress.data.sources import is_at_hand

__all__ = [
    "LabelledTexts",
    "Splits",
    "TextSplits",
    "is_at_hand",
    "load",
    "load_split",
    "load_text",
    "load_text_split",
    "source_defaults",
]
