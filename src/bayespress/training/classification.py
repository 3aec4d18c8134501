"""Learning to classify texts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from bayespress.compression import Network, compact_with_rows
from bayespress.config import Config, TrainingConfig
from bayespress.data import Splits
from bayespress.errors import DataError
from bayespress.models import TextClassifierNet
from bayespress.runtime import TextPredictor
from bayespress.runtime.labels import micro_f1
from bayespress.runtime.predictor import is_given, probabilities
from bayespress.text import TextEncoder, renumbering
from bayespress.training.batches import EncodedTexts, TextBatch, answers
from bayespress.training.encoding import encode
from bayespress.training.interfaces import ClassifierInterface, Interface
from bayespress.training.seeds import seed_of
from bayespress.training.tasks import Measure


@dataclass(frozen=True)
class Classification:
    """Labelled texts as ids, and class numbers or several labels each."""

    interface: ClassifierInterface
    train: EncodedTexts
    validation: EncodedTexts

    @property
    def encoder(self) -> TextEncoder:
        """Texts to rows."""
        return self.interface.encoder

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.interface.labels

    @property
    def num_train(self) -> int:
        """Number of training texts."""
        return len(self.train)

    def steps(self, training: TrainingConfig) -> int:
        """Mini-batches an epoch."""
        return math.ceil(len(self.train) / training.batch_size)

    def batches(self, training: TrainingConfig, epoch: int) -> Iterator[TextBatch]:
        """Iterate over one epoch."""
        order = seed_of(training.seed, "order", epoch)
        return self.train.batches(training.batch_size, order, by_length=training.length_batching)

    def restrict(self, interface: Interface, new_row: NDArray[np.int32]) -> Classification:
        """Give the task for fewer words."""
        if not isinstance(interface, ClassifierInterface):
            raise TypeError(f"a classifier's is needed, got {type(interface).__name__}")
        return replace(
            self,
            interface=interface,
            train=self.train.renumber(new_row),
            validation=self.validation.renumber(new_row),
        )

    def validate(self, net: Network) -> Measure:
        """Share of validation texts that the pruned network gets right; of several labels, F1."""
        if not isinstance(net, TextClassifierNet):
            raise TypeError(f"a classifier is needed, got {type(net).__name__}")
        several = self.interface.multi_label
        model, rows = compact_with_rows(net, self.encoder, self.labels, multi_label=several)
        texts = self.validation.renumber(renumbering(self.encoder.vocabulary.num_rows, rows))
        logits = TextPredictor(model).logits(texts.ids)
        if several:
            given = is_given(probabilities(model, logits))
            return Measure(micro_f1=micro_f1(given, texts.labels.astype(np.bool_)))
        found = answers(torch.from_numpy(logits))
        return Measure(accuracy=float((found.numpy() == texts.labels).mean()))


def prepare_classification(
    config: Config, splits: Splits, digest: str, restricted: ClassifierInterface | None = None
) -> Classification:
    """Choose the vocabulary by the training texts, and encode texts.

    Parameters
    ----------
    config, splits
        Settings and data.
    digest
        The data's, from :func:`~bayespress.training.prepare.fingerprint`.
    restricted
        What live shrinking has made of the interface, in a run that goes on.

    Raises
    ------
    DataError
        If there is no validation data, or no word to learn from.
    """
    if len(splits.validation) == 0:
        raise DataError(
            "the best epoch is chosen on validation data and there is none of "
            f"{len(splits.train):,} texts: raise --validation-fraction (now "
            f"{config.data.validation_fraction:g}), add texts, or name a --validation-source"
        )
    encoded = encode(splits, config.text, digest)
    if not encoded.encoder.vocabulary.rows:
        raise DataError(
            f"no word occurs in {config.text.min_documents} training texts: lower --min-documents"
        )
    interface = ClassifierInterface(encoded.encoder, splits.labels, splits.multi_label)
    weights: ArrayLike | None = splits.class_weights
    if weights is None and config.training.class_weight == "balanced":
        weights = _balance(encoded.train.labels, len(splits.labels))
    train = encoded.train
    if weights is not None:
        train = replace(train, class_weights=np.array(weights, np.float32))
    task = Classification(interface, train, encoded.validation)
    if restricted is None:
        return task
    return task.restrict(restricted, task.encoder.vocabulary.rows_in(restricted.encoder.vocabulary))


def _balance(labels: NDArray[np.generic], classes: int) -> ArrayLike:
    if labels.ndim == 2:
        return balanced_labels(labels.astype(np.bool_))
    return balanced(labels.astype(np.int64), classes)


def balanced_labels(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weigh each of several labels so that having it and not having it count alike.

    Parameters
    ----------
    labels
        Whether each text has each label, shape ``(N, labels)``.

    Returns
    -------
    ndarray
        N / (2 · texts), without the label and with it, shape ``(2, labels)``. Over all texts a
        label's weights are 1 on average, so that the divergence weighs what it did.

    Examples
    --------
    >>> balanced_labels(np.array([[True], [False], [False], [False]])).tolist()
    [[0.6666666666666666], [2.0]]
    """
    having = labels.sum(axis=0)
    weights: NDArray[np.float64] = len(labels) / (
        2 * np.maximum(np.stack([len(labels) - having, having]), 1)
    )
    return weights


def balanced(labels: NDArray[np.int64], classes: int) -> tuple[float, ...]:
    """Weigh classes so that all of them count alike: N / (classes · texts of the class).

    Examples
    --------
    >>> balanced(np.array([0, 0, 0, 1]), 2)
    (0.6666666666666666, 2.0)
    """
    counts = np.bincount(labels, minlength=classes)
    return tuple((len(labels) / (classes * np.maximum(counts, 1))).tolist())
