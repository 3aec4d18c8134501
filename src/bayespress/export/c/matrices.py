"""Matrices as C: what was pruned from them costs neither bytes nor multiplications."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.model import FloatArray
from bayespress.export.c.literals import (
    float_array,
    integer_array,
    integer_type,
    template,
    width,
)

_FEW = 16
"""Columns whose product is written out."""


def dense_bytes(matrix: FloatArray) -> int:
    """Bytes of all numbers."""
    return 4 * matrix.size


def sparse_bytes(matrix: FloatArray) -> int:
    """Bytes of the numbers other than zero, of their columns and of the rows' ends."""
    count = int(np.count_nonzero(matrix))
    return count * (4 + width(matrix.shape[1])) + len(matrix) * width(count)


def table_bytes(matrix: FloatArray) -> int:
    """Bytes of what :func:`table` defines."""
    return min(dense_bytes(matrix), sparse_bytes(matrix))


def table(name: str, matrix: FloatArray) -> str:
    """Define ``add_NAME(row, to)``, which adds a row of the matrix; stored by the smaller form."""
    if not matrix.any():
        return _none("table", name, matrix)
    if dense_bytes(matrix) <= sparse_bytes(matrix):
        return float_array(f"{name}_values", matrix) + _function("table_dense", name, matrix)
    starts = np.concatenate([[0], np.count_nonzero(matrix, axis=1).cumsum()])
    array = integer_array(f"{name}_starts", starts.tolist())
    return array + _entries(name, matrix) + _function("table_sparse", name, matrix)


def product_bytes(matrix: FloatArray) -> int:
    """Bytes of what :func:`product` defines."""
    return sparse_bytes(matrix) if _is_sparse(matrix) else dense_bytes(matrix)


def product(name: str, matrix: FloatArray, *, fast: bool = False) -> str:
    """Define ``add_NAME(from, to)``, which adds the product of the matrix and a vector.

    Where it should be `fast`, zeros of a matrix with few columns are multiplied too.
    """
    if not matrix.any():
        return _none("product", name, matrix)
    used = np.flatnonzero(matrix.any(axis=0))
    has_few = len(used) <= _FEW
    if not _is_sparse(matrix) or (fast and has_few):
        # Column by column: a row's sum has an order, which vector instructions cannot keep.
        return _few(name, matrix, used) if has_few else _dense(name, matrix)
    ends = np.count_nonzero(matrix, axis=1).cumsum()
    array = integer_array(f"{name}_ends", ends.tolist())
    return array + _entries(name, matrix) + _function("product_sparse", name, matrix)


def _dense(name: str, matrix: FloatArray) -> str:
    return float_array(f"{name}_values", matrix.T) + _function("product_dense", name, matrix)


def _few(name: str, matrix: FloatArray, columns: NDArray[np.intp]) -> str:
    """Write the sum over these columns, which all others are without."""
    size = len(matrix)
    terms = [
        f"{name}_values[{place * size} + k] * from[{column}]"
        for place, column in enumerate(columns.tolist())
    ]
    array = float_array(f"{name}_values", matrix[:, columns].T)
    return array + _function("product_few", name, matrix, sum=_in_pairs(terms))


def _in_pairs(terms: Sequence[str]) -> str:
    r"""Add terms so that few of the sums wait for one another.

    Examples
    --------
    >>> print(_in_pairs(["a", "b", "c", "d", "e"]))
    ((a
                  + b)
                 + (c
                  + d))
                 + e
    """
    if len(terms) == 1:
        return terms[0]
    half = 1 << (len(terms) - 1).bit_length() - 1
    sides = (terms[:half], terms[half:])
    first, second = (f"({_in_pairs(side)})" if len(side) > 1 else side[0] for side in sides)
    return f"{first}\n                 + {second}"


def _is_sparse(matrix: FloatArray) -> bool:
    # Vector instructions do not help with a list of entries: few of them must be left.
    return 2 * sparse_bytes(matrix) <= dense_bytes(matrix)


def _entries(name: str, matrix: FloatArray) -> str:
    rows, columns = np.nonzero(matrix)
    kind = integer_type(matrix.shape[1])
    return integer_array(f"{name}_columns", columns.tolist(), kind) + float_array(
        f"{name}_values", matrix[rows, columns]
    )


def _none(form: str, name: str, matrix: FloatArray) -> str:
    return _function(f"{form}_none", name, matrix)


def _function(form: str, name: str, matrix: FloatArray, **more: str) -> str:
    rows, columns = matrix.shape
    kept = f"{np.count_nonzero(matrix):,} of {matrix.size:,}"
    comment = f"{name}: {rows} rows, {columns} columns, {kept} weights are left."
    return template(f"{form}.c", matrix=name, rows=rows, columns=columns, comment=comment, **more)
