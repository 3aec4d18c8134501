"""From raw texts to class probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactClassifier, arrays_of
from bayespress.compact.model import FloatArray
from bayespress.errors import DataError
from bayespress.runtime.network import NumpyNetwork, Tables

Answer = str | tuple[str, ...]
"""What a text is given: its class, or of a model for several labels all those that it has."""

_GIVEN = 0.5
"""From this probability on a text is given a label, where it may have several."""
_CHUNK = 512
_MAX_TABLE, _SMALL_TABLE, _MAX_SHARE = 2**27, 2**22, 16
"""Numbers in a table of all words' projections, at most: so many, and beyond a few no more than so
many times those of the model, for a small file may name many words. Otherwise only the words of a
chunk are projected."""


class Predictor(ABC):
    """What every classifier that is ready to use offers, however it works.

    Attributes
    ----------
    model
        The model that it runs.
    """

    model: CompactClassifier

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.model.labels

    def predict(self, texts: Sequence[str]) -> list[Any]:
        """Name the most probable class of each text.

        Parameters
        ----------
        texts
            Raw texts.

        Returns
        -------
        list of str
            The class of each text. Of a model for several labels at once a tuple for each text: all
            labels with a probability of at least 0.5, the most probable one first, or none.
        """
        shares = self.predict_proba(texts)
        if self.model.multi_label:
            return [tuple(self.labels[k] for k in labels_in(row)) for row in shares]
        return [self.labels[best] for best in shares.argmax(axis=1).tolist()]

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Give each text's class probabilities.

        Parameters
        ----------
        texts
            Raw texts.

        Returns
        -------
        ndarray
            Probabilities in the order of `labels`, shape ``(N, number of labels)``.

        Raises
        ------
        TypeError
            If `texts` is a single string.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a list of strings, got one string: write [text]")
        return self._probabilities(texts)

    @abstractmethod
    def predict_proba_of_ids(self, ids: Sequence[NDArray[np.int32]]) -> FloatArray:
        """Give the class probabilities of texts that the model's encoder has encoded.

        Parameters
        ----------
        ids
            Encoded texts of any lengths, each of shape ``(length,)``; they are read to their end.

        Returns
        -------
        ndarray
            Probabilities in the order of `labels`, shape ``(N, number of labels)``.

        Raises
        ------
        DataError
            If an id is negative, or has no vector.
        """

    @abstractmethod
    def _probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Give what :meth:`predict_proba` promises, for a list of texts."""

    def _strange_id(self, ids: Sequence[NDArray[np.int32]]) -> DataError:
        """Say which id the model has no vector for."""
        last = len(self.model.embedding)
        strange = next(
            (text, number)
            for text, numbers in enumerate(ids)
            for number in numbers.tolist()
            if not 0 <= number <= last
        )
        return DataError(
            f"ids must be from 0 to {last}, got {strange[1]} in text {strange[0]}: "
            "encode texts with this model's encoder"
        )


