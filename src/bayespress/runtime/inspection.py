"""What a finished model consists of, and what it looks at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayespress.compact import CompactClassifier
from bayespress.runtime.lstm import hard_sigmoid, sigmoid
from bayespress.runtime.predictor import TextPredictor

GATE_NAMES = ("i", "f", "g", "o")


@dataclass(frozen=True)
class WordWeight:
    """A kept word.

    Attributes
    ----------
    word
        The word.
    weight
        Euclidean norm of its vector.
    effect
        For two classes: by how much a text of this word alone raises the log odds of the second
        one, against a word that was pruned. For more: the largest change of a class's logit.
    toward
        The class that it speaks for.
    """

    word: str
    weight: float
    effect: float
    toward: str


@dataclass(frozen=True)
class Inspection:
    """A model in figures; the three ratios are three different numbers, see `info`.

    Attributes
    ----------
    file_bytes
        Size of the file, everything in it.
    size_ratio
        Bytes of the float32 dense model and its vocabulary over `file_bytes`; None if unknown.
    labels
        The classes.
    words
        Kept words, the heaviest first.
    dims, neurons
        Kept embedding dimensions and neurons.
    live_gates
        Gates that are computed, out of ``4 * neurons``.
    gates
        For each neuron, its gates i, f, g, o: the value where constant, None where computed.
    weights
        Weights other than zero in the file.
    info
        What the model was made from: letter code, ratios, counts before and after.
    """

    file_bytes: int
    size_ratio: float | None
    labels: tuple[str, ...]
    words: list[WordWeight]
    dims: int
    neurons: int
    live_gates: int
    gates: list[dict[str, float | None]]
    weights: int
    info: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def inspect(model: CompactClassifier, file_bytes: int) -> Inspection:
    """Describe a model that takes up so many bytes as a file."""
    dense = model.info.get("dense_bytes")
    matrices = (model.embedding, model.lstm.weight_ih, model.lstm.weight_hh, model.output_weight)
    return Inspection(
        file_bytes=file_bytes,
        size_ratio=dense / file_bytes if dense else None,
        labels=model.labels,
        words=_words(model),
        dims=model.embedding.shape[1],
        neurons=model.lstm.hidden_size,
        live_gates=len(model.lstm.live_gates),
        gates=_gates(model),
        weights=sum(int(np.count_nonzero(matrix)) for matrix in matrices),
        info=dict(model.info),
    )


def _words(model: CompactClassifier) -> list[WordWeight]:
    rows = [(row, word) for row, word in enumerate(model.encoder.vocabulary.words) if word]
    ids = [np.array([row], dtype=np.int32) for row, _ in rows]
    silent = np.zeros(1, dtype=np.int32)
    logits = TextPredictor(model).logits([silent, *ids])
    effects = logits[1:] - logits[0]
    if effects.shape[1] == 1:  # log odds: the first class's logit is the constant zero
        effects = np.concatenate([np.zeros_like(effects), effects], axis=1)
    weights = np.linalg.norm(model.embedding, axis=1)
    words = [
        WordWeight(word, float(weights[row - 1]), *_effect(effect, model.labels))
        for (row, word), effect in zip(rows, effects, strict=True)
    ]
    return sorted(words, key=lambda word: (-word.weight, word.word))


def _effect(effect: np.ndarray[Any, np.dtype[np.float32]], labels: tuple[str, ...]) -> Any:
    toward = labels[int(effect.argmax())]
    return (float(effect[1] - effect[0]) if len(labels) == 2 else float(effect.max())), toward


def _gates(model: CompactClassifier) -> list[dict[str, float | None]]:
    neurons = model.lstm.hidden_size
    bias = model.lstm.bias.reshape(len(GATE_NAMES), neurons)
    values = bias.copy()
    (hard_sigmoid if model.lstm.gate_activation == "hard_sigmoid" else sigmoid)(values)
    values[2] = np.tanh(bias[2])
    live = np.zeros(bias.size, dtype=bool)
    live[model.lstm.live_gates] = True
    live = live.reshape(bias.shape)
    return [
        {name: None if live[k, j] else float(values[k, j]) for k, name in enumerate(GATE_NAMES)}
        for j in range(neurons)
    ]
