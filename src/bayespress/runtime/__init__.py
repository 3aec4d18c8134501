"""Finished models at work, with numpy alone."""

from bayespress.runtime.evaluation import Evaluation, LanguageEvaluation, class_numbers, evaluate
from bayespress.runtime.explain import Explanation, WordEffect, explain
from bayespress.runtime.inspection import Inspection, LanguageInspection, inspect
from bayespress.runtime.labels import LabelEvaluation, evaluate_labels, label_matrix
from bayespress.runtime.language import LanguageModel
from bayespress.runtime.loading import load, load_classifier, load_language_model, ready
from bayespress.runtime.lstm import LSTMState, NumpyLSTM
from bayespress.runtime.predictor import TextPredictor

__all__ = [
    "Evaluation",
    "Explanation",
    "Inspection",
    "LSTMState",
    "LabelEvaluation",
    "LanguageEvaluation",
    "LanguageInspection",
    "LanguageModel",
    "NumpyLSTM",
    "TextPredictor",
    "WordEffect",
    "class_numbers",
    "evaluate",
    "evaluate_labels",
    "explain",
    "inspect",
    "label_matrix",
    "load",
    "load_classifier",
    "load_language_model",
    "ready",
]
