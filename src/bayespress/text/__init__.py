"""From raw text to ids: the tokenizer and the vocabulary, the same in training and shipped."""

from bayespress.text.encoder import TextEncoder
from bayespress.text.tokenizer import Tokenizer
from bayespress.text.tokens import TokenEncoder
from bayespress.text.vocabulary import ZERO_ROW, Vocabulary, renumbering

__all__ = ["ZERO_ROW", "TextEncoder", "TokenEncoder", "Tokenizer", "Vocabulary", "renumbering"]
