"""How well a finished model does on labelled texts, or on a text to predict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.errors import DataError
from bayespress.runtime.predictor import Answer, TextPredictor

_MAX_EXPONENT = 709.0
"""Beyond, exp() has no finite result."""


@dataclass(frozen=True)
class Evaluation:
    """Figures over labelled texts.

    Attributes
    ----------
    texts
        How many there were.
    accuracy
        Share of texts whose most probable class is their label; 1 is 100 %.
    nll
        Mean negative log probability of the label, in nats.
    classes
        For each class: ``texts`` with this label, ``recall`` and ``precision`` (None where
        undefined).
    """

    texts: int
    accuracy: float
    nll: float
    classes: dict[str, dict[str, float | None]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class LanguageEvaluation:
    """Figures over a text whose tokens a language model predicted.

    Attributes
    ----------
    tokens
        How many tokens were predicted.
    unknown
        How many of the text's tokens the model has no id for: they count as ``<unk>``, or are left
        out where there is none.
    nll
        Mean negative log probability of a token given those before it, in nats.
    perplexity
        ``exp(nll)``; infinite where that is too large for a number.
    bits_per_token
        ``nll / ln 2``: the bits per character of a model of characters.
    level
        ``word`` or ``char``.
    """

    tokens: int
    unknown: int
    nll: float
    perplexity: float
    bits_per_token: float
    level: str

    @classmethod
    def of(cls, nll: NDArray[np.float64], unknown: int, level: str) -> LanguageEvaluation:
        """Work out the figures of each token's negative log probability, shape ``(tokens,)``."""
        mean = float(nll.mean())
        perplexity = math.exp(mean) if mean < _MAX_EXPONENT else math.inf
        return cls(len(nll), unknown, mean, perplexity, mean / math.log(2), level)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def class_numbers(labels: Sequence[Answer], known: Sequence[str]) -> NDArray[np.int64]:
    """Turn labels into class numbers.

    Raises
    ------
    DataError
        If a label is not one of the known ones.
    """
    number: dict[Answer, int] = {label: k for k, label in enumerate(known)}
    strange = next((label for label in labels if label not in number), None)
    if strange is not None:
        raise DataError(
            f"label {strange!r} was not seen in training; the model knows {', '.join(known)}"
        )
    return np.array([number[label] for label in labels], dtype=np.int64)


def evaluate(
    predictor: TextPredictor, texts: Sequence[str], labels: Sequence[Answer]
) -> Evaluation:
    """Compare a model's answers with labels; see :func:`evaluate_labels` where texts have several.

    Raises
    ------
    DataError
        If there are no texts, or the model does not know a label, or gives a text several.
    """
    if predictor.model.multi_label:
        raise DataError("the model gives a text several labels: measure it by evaluate_labels")
    if not texts:
        raise DataError("there is no text to evaluate on")
    expected = class_numbers(labels, predictor.labels)
    probabilities = predictor.predict_proba(texts)
    answers = probabilities.argmax(axis=1)
    of_label = probabilities[np.arange(len(expected)), expected].astype(float)
    return Evaluation(
        texts=len(expected),
        accuracy=float((answers == expected).mean()),
        nll=float(-np.log(np.maximum(of_label, np.finfo(np.float32).tiny)).mean()),
        classes={
            label: _class_figures(answers == k, expected == k)
            for k, label in enumerate(predictor.labels)
        },
    )


def _class_figures(
    answered: NDArray[np.bool_], labelled: NDArray[np.bool_]
) -> dict[str, float | None]:
    right = int((answered & labelled).sum())
    return {
        "texts": int(labelled.sum()),
        "recall": right / int(labelled.sum()) if labelled.any() else None,
        "precision": right / int(answered.sum()) if answered.any() else None,
    }
