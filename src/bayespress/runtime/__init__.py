"""Finished models at work, with numpy alone."""

from bayespress.runtime.lstm import NumpyLSTM
from bayespress.runtime.predictor import TextPredictor, load

__all__ = ["NumpyLSTM", "TextPredictor", "load"]
