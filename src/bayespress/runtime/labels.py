"""How well a finished model does on texts that may have several labels, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.model import FloatArray
from bayespress.errors import DataError
from bayespress.runtime.evaluation import class_numbers
from bayespress.runtime.predictor import Answer, TextPredictor, is_given, probabilities


@dataclass(frozen=True)
class LabelEvaluation:
    """Figures over texts that may have several labels, given each from a probability of 0.5 on.

    Attributes
    ----------
    texts
        How many there were.
    micro_f1
        F1 over all pairs of a text and a label: twice the labels that are rightly given, over those
        given and those that texts have. 0 where there are none.
    macro_f1
        Mean of the F1 of the labels that have one.
    exact_match
        Share of texts whose labels are all right; 1 is 100 %, as for all shares.
    nll
        Mean over texts of the negative log probability of all their labels, in nats: labels are
        independent given the text, so that theirs add up.
    labels
        For each label: ``texts`` that have it, ``recall``, ``precision`` and ``f1`` (None where
        undefined).
    """

    texts: int
    micro_f1: float
    macro_f1: float
    exact_match: float
    nll: float
    labels: dict[str, dict[str, float | None]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def label_matrix(labels: Sequence[Answer], known: Sequence[str]) -> NDArray[np.bool_]:
    """Tell of each text and each known label whether the text has it, shape ``(N, labels)``.

    Raises
    ------
    DataError
        If a label is not one of the known ones.

    Examples
    --------
    >>> label_matrix([("long", "sad"), (), ("sad",)], ["long", "sad"]).tolist()
    [[True, True], [False, False], [False, True]]
    """
    several = [(one,) if isinstance(one, str) else one for one in labels]
    matrix = np.zeros((len(several), len(known)), np.bool_)
    counts = np.array([len(names) for names in several], np.int64)
    rows = np.repeat(np.arange(len(several)), counts)
    matrix[rows, class_numbers([name for names in several for name in names], known)] = True
    return matrix


def micro_f1(given: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    r"""Compute F1 over all pairs of a text and a label; 0 where no label is given nor wanted.

    .. math:: F_1 = \frac{2\,|given \cap wanted|}{|given| + |wanted|}

    Parameters
    ----------
    given, wanted
        Shape ``(N, labels)``.
    """
    both = int(given.sum()) + int(wanted.sum())
    return 2 * int((given & wanted).sum()) / both if both else 0.0


def evaluate_labels(
    predictor: TextPredictor, texts: Sequence[str], labels: Sequence[Answer]
) -> LabelEvaluation:
    """Compare the labels that a model gives with those that texts have.

    Raises
    ------
    DataError
        If there are no texts, or the model does not know a label, or gives a text one class.
    """
    model = predictor.model
    if not model.multi_label:
        raise DataError("the model gives a text one class: measure it by evaluate")
    if not texts:
        raise DataError("there is no text to evaluate on")
    wanted = label_matrix(labels, predictor.labels)
    logits = predictor.logits([model.encoder.encode(text) for text in texts])
    given = is_given(probabilities(model, logits))
    figures = {
        label: _label_figures(given[:, k], wanted[:, k]) for k, label in enumerate(predictor.labels)
    }
    known = [one["f1"] for one in figures.values() if one["f1"] is not None]
    return LabelEvaluation(
        texts=len(wanted),
        micro_f1=micro_f1(given, wanted),
        macro_f1=float(np.mean(known)) if known else 0.0,
        exact_match=float((given == wanted).all(axis=1).mean()),
        nll=_nll(logits, wanted),
        labels=figures,
    )


def _nll(logits: FloatArray, wanted: NDArray[np.bool_]) -> float:
    against = np.where(wanted, -logits, logits).astype(np.float64)
    return float(np.logaddexp(0, against).sum(axis=1).mean())


def _label_figures(given: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> dict[str, float | None]:
    right = int((given & wanted).sum())
    return {
        "texts": int(wanted.sum()),
        "recall": right / int(wanted.sum()) if wanted.any() else None,
        "precision": right / int(given.sum()) if given.any() else None,
        "f1": micro_f1(given, wanted) if given.any() or wanted.any() else None,
    }