class TextPredictor(Predictor):
    r"""A model that is ready to use.

    Parameters
    ----------
    model
        The model, as :func:`bayespress.compact.load` reads it.

    Notes
    -----
    Logits are :math:`W_{out} p + b_{out}` with the pooled states p: of the papers' network the last
    state :math:`h_T`; zero for a text without tokens. Texts are sorted by length and read in
    chunks, so that those that have ended drop out of the loop; a prediction depends on the other
    texts by rounding alone.
    """

    def __init__(self, model: CompactClassifier) -> None:
        self.model = model
        self._network = NumpyNetwork(model)
        zero = np.zeros((1, model.embedding.shape[1]), np.float32)
        self._vectors = np.concatenate([zero, model.embedding])
        live = sum(len(cell.live_gates) for cell in model.layers[0])
        most = _MAX_SHARE * sum(array.size for array in arrays_of(model).values())
        is_small = len(self._vectors) * live <= min(_MAX_TABLE, max(_SMALL_TABLE, most))
        self._tables = self._network.project(self._vectors) if is_small else None

    def predict_proba_of_ids(  # noqa: D102 - the base class says it
        self, ids: Sequence[NDArray[np.int32]]
    ) -> FloatArray:
        every = np.concatenate([np.zeros(1, np.int32), *ids])
        if every.min() < 0 or every.max() >= len(self._vectors):
            raise self._strange_id(ids)
        return probabilities(self.model, self.logits(ids))

    def _probabilities(self, texts: Sequence[str]) -> FloatArray:
        logits = self.logits([self.model.encoder.encode(text) for text in texts])
        return probabilities(self.model, logits)

    def logits(self, ids: Sequence[NDArray[np.int32]]) -> FloatArray:
        """Give the outputs of the network.

        Parameters
        ----------
        ids
            Encoded texts of any lengths, each of shape ``(length,)``.

        Returns
        -------
        ndarray
            Outputs before softmax or sigmoid, shape ``(N, outputs)``.
        """
        order = np.argsort([-len(text) for text in ids], kind="stable")
        result = np.empty((len(ids), len(self.model.output_bias)), np.float32)
        for start in range(0, len(ids), _CHUNK):
            chunk = order[start : start + _CHUNK]
            result[chunk] = self._logits_of_chunk([ids[text] for text in chunk.tolist()])
        return result

    def trajectory(self, ids: NDArray[np.int32]) -> FloatArray:
        """Give what the network would put out if a text ended earlier.

        Parameters
        ----------
        ids
            An encoded text, shape ``(length,)``.

        Returns
        -------
        ndarray
            Outputs before the first step and after each, shape ``(length + 1, outputs)``.
        """
        if self.model.is_plain:
            return self._network.trajectory(*self._lookup(ids))
        # A cell that reads backwards begins anew at each end.
        return self.logits([ids[:end] for end in range(len(ids) + 1)])

    def _logits_of_chunk(self, ids: Sequence[NDArray[np.int32]]) -> FloatArray:
        """Give the outputs for texts of falling length."""
        tables, rows = self._lookup(np.concatenate(ids))
        return self._network.logits(tables, rows, np.array([len(text) for text in ids]))

    def _lookup(self, ids: NDArray[np.integer]) -> tuple[Tables, NDArray[np.integer]]:
        """Give tables of projected words, and the row of each id in them."""
        if self._tables is not None:
            return self._tables, ids
        distinct, rows = np.unique(ids, return_inverse=True)
        return self._network.project(self._vectors[distinct]), rows


def is_given(shares: FloatArray) -> NDArray[np.bool_]:
    """Tell of labels by their probabilities whether a text is given them, in the same shape."""
    return shares >= _GIVEN


def labels_in(shares: FloatArray) -> list[int]:
    """Give the numbers of the labels that a text is given, by falling probability.

    Parameters
    ----------
    shares
        Probability of each label, shape ``(labels,)``.

    Examples
    --------
    >>> labels_in(np.array([0.6, 0.2, 0.9], np.float32)), labels_in(np.zeros(3, np.float32))
    ([2, 0], [])
    """
    order = np.argsort(-shares, kind="stable")
    numbers: list[int] = order[is_given(shares)[order]].tolist()
    return numbers


def probabilities(model: CompactClassifier, logits: FloatArray) -> FloatArray:
    """Turn a classifier's outputs, ``(N, outputs)``, into probabilities of its labels.

    Of a model for several labels each is for itself; else they sum up to 1.
    """
    if model.multi_label:
        return softmax(np.stack([np.zeros_like(logits), logits], axis=-1))[..., 1]
    return softmax(for_each_class(logits))


def for_each_class(logits: FloatArray) -> FloatArray:
    """Give a logit for each class: a single output is the second one's, the first one's is 0.

    Parameters
    ----------
    logits
        Outputs of a network, shape ``(N, outputs)``.
    """
    if logits.shape[1] > 1:
        return logits
    # The output is the log odds: a softmax over 0 and it is [1 - p, p].
    return np.concatenate([np.zeros_like(logits), logits], axis=1)


def softmax(logits: FloatArray) -> FloatArray:
    """Turn logits into probabilities along the last axis, in double precision inside."""
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(scores)
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials.astype(np.float32)
