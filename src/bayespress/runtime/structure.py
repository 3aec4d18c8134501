"""What every kind of finished model consists of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayespress.compact import CompactLSTM, CompactModel
from bayespress.compact.layout import arrays_of
from bayespress.runtime.activations import hard_sigmoid, sigmoid

GATE_NAMES = ("i", "f", "g", "o")


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A model in figures; the three ratios are three different numbers, see `info`.

    Attributes
    ----------
    file_bytes
        Size of the file, everything in it.
    size_ratio
        Bytes of the float32 dense model and its vocabulary over `file_bytes`; None if unknown.
    neurons
        Kept neurons.
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
    neurons: int
    live_gates: int
    gates: list[dict[str, float | None]]
    weights: int
    info: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def structure_of(model: CompactModel, file_bytes: int) -> dict[str, Any]:
    """Give the fields of :class:`Structure` for a model that takes up so many bytes."""
    dense = model.info.get("dense_bytes")
    matrices = (array for array in arrays_of(model).values() if array.ndim == 2)
    return {
        "file_bytes": file_bytes,
        "size_ratio": dense / file_bytes if isinstance(dense, (int, float)) and dense else None,
        "neurons": model.lstm.hidden_size,
        "live_gates": len(model.lstm.live_gates),
        "gates": _gates(model.lstm),
        "weights": sum(int(np.count_nonzero(matrix)) for matrix in matrices),
        "info": dict(model.info),
    }


def _gates(lstm: CompactLSTM) -> list[dict[str, float | None]]:
    neurons = lstm.hidden_size
    bias = lstm.bias.reshape(len(GATE_NAMES), neurons)
    values = bias.copy()
    (hard_sigmoid if lstm.gate_activation == "hard_sigmoid" else sigmoid)(values)
    values[2] = np.tanh(bias[2])
    live = np.zeros(bias.size, dtype=bool)
    live[lstm.live_gates] = True
    live = live.reshape(bias.shape)
    return [
        {name: None if live[k, j] else float(values[k, j]) for k, name in enumerate(GATE_NAMES)}
        for j in range(neurons)
    ]


def visible(word: str) -> str:
    r"""Write a word so that it can be seen: a character may be white space or turn directions.

    Examples
    --------
    >>> visible("good"), visible(" "), visible("a\u202e")
    ('good', "' '", "'a\\u202e'")
    """
    return word if word.strip() and word.isprintable() else repr(word)
