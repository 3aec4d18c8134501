"""From the best epoch to the shipped file, and the one look at the test data."""

from __future__ import annotations

import copy
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import bayespress
from bayespress import compact, runtime
from bayespress.compact import CompactModel
from bayespress.compression import Network, prune_more, sigma_twin, statistics
from bayespress.data import LabelledTexts
from bayespress.errors import DataError
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.runtime import TextPredictor, class_numbers, label_matrix
from bayespress.runtime.labels import micro_f1
from bayespress.runtime.predictor import is_given
from bayespress.training.batches import EncodedTexts
from bayespress.training.interfaces import (
    ClassifierInterface,
    Interface,
    LanguageInterface,
    interface_of,
    rebuild,
)
from bayespress.training.packing import Prepared
from bayespress.training.run import RunFolder, load_tensors, understood
from bayespress.training.state import FullSize, restore

_BATCH = 256
_MAX_LOGITS = 2**22


@dataclass(frozen=True)
class Trained:
    """A network as it was after a run's best epoch, and what belongs to it."""

    net: Network
    interface: Interface
    code: str
    epoch: int
    full: FullSize

    def to_compact(self) -> CompactModel:
        """Take away what was pruned; counts and ratios go along as the model's ``info``."""
        return self._compact(self.net, self._info(self.net))

    def prepare(self, threshold: float | None = None) -> Prepared:
        """Make the model, and all that is needed to round it.

        Parameters
        ----------
        threshold
            Prune what has a log alpha over this, too; None prunes what training pruned.
        """
        net = self.net
        if threshold is not None:
            net = copy.deepcopy(net)
            prune_more(net, threshold)
        sigmas = compact.arrays_of(self._compact(sigma_twin(net), {}))
        return Prepared(self._compact(net, self._info(net)), sigmas, threshold)

    def _compact(self, net: Network, info: Mapping[str, Any]) -> CompactModel:
        return compact.by_alphabet(self.interface.to_compact(net, info))

    def _info(self, net: Network) -> dict[str, Any]:
        stats = statistics(net, self.full.size)
        counts = {
            name: getattr(stats, name)
            for name in ("words", "dims", "neurons", "gates")
            if getattr(stats, name) is not None
        }
        return {
            "code": self.code,
            **counts,
            # Two decimals: the file is small, and every digit of its text counts.
            "compression_ratio": round(stats.compression_ratio, 2),
            "stored_compression_ratio": round(stats.stored_compression_ratio, 2),
            "dense_ratio": round(stats.dense_ratio, 2),
            "dense_bytes": stats.dense_bytes + self.full.vocabulary_bytes,
        }


def load_best(folder: RunFolder) -> Trained:
    """Load the network of a run's best epoch.

    Raises
    ------
    RunError
        If the folder holds no run, or none that finished an epoch, or a damaged one.
    """
    config = folder.config()
    tensors, metadata = load_tensors(folder.best_file)
    with understood(folder.best_file):
        interface = interface_of(metadata)
        net = rebuild(config, interface, metadata)
        restore(net, None, tensors)
        epoch = metadata["progress"]["best_epoch"]
        full = FullSize.from_dict(metadata["full"])
    return Trained(net.eval(), interface, config.model.code, epoch, full)


