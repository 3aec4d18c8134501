"""How each word of a text moved the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactClassifier
from bayespress.compact.model import FloatArray
from bayespress.errors import ConfigError
from bayespress.runtime.predictor import (
    TextPredictor,
    for_each_class,
    labels_in,
    probabilities,
)


@dataclass(frozen=True)
class WordEffect:
    """A word of a text.

    Attributes
    ----------
    token
        The word as the model looks it up, that is lowercased where the model does so.
    start, end
        ``text[start:end]`` became the token.
    read
        Whether the network takes a step for it: it is among the first `max_length` and not left
        out, as the papers' preprocessing does with rare words.
    kept
        Whether the network has a vector for it; pruned and unknown words are the zero vector.
    effect
        By how much it raised the log odds of the class, 0 if it is not read. A step with the zero
        vector moves the state too.
    probability
        Of the class, once the text up to this word is read.
    """

    token: str
    start: int
    end: int
    read: bool
    kept: bool
    effect: float
    probability: float


@dataclass(frozen=True)
class Explanation:
    """What a classifier answers to a text, and how it came to the answer, word by word.

    Attributes
    ----------
    label
        The most probable class.
    probability
        Its probability.
    given
        What the text is given, and how probable that is: the most probable class; of a model for
        several labels at once all that have a probability of at least 0.5, the most probable one
        first, or none.
    explained
        The class that all that follows is about.
    start
        Its log odds before the first word.
    final
        Its log odds at the end: `start` and the effects of all words, up to rounding.
    words
        All words of the text in their order.
    """

    label: str
    probability: float
    given: Mapping[str, float]
    explained: str
    start: float
    final: float
    words: tuple[WordEffect, ...]


def explain(predictor: TextPredictor, text: str, label: str | None = None) -> Explanation:
    r"""Tell how each word of a text moved the log odds of a class.

    After each step t the output layer is applied to the state, as if the text ended there, which
    gives a logit :math:`s_{t,k}` for each class. The log odds of class k, and the effect of the
    word read in step t, are

    .. math::

        o_t = s_{t,k} - \log \sum_{j \ne k} e^{s_{t,j}}, \quad e_t = o_t - o_{t-1}

    Of a model for several labels at once each logit is the log odds of its own label,
    :math:`o_t = s_{t,k}`: one label's effects say nothing of another's.

    A cell that reads backwards begins anew at each end, and a mean or maximum over the tokens has
    one more of them after each: a word's effect is always that of the longer text against the
    shorter one.

    A token that the model reads before the first word is in `start`. One that it reads behind the
    last word counts with that word, or is in `start` where no word is read. An exported JavaScript
    module gives the same effects.

    Parameters
    ----------
    predictor
        The model.
    text
        A raw text.
    label
        The class to explain; the most probable one if None.

    Raises
    ------
    ConfigError
        If the model has no such class.
    """
    model = predictor.model
    logits = predictor.trajectory(model.encoder.encode(text))
    shares = probabilities(model, logits[-1:])[0]
    best = int(shares.argmax())
    subject = best if label is None else _number_of(label, model)
    words = _words(model, text)
    read = np.array([is_read for *_, is_read, _ in words], dtype=bool)
    odds = _at_words(_odds_of(model, logits, subject), int(read.sum()), model)
    return Explanation(
        label=model.labels[best],
        probability=float(shares[best]),
        given=_given(model, shares),
        explained=model.labels[subject],
        start=float(odds[0]),
        final=float(odds[-1]),
        words=_effects(words, odds, np.cumsum(read)),
    )


def log_odds(logits: FloatArray, label: int) -> NDArray[np.float64]:
    r"""Give the log odds of a class: :math:`s_k - \log \sum_{j \ne k} e^{s_j}`.

    Parameters
    ----------
    logits
        A logit for each class, shape ``(N, classes)``.
    label
        Number of the class.

    Returns
    -------
    ndarray
        Shape ``(N,)``.
    """
    scores = logits.astype(np.float64)
    others = np.delete(scores, label, axis=1)
    most = others.max(axis=1)
    sums: NDArray[np.float64] = np.exp(others - most[:, None]).sum(axis=1)
    odds: NDArray[np.float64] = scores[:, label] - most - np.log(sums)
    return odds


def _odds_of(model: CompactClassifier, logits: FloatArray, label: int) -> NDArray[np.float64]:
    """Give the log odds of a label for outputs of a model."""
    if model.multi_label:
        return logits[:, label].astype(np.float64)
    return log_odds(for_each_class(logits), label)


def _given(model: CompactClassifier, shares: FloatArray) -> Mapping[str, float]:
    """Name what a text is given, by falling probability."""
    chosen = labels_in(shares) if model.multi_label else [int(shares.argmax())]
    return {model.labels[k]: float(shares[k]) for k in chosen}


def probability_of(odds: float) -> float:
    r"""Turn log odds into a probability, :math:`1 / (1 + e^{-o})`, without overflow.

    Examples
    --------
    >>> probability_of(0), probability_of(-1e4), probability_of(1e4)
    (0.5, 0.0, 1.0)
    """
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))


def _number_of(label: str, model: CompactClassifier) -> int:
    if label not in model.labels:
        raise ConfigError(f"there is no class {label!r}: name one of {', '.join(model.labels)}")
    return model.labels.index(label)


_Word = tuple[str, int, int, bool, bool]
"""The first five attributes of :class:`WordEffect`."""


def _words(model: CompactClassifier, text: str) -> list[_Word]:
    encoder = model.encoder
    vocabulary = encoder.vocabulary
    room = encoder.max_length - (vocabulary.prefix is not None)
    words = []
    for token, start, end in encoder.tokenizer.spans(text):
        row = vocabulary.rows.get(token, vocabulary.default)
        is_read = row is not None and room > 0
        room -= is_read
        words.append((token, start, end, is_read, bool(row)))
    return words


def _at_words(
    odds: NDArray[np.float64], count: int, model: CompactClassifier
) -> NDArray[np.float64]:
    """Choose the log odds before the first of so many words and after each, shape (count + 1,)."""
    first = int(model.encoder.vocabulary.prefix is not None)
    return np.append(odds[first : first + count], odds[-1])


def _effects(
    words: list[_Word], odds: NDArray[np.float64], steps: NDArray[np.intp]
) -> tuple[WordEffect, ...]:
    """Put words and figures together.

    Parameters
    ----------
    words
        All words of a text.
    odds
        Log odds before the first word that is read and after each, shape ``(read + 1,)``.
    steps
        How many words are read up to each word, itself included, shape ``(words,)``.
    """
    after = odds[steps]
    effects = np.diff(after, prepend=odds[:1]).tolist()
    return tuple(
        WordEffect(*word, effect, probability_of(now))
        for word, effect, now in zip(words, effects, after.tolist(), strict=True)
    )
