"""Whole networks, made of :mod:`bayespress.nn`'s layers."""

from bayespress.models.classifier import TextClassifierNet

__all__ = ["TextClassifierNet"]
