"""The sizes that a classifier's arrays share, and the order in which the file has the arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayespress.compact.model import CompactClassifier, FloatArray


class DamageError(Exception):
    """Bytes are not what the format promises; the text says why."""


@dataclass(frozen=True)
class Sizes:
    """Lengths of the axes of all arrays.

    Attributes
    ----------
    rows, input
        Rows of the embedding without the zero row, and its dimensions.
    hidden, live
        Neurons, and gates that have weights.
    outputs
        Rows of the output layer.
    """

    rows: int
    input: int
    hidden: int
    live: int
    outputs: int

    @classmethod
    def of(cls, model: CompactClassifier) -> Sizes:
        """Read the sizes off a model, each at one of the places that have it."""
        outputs, hidden = model.output_weight.shape
        return cls(
            rows=model.encoder.vocabulary.num_rows - 1,
            input=model.embedding.shape[-1],
            hidden=hidden,
            live=len(model.lstm.live_gates),
            outputs=outputs,
        )

    @property
    def gates(self) -> int:
        """Number of all gates, constant ones too."""
        return 4 * self.hidden

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every array, in the order of the file."""
        return {
            "embedding": (self.rows, self.input),
            "weight_ih": (self.live, self.input),
            "weight_hh": (self.live, self.hidden),
            "bias": (self.gates,),
            "output_weight": (self.outputs, self.hidden),
            "output_bias": (self.outputs,),
        }


def arrays_of(model: CompactClassifier) -> Mapping[str, FloatArray]:
    """All arrays of numbers, in the order of the file."""
    return {
        "embedding": model.embedding,
        "weight_ih": model.lstm.weight_ih,
        "weight_hh": model.lstm.weight_hh,
        "bias": model.lstm.bias,
        "output_weight": model.output_weight,
        "output_bias": model.output_bias,
    }
