"""How good a finished model of a run is: on the run's validation data, without the network."""

from __future__ import annotations

from typing import Protocol

from bayespress import data
from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel
from bayespress.config import DataConfig
from bayespress.history import perplexity
from bayespress.runtime import LanguageModel, TextPredictor, evaluate, evaluate_labels


class Judge(Protocol):
    """Tells the merit of a model.

    Attributes
    ----------
    measure, data
        What it measures, and on what.
    """

    measure: str
    data: str

    def __call__(self, model: CompactModel) -> float:
        """Measure a model: more is better."""

    def shown(self, merit: float) -> str:
        """Write a merit as people know it."""


class AccuracyJudge:
    """Measures classifiers: share of validation texts with the right label."""

    measure = "accuracy"

    def __init__(self, config: DataConfig) -> None:
        self._texts = data.load_split(config, "validation")
        self.data = f"{len(self._texts):,} validation texts"

    def __call__(self, model: CompactModel) -> float:
        """Measure a model: more is better."""
        if not isinstance(model, CompactClassifier):
            raise TypeError("only a classifier has an accuracy")
        return evaluate(TextPredictor(model), self._texts.texts, self._texts.labels).accuracy

    def shown(self, merit: float) -> str:
        """Write it in per cent."""
        return f"{merit:.2%}"


class LabelJudge:
    """Measures classifiers for several labels: F1 over all validation texts and labels."""

    measure = "micro-F1"

    def __init__(self, config: DataConfig) -> None:
        self._texts = data.load_split(config, "validation")
        self.data = f"{len(self._texts):,} validation texts"

    def __call__(self, model: CompactModel) -> float:
        """Measure a model: more is better."""
        if not isinstance(model, CompactClassifier):
            raise TypeError("only a classifier gives labels")
        texts = self._texts
        return evaluate_labels(TextPredictor(model), texts.texts, texts.labels).micro_f1

    def shown(self, merit: float) -> str:
        """Write it with four decimals."""
        return f"{merit:.4f}"


class LikelihoodJudge:
    """Measures language models: minus the nats a token of the validation text."""

    measure = "perplexity"

    def __init__(self, config: DataConfig) -> None:
        self._text = data.load_text_split(config, "validation")
        self.data = f"{len(self._text):,} characters of validation text"

    def __call__(self, model: CompactModel) -> float:
        """Measure a model: more is better."""
        if not isinstance(model, CompactLanguageModel):
            raise TypeError("only a language model has a perplexity")
        return -LanguageModel(model).evaluate(self._text).nll

    def shown(self, merit: float) -> str:
        """Write it as a perplexity."""
        return f"{perplexity(-merit):.2f}"


def judge_of(config: DataConfig) -> Judge:
    """Load a run's validation data.

    Raises
    ------
    DataError, StorageError, MissingExtraError
        If there are none, or they cannot be read.
    """
    if config.task == "lm":
        return LikelihoodJudge(config)
    return AccuracyJudge(config) if config.label_separator is None else LabelJudge(config)
