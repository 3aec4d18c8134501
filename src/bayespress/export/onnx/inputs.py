"""What the lowest layer reads at a step, in the way that takes the fewest numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayespress.compact.model import FloatArray


@dataclass(frozen=True)
class Inputs:
    """What the lowest layer reads at a step, and its weights.

    Attributes
    ----------
    vectors
        Vector of each row, shape ``(rows, width)``; row 0 is the zero vector.
    weight
        Weights of the live gates, shape ``(live, width)``.
    """

    vectors: FloatArray
    weight: FloatArray

    @property
    def entries(self) -> int:
        """Numbers other than zero: those that take bytes, see :meth:`Graph.array`."""
        return int(np.count_nonzero(self.vectors) + np.count_nonzero(self.weight))


def of_words(embedding: FloatArray, weight_ih: FloatArray) -> Inputs:
    """Read word vectors, or what they add to the live gates where that takes fewer numbers.

    Parameters
    ----------
    embedding
        Vectors of the rows from 1 on, shape ``(rows - 1, input)``.
    weight_ih
        Weights of all live gates of the layer, shape ``(live, input)``.
    """
    live, dims = weight_ih.shape
    vectors = np.concatenate([np.zeros((1, dims), np.float32), embedding])
    both = [Inputs(vectors, weight_ih)]
    if live < dims:
        both.append(Inputs(vectors @ weight_ih.T, np.eye(live, dtype=np.float32)))
    return _with_width(min(both, key=lambda inputs: inputs.entries))


def of_one_hot(weight_ih: FloatArray) -> Inputs:
    """Read one-hot vectors, or columns of the weights: whichever is narrower."""
    live, count = weight_ih.shape
    is_one_hot = count <= live
    vectors = np.eye(count, dtype=np.float32) if is_one_hot else weight_ih.T
    weight = weight_ih if is_one_hot else np.eye(live, dtype=np.float32)
    zero = np.zeros((1, vectors.shape[1]), np.float32)
    return _with_width(Inputs(np.concatenate([zero, vectors]), weight))


def _with_width(inputs: Inputs) -> Inputs:
    """Give vectors without dimensions one that is zero: ONNX's layer reads something."""
    if inputs.vectors.shape[1]:
        return inputs
    vectors, weight = (
        np.zeros((len(matrix), 1), np.float32) for matrix in (inputs.vectors, inputs.weight)
    )
    return Inputs(vectors, weight)
