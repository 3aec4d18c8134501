"""What a finished model consists of, and what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel
from bayespress.runtime.predictor import TextPredictor, for_each_class
from bayespress.runtime.structure import Structure, structure_of


@dataclass(frozen=True)
class WordWeight:
    """A kept word of a classifier.

    Attributes
    ----------
    word
        The word.
    weight
        Euclidean norm of its vector.
    effect
        For two classes: by how much a text of this word alone raises the log odds of the second
        one, against a word that was pruned. For more: the largest change of a class's logit. For
        several labels at once: the largest change of a label's log odds, up or down.
    toward
        The class that it speaks for; of several labels at once, the one whose log odds change.
    """

    word: str
    weight: float
    effect: float
    toward: str


@dataclass(frozen=True)
class InputWeight:
    """A token that a language model reads.

    Attributes
    ----------
    word
        The token.
    weight
        Euclidean norm of its column of input weights; not comparable over models.
    """

    word: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class Inspection(Structure):
    """A classifier in figures.

    Attributes
    ----------
    labels
        The classes.
    multi_label
        Whether a text may have several of them, or none.
    words
        Kept words, the heaviest first.
    dims
        Kept embedding dimensions.
    """

    labels: tuple[str, ...]
    multi_label: bool
    words: list[WordWeight]
    dims: int


@dataclass(frozen=True, kw_only=True)
class LanguageInspection(Structure):
    """A language model in figures.

    Attributes
    ----------
    level
        ``word`` or ``char``.
    window
        Tokens of the windows that it was trained on, or None.
    tokens
        How many tokens it can predict.
    words
        The tokens that it reads, the heaviest first.
    """

    level: str
    window: int | None
    tokens: int
    words: list[InputWeight]


@overload
def inspect(model: CompactClassifier, file_bytes: int) -> Inspection: ...
@overload
def inspect(model: CompactLanguageModel, file_bytes: int) -> LanguageInspection: ...
def inspect(model: CompactModel, file_bytes: int) -> Inspection | LanguageInspection:
    """Describe a model that takes up so many bytes as a file."""
    common = structure_of(model, file_bytes)
    if isinstance(model, CompactLanguageModel):
        return LanguageInspection(
            **common,
            level=model.encoder.level,
            window=model.window,
            tokens=len(model.encoder.tokens),
            words=_inputs(model),
        )
    return Inspection(
        **common,
        labels=model.labels,
        multi_label=model.multi_label,
        words=_words(model),
        dims=model.embedding.shape[1],
    )


def _inputs(model: CompactLanguageModel) -> list[InputWeight]:
    weights = np.linalg.norm(model.lstm.weight_ih, axis=0).tolist()
    names = (model.encoder.tokens[number] for number in model.inputs.tolist())
    inputs = [InputWeight(name, weight) for name, weight in zip(names, weights, strict=True)]
    return sorted(inputs, key=lambda token: (-token.weight, token.word))


def _words(model: CompactClassifier) -> list[WordWeight]:
    rows = [(row, word) for row, word in enumerate(model.encoder.vocabulary.words) if word]
    ids = [np.array([row], dtype=np.int32) for row, _ in rows]
    silent = np.zeros(1, dtype=np.int32)
    logits = TextPredictor(model).logits([silent, *ids])
    if not model.multi_label:
        logits = for_each_class(logits)
    effects = logits[1:] - logits[0]
    weights = np.linalg.norm(model.embedding, axis=1)
    words = [
        WordWeight(word, float(weights[row - 1]), *_effect(effect, model))
        for (row, word), effect in zip(rows, effects, strict=True)
    ]
    return sorted(words, key=lambda word: (-word.weight, word.word))


def _effect(effect: NDArray[np.float32], model: CompactClassifier) -> tuple[float, str]:
    """Give a word's effect, and the class that it is about, for changes of all outputs."""
    if model.multi_label:
        most = int(np.abs(effect).argmax())
        return float(effect[most]), model.labels[most]
    best = int(effect.argmax())
    size = effect[1] - effect[0] if len(effect) == 2 else effect[best]
    return float(size), model.labels[best]
