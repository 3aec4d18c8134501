"""Finished models at work, with numpy alone."""

from bayespress.runtime.evaluation import Evaluation, class_numbers, evaluate
from bayespress.runtime.inspection import Inspection, inspect
from bayespress.runtime.lstm import NumpyLSTM
from bayespress.runtime.predictor import TextPredictor, load

__all__ = [
    "Evaluation",
    "Inspection",
    "NumpyLSTM",
    "TextPredictor",
    "class_numbers",
    "evaluate",
    "inspect",
    "load",
]