def finish(folder: RunFolder, test: LabelledTexts | str) -> dict[str, Any]:
    """Write a run's file, test it, and write the result; return the result.

    Raises
    ------
    RunError, DataError, StorageError
        If the run, the test data or the disk are not fit for it.
    """
    trained = load_best(folder)
    model = trained.to_compact()
    size = compact.save(model, folder.artifact_file)
    if isinstance(test, str):
        figures = _test_language_model(trained, folder.artifact_file, test)
    else:
        figures = _test_classifier(trained, folder.artifact_file, test)
    result = {
        "best_epoch": trained.epoch,
        **figures,
        "file_bytes": size,
        "size_ratio": model.info["dense_bytes"] / size,
        **model.info,
        "versions": {
            "bayespress": bayespress.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    folder.save_result(result)
    return result


def _test_classifier(trained: Trained, file: Path, test: LabelledTexts) -> dict[str, Any]:
    """Compare the full-size masked network and the shipped file on the test data."""
    if len(test) == 0:
        return {"test_texts": 0}
    predictor = runtime.load_classifier(file)
    masked = masked_probabilities(trained, test.texts)
    difference = float(np.abs(masked - predictor.predict_proba(test.texts)).max())
    if predictor.model.multi_label:
        return _test_labels(masked, predictor, test) | {"largest_difference": difference}
    shipped = runtime.evaluate(predictor, test.texts, test.labels)
    expected = class_numbers(test.labels, predictor.labels)
    return {
        "test_texts": len(test),
        "test_accuracy_masked": float((masked.argmax(axis=1) == expected).mean()),
        "test_accuracy_file": shipped.accuracy,
        "largest_difference": difference,
    }


def _test_labels(
    masked: NDArray[np.float32], predictor: TextPredictor, test: LabelledTexts
) -> dict[str, Any]:
    """Compare both on texts that may have several labels."""
    shipped = runtime.evaluate_labels(predictor, test.texts, test.labels)
    wanted = label_matrix(test.labels, predictor.labels)
    return {
        "test_texts": len(test),
        "test_micro_f1_masked": micro_f1(is_given(masked), wanted),
        "test_micro_f1_file": shipped.micro_f1,
        "test_macro_f1_file": shipped.macro_f1,
        "test_exact_match_file": shipped.exact_match,
    }


def _test_language_model(trained: Trained, file: Path, test: str) -> dict[str, Any]:
    """Compare the full-size masked network and the shipped file on the test text."""
    model = runtime.load_language_model(file)
    try:
        shipped = model.evaluate(test)
    except DataError:  # too short, or none
        return {"test_tokens": 0, "level": model.encoder.level}
    masked = masked_nll(trained, test)
    of_file, _ = model.nll(model.encoder.encode(test))
    difference = np.abs(np.exp(-masked) - np.exp(-of_file)).max()
    return {
        "test_tokens": shipped.tokens,
        "test_unknown": shipped.unknown,
        "test_nll_masked": float(masked.mean()),
        "test_nll_file": shipped.nll,
        "test_perplexity": shipped.perplexity,
        "test_bits_per_token": shipped.bits_per_token,
        "level": shipped.level,
        "largest_difference": float(difference),
    }


def masked_probabilities(trained: Trained, texts: Sequence[str]) -> NDArray[np.float32]:
    """Class probabilities of the full-size network with its masks, shape ``(N, labels)``.

    Raises
    ------
    TypeError
        If it is no classifier.
    """
    net, interface = trained.net, trained.interface
    if not isinstance(net, TextClassifierNet) or not isinstance(interface, ClassifierInterface):
        raise TypeError("only a classifier has class probabilities")
    encoded = EncodedTexts(
        [interface.encoder.encode(text) for text in texts], np.zeros(len(texts), dtype=np.int64)
    )
    # By length, so that short texts are not padded to the longest.
    order = np.argsort([len(ids) for ids in encoded.ids], kind="stable")
    parts = []
    with torch.no_grad():
        for start in range(0, len(order), _BATCH):
            batch = encoded.batch(order[start : start + _BATCH])
            logits = net(batch.ids, batch.mask)
            parts.append(_shares(logits, interface).numpy())
    probabilities = np.empty_like(np.concatenate(parts))
    probabilities[order] = np.concatenate(parts)
    return probabilities


def _shares(logits: Tensor, interface: ClassifierInterface) -> Tensor:
    if interface.multi_label:
        return torch.sigmoid(logits)
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return torch.softmax(logits, dim=1)


def masked_nll(trained: Trained, text: str) -> NDArray[np.float64]:
    """Negative log likelihood of each token, by the full-size network with its masks.

    Parameters
    ----------
    trained
        A language model.
    text
        Raw text: read as one stream, or window by window if that is how the network learned.

    Returns
    -------
    ndarray
        In nats, shape ``(predicted tokens,)``.

    Raises
    ------
    TypeError
        If it is no language model.
    """
    net, interface = trained.net, trained.interface
    if not isinstance(net, LanguageModelNet) or not isinstance(interface, LanguageInterface):
        raise TypeError("only a language model predicts tokens")
    tokens = torch.from_numpy(interface.encoder.encode(text)).long()
    rows = torch.from_numpy(interface.rows)[tokens]
    at_once = max(1, _MAX_LOGITS // net.output.out_features)
    state, parts = None, []
    begins = _begins(len(tokens), interface.window or len(tokens), at_once)
    with torch.no_grad():
        for start, end, is_new in begins:
            logits, state = net(rows[None, start:end], None if is_new else state)
            following = tokens[start + 1 : end + 1]
            loss = torch.nn.functional.cross_entropy(logits[0], following, reduction="none")
            parts.append(loss.double().numpy())
    return np.concatenate(parts)


def _begins(count: int, window: int, at_once: int) -> list[tuple[int, int, bool]]:
    """Cut a stream into pieces to read: begin, end, and whether the state is zero there."""
    pieces = []
    for begin in range(0, count - 1, window):
        last = min(begin + window, count) - 1  # the last token is predicted, not read
        pieces += [
            (start, min(start + at_once, last), start == begin)
            for start in range(begin, last, at_once)
        ]
    return pieces
