"""Whole networks, made of :mod:`bayespress.nn`'s layers."""

from bayespress.models.classifier import TextClassifierNet
from bayespress.models.language import LanguageModelNet

__all__ = ["LanguageModelNet", "TextClassifierNet"]
