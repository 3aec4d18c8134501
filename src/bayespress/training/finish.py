"""From the best epoch to the shipped file, and the one look at the test data."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import bayespress
from bayespress import compact, runtime
from bayespress.compact import CompactClassifier
from bayespress.compression import statistics, to_compact
from bayespress.data import LabelledTexts
from bayespress.models import TextClassifierNet
from bayespress.runtime import class_numbers
from bayespress.text import TextEncoder
from bayespress.training.batches import EncodedTexts
from bayespress.training.prepare import rebuild
from bayespress.training.run import RunFolder, load_tensors
from bayespress.training.state import FullSize, restore

_BATCH = 256


@dataclass(frozen=True)
class Trained:
    """A network as it was after a run's best epoch, and what belongs to it."""

    net: TextClassifierNet
    encoder: TextEncoder
    labels: tuple[str, ...]
    code: str
    epoch: int
    full: FullSize

    def to_compact(self) -> CompactClassifier:
        """Take away what was pruned; counts and ratios go along as the model's ``info``."""
        stats = statistics(self.net, self.full.size)
        info = {
            "code": self.code,
            "words": stats.words,
            "dims": stats.dims,
            "neurons": stats.neurons,
            "gates": stats.gates,
            # Two decimals: the file is small, and every digit of its text counts.
            "compression_ratio": round(stats.compression_ratio, 2),
            "stored_compression_ratio": round(stats.stored_compression_ratio, 2),
            "dense_ratio": round(stats.dense_ratio, 2),
            "dense_bytes": stats.dense_bytes + self.full.vocabulary_bytes,
        }
        return to_compact(self.net, self.encoder, self.labels, info)


def load_best(folder: RunFolder) -> Trained:
    """Load the network of a run's best epoch.

    Raises
    ------
    RunError
        If the folder holds no run, or none that finished an epoch, or a damaged one.
    """
    config = folder.config()
    tensors, metadata = load_tensors(folder.best_file)
    encoder, labels = TextEncoder.from_dict(metadata["encoder"]), tuple(metadata["labels"])
    net = rebuild(config, encoder, labels, metadata)
    restore(net, None, tensors)
    epoch = metadata["progress"]["best_epoch"]
    full = FullSize.from_dict(metadata["full"])
    return Trained(net.eval(), encoder, labels, config.model.code, epoch, full)


def finish(folder: RunFolder, test: LabelledTexts) -> dict[str, Any]:
    """Write a run's file, test it, and write the result; return the result.

    Raises
    ------
    RunError, DataError, StorageError
        If the run, the test data or the disk are not fit for it.
    """
    trained = load_best(folder)
    model = trained.to_compact()
    size = compact.save(model, folder.artifact_file)
    inspection = runtime.inspect(model, size)
    result = {
        "best_epoch": trained.epoch,
        **_test(trained, folder.artifact_file, test),
        "file_bytes": size,
        "size_ratio": inspection.size_ratio,
        **inspection.info,
        "versions": {
            "bayespress": bayespress.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    folder.save_result(result)
    return result


def _test(trained: Trained, file: Path, test: LabelledTexts) -> dict[str, Any]:
    """Compare the full-size masked network and the shipped file on the test data."""
    if len(test) == 0:
        return {"test_texts": 0}
    predictor = runtime.load(file)
    masked = masked_probabilities(trained, test.texts)
    shipped = runtime.evaluate(predictor, test.texts, test.labels)
    expected = class_numbers(test.labels, trained.labels)
    return {
        "test_texts": len(test),
        "test_accuracy_masked": float((masked.argmax(axis=1) == expected).mean()),
        "test_accuracy_file": shipped.accuracy,
        "largest_difference": float(np.abs(masked - predictor.predict_proba(test.texts)).max()),
    }


def masked_probabilities(trained: Trained, texts: Sequence[str]) -> NDArray[np.float32]:
    """Class probabilities of the full-size network with its masks, shape ``(N, labels)``."""
    encoded = EncodedTexts(
        [trained.encoder.encode(text) for text in texts], np.zeros(len(texts), dtype=np.int64)
    )
    # By length, so that short texts are not padded to the longest.
    order = np.argsort([len(ids) for ids in encoded.ids], kind="stable")
    parts = []
    with torch.no_grad():
        for start in range(0, len(order), _BATCH):
            batch = encoded.batch(order[start : start + _BATCH])
            logits = trained.net(batch.ids, batch.mask)
            if logits.shape[1] == 1:
                logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
            parts.append(torch.softmax(logits, dim=1).numpy())
    probabilities = np.empty_like(np.concatenate(parts))
    probabilities[order] = np.concatenate(parts)
    return probabilities
