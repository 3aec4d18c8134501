"""Training and validation texts as ids, kept on disk where making them took a while."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bayespress.config import TextConfig
from bayespress.data import LabelledTexts, Splits
from bayespress.errors import BayespressError, RunError
from bayespress.runtime import class_numbers, label_matrix
from bayespress.storage import cache_folder, clear_place
from bayespress.text import TextEncoder
from bayespress.training.batches import EncodedTexts, PackedIds
from bayespress.training.run import load_tensors, save_tensors

_VERSION = 1  # of tokenising: another one makes old files useless
_WORTH_SECONDS = 1.0  # what took less is not kept
_MOST_FILES = 8


@dataclass(frozen=True)
class Encoded:
    """The encoder that training texts decide, and what it makes of them."""

    encoder: TextEncoder
    train: EncodedTexts
    validation: EncodedTexts


def encode(splits: Splits, config: TextConfig, digest: str) -> Encoded:
    """Choose the vocabulary by the training texts, and encode them and the validation texts.

    Parameters
    ----------
    splits
        The data.
    config
        How texts become ids.
    digest
        Identifies training and validation data.
    """
    file = _file(config, digest)
    kept = None if file is None else _read(file, splits)
    if kept is not None:
        return kept
    began = time.perf_counter()
    encoder = TextEncoder.fit(splits.train.texts, config)
    train, validation = (
        _encode(encoder, part, splits) for part in (splits.train, splits.validation)
    )
    encoded = Encoded(encoder, train, validation)
    if file is not None and time.perf_counter() - began > _WORTH_SECONDS:
        with contextlib.suppress(BayespressError, OSError):  # it was only to save time
            _write(file, encoded)
    return encoded


def _encode(encoder: TextEncoder, texts: LabelledTexts, splits: Splits) -> EncodedTexts:
    ids = PackedIds.of(encoder.encode(text) for text in texts.texts)
    return EncodedTexts(ids, _targets(texts, splits))


def _targets(texts: LabelledTexts, splits: Splits) -> NDArray[np.int64] | NDArray[np.bool_]:
    if splits.multi_label:
        return label_matrix(texts.labels, splits.labels)
    return class_numbers(texts.labels, splits.labels)


def _file(config: TextConfig, digest: str) -> Path | None:
    key = json.dumps([_VERSION, digest, asdict(config)])
    try:
        folder = cache_folder() / "encoded"
    except BayespressError:  # no home folder
        return None
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"


def _read(file: Path, splits: Splits) -> Encoded | None:
    """Read what was kept; None if it is not there, or damaged."""
    try:
        tensors, metadata = load_tensors(file)
        if metadata["digest"] != _digest(tensors, metadata["encoder"]):
            return None  # other words than the texts' would be learned, and nothing would tell
        encoder = TextEncoder.from_dict(metadata["encoder"])
        train, validation = (
            EncodedTexts(
                PackedIds(
                    tensors[f"{name}.ids"].numpy(), tensors[f"{name}.lengths"].numpy().cumsum()
                ),
                _targets(part, splits),
            )
            for name, part in (("train", splits.train), ("validation", splits.validation))
        )
    except (RunError, KeyError, ValueError):
        return None
    return Encoded(encoder, train, validation)


def _digest(tensors: Mapping[str, Tensor], encoder: Mapping[str, Any]) -> str:
    """Digest what is kept: safetensors has no checksum of its own."""
    digest = hashlib.sha256(json.dumps(encoder).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()


def _write(file: Path, encoded: Encoded) -> None:
    tensors = {}
    for name, texts in (("train", encoded.train), ("validation", encoded.validation)):
        tensors[f"{name}.ids"] = torch.from_numpy(texts.flat())
        tensors[f"{name}.lengths"] = torch.from_numpy(texts.lengths())
    encoder = encoded.encoder.to_dict()
    clear_place(file)
    save_tensors(file, tensors, {"encoder": encoder, "digest": _digest(tensors, encoder)})
    by_age = sorted(file.parent.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-_MOST_FILES]:
        old.unlink(missing_ok=True)
