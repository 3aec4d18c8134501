"""From data to the task that the trainer is given."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from bayespress.config import Config
from bayespress.data import Splits, TextSplits
from bayespress.models import TextClassifierNet
from bayespress.text import TextEncoder
from bayespress.text.vectors import read_vectors
from bayespress.training.classification import Classification, prepare_classification
from bayespress.training.interfaces import ClassifierInterface, Interface, LanguageInterface
from bayespress.training.language import LanguageModelling, prepare_language_modelling


def prepare(
    config: Config,
    splits: Splits | TextSplits,
    digest: str,
    restricted: Interface | None = None,
) -> Classification | LanguageModelling:
    """Choose the vocabulary by the training texts, and encode texts.

    Parameters
    ----------
    config, splits
        Settings, and data of the kind that the task takes.
    digest
        The data's, from :func:`fingerprint`.
    restricted
        What live shrinking has made of the interface, in a run that goes on.

    Raises
    ------
    DataError
        If the data cannot be learned from.
    """
    if isinstance(splits, TextSplits):
        reader = restricted if isinstance(restricted, LanguageInterface) else None
        return prepare_language_modelling(config, splits, reader)
    own = restricted if isinstance(restricted, ClassifierInterface) else None
    return prepare_classification(config, splits, digest, own)


def fingerprint(splits: Splits | TextSplits) -> str:
    """Digest of training and validation data, to notice that they changed under a run."""
    digest = hashlib.sha256()
    if isinstance(splits, TextSplits):
        for text in (splits.train, splits.validation):
            digest.update(f"{len(text)}\n{text}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
    for part in (splits.train, splits.validation):
        for text, label in zip(part.texts, part.labels, strict=True):
            digest.update(f"{len(text)} {label} {text}\n".encode("utf-8", "surrogatepass"))
    if splits.class_weights is not None:
        digest.update(f"{splits.class_weights}".encode())
    return digest.hexdigest()


def load_pretrained(net: TextClassifierNet, config: Config, encoder: TextEncoder) -> int:
    """Put pretrained vectors into the embedding's means; return how many words have one.

    Raises
    ------
    DataError
        As :func:`bayespress.text.vectors.read_vectors`.
    """
    if config.model.embeddings is None:
        return 0
    words = {word: row for row, word in enumerate(encoder.vocabulary.words) if word is not None}
    vectors = read_vectors(Path(config.model.embeddings), words, config.model.embedding_size)
    with torch.no_grad():
        for row, vector in vectors.items():
            net.embedding.weight.mean[row] = torch.from_numpy(vector)
    return len(vectors)
