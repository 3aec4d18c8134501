"""From labelled texts to what the trainer needs: ids, class numbers, a fresh network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bayespress.compression import Size
from bayespress.config import Config
from bayespress.data import Splits
from bayespress.errors import DataError
from bayespress.models import TextClassifierNet
from bayespress.text import TextEncoder
from bayespress.text.vectors import read_vectors
from bayespress.training.batches import EncodedTexts
from bayespress.training.encoding import encode


@dataclass(frozen=True)
class Task:
    """What is learned: the encoder, the classes, the texts as ids."""

    encoder: TextEncoder
    labels: tuple[str, ...]
    train: EncodedTexts
    validation: EncodedTexts

    def restrict(self, encoder: TextEncoder, new_row: NDArray[np.int32]) -> Task:
        """Give the task for fewer words: ``new_row[id]`` is what an id becomes."""
        return replace(
            self,
            encoder=encoder,
            train=self.train.renumber(new_row),
            validation=self.validation.renumber(new_row),
        )


def prepare(
    config: Config, splits: Splits, digest: str, restricted: TextEncoder | None = None
) -> Task:
    """Choose the vocabulary by the training texts, and encode texts.

    Parameters
    ----------
    config, splits
        Settings and data.
    digest
        The data's, from :func:`fingerprint`.
    restricted
        What live shrinking has made of the encoder, in a run that goes on.

    Raises
    ------
    DataError
        If there is no validation data, or no word to learn from.
    """
    if len(splits.validation) == 0:
        raise DataError(
            "the best epoch is chosen on validation data and there is none: "
            "set --validation-fraction above 0 or name a --validation-source"
        )
    encoded = encode(splits, config.text, digest)
    if not encoded.encoder.vocabulary.rows:
        raise DataError(
            f"no word occurs in {config.text.min_documents} training texts: lower --min-documents"
        )
    task = Task(encoded.encoder, splits.labels, encoded.train, encoded.validation)
    if restricted is None:
        return task
    return task.restrict(restricted, task.encoder.vocabulary.rows_in(restricted.vocabulary))


def fingerprint(splits: Splits) -> str:
    """Digest of training and validation data, to notice that they changed under a run."""
    digest = hashlib.sha256()
    for part in (splits.train, splits.validation):
        for text, label in zip(part.texts, part.labels, strict=True):
            digest.update(f"{len(text)} {label} {text}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def build_network(
    config: Config, encoder: TextEncoder, labels: tuple[str, ...], size: Size | None = None
) -> TextClassifierNet:
    """Make the network that a configuration describes, not trained.

    `size` is given where live shrinking made it smaller than that; row 0 is the zero vector then.
    """
    model = config.model
    if size is not None:
        model = replace(model, embedding_size=size.dims, hidden_size=size.neurons)
    all_rows_are_learned = size is None and encoder.vocabulary.skips
    return TextClassifierNet(
        encoder.vocabulary.num_rows,
        1 if len(labels) == 2 else len(labels),
        model,
        padding_idx=None if all_rows_are_learned else 0,
        generator=generator(config.training.seed, "initialisation"),
    )


def rebuild(
    config: Config, encoder: TextEncoder, labels: tuple[str, ...], metadata: Mapping[str, Any]
) -> TextClassifierNet:
    """Make a network of the shape that a checkpoint's metadata tells; without any, of full size."""
    size = Size(**metadata["size"]) if metadata else None
    shrunk = size is not None and metadata["size"] != metadata["full"]["size"]
    return build_network(config, encoder, labels, size if shrunk else None)


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


_PURPOSES = ("initialisation", "order", "noise")


def seed_of(seed: int, purpose: str, epoch: int = 0) -> list[int]:
    """Seed of one purpose in one epoch: an epoch begins alike whether or not a run was resumed."""
    return [seed, _PURPOSES.index(purpose), epoch]


def generator(
    seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Make torch's source of random numbers for one purpose in one epoch."""
    (state,) = np.random.SeedSequence(seed_of(seed, purpose, epoch)).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state))
