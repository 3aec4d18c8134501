"""The sizes that a model's arrays share, and the order in which the file has the arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bayespress.compact.model import CompactClassifier, CompactModel, FloatArray


class DamageError(Exception):
    """Bytes are not what the format promises; the text says why."""


@dataclass(frozen=True)
class Sizes:
    """Lengths of the axes of all arrays.

    Attributes
    ----------
    rows
        Rows of the embedding without the zero row; None for a language model, whose input is
        one-hot.
    input
        Dimensions of the embedding, or the number of tokens that a language model reads.
    hidden, live
        Neurons, and gates that have weights.
    outputs
        Rows of the output layer.
    """

    rows: int | None
    input: int
    hidden: int
    live: int
    outputs: int

    @classmethod
    def of(cls, model: CompactModel) -> Sizes:
        """Read the sizes off a model, each at one of the places that have it."""
        outputs, hidden = model.output_weight.shape
        live = len(model.lstm.live_gates)
        if isinstance(model, CompactClassifier):
            rows, dims = model.encoder.vocabulary.num_rows - 1, model.embedding.shape[-1]
            return cls(rows, dims, hidden, live, outputs)
        return cls(None, len(model.inputs), hidden, live, len(model.encoder.tokens))

    @property
    def gates(self) -> int:
        """Number of all gates, constant ones too."""
        return 4 * self.hidden

    @property
    def longest(self) -> int:
        """Length of the longest axis, that of all gates left out."""
        return max(self.rows or 0, self.input, self.hidden, self.live, self.outputs)

    @property
    def memory(self) -> int:
        """Bytes of all arrays."""
        return 4 * sum(map(math.prod, self.shapes().values()))

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every array, in the order of the file."""
        embedding = {} if self.rows is None else {"embedding": (self.rows, self.input)}
        return {
            **embedding,
            "weight_ih": (self.live, self.input),
            "weight_hh": (self.live, self.hidden),
            "bias": (self.gates,),
            "output_weight": (self.outputs, self.hidden),
            "output_bias": (self.outputs,),
        }


def arrays_of(model: CompactModel) -> Mapping[str, FloatArray]:
    """All arrays of numbers, in the order of the file."""
    embedding = {"embedding": model.embedding} if isinstance(model, CompactClassifier) else {}
    return {
        **embedding,
        "weight_ih": model.lstm.weight_ih,
        "weight_hh": model.lstm.weight_hh,
        "bias": model.lstm.bias,
        "output_weight": model.output_weight,
        "output_bias": model.output_bias,
    }
