"""Matrices as C: what was pruned from them costs neither bytes nor multiplications."""

from __future__ import annotations

import numpy as np

from bayespress.compact.model import FloatArray
from bayespress.export.c.literals import (
    float_array,
    integer_array,
    integer_type,
    template,
    width,
)


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


def product(name: str, matrix: FloatArray) -> str:
    """Define ``add_NAME(from, to)``, which adds the product of the matrix and a vector."""
    if not matrix.any():
        return _none("product", name, matrix)
    if not _is_sparse(matrix):
        # Column by column: a row's sum has an order, which vector instructions cannot keep.
        return float_array(f"{name}_values", matrix.T) + _function("product_dense", name, matrix)
    ends = np.count_nonzero(matrix, axis=1).cumsum()
    array = integer_array(f"{name}_ends", ends.tolist())
    return array + _entries(name, matrix) + _function("product_sparse", name, matrix)


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


def _function(form: str, name: str, matrix: FloatArray) -> str:
    rows, columns = matrix.shape
    kept = f"{np.count_nonzero(matrix):,} of {matrix.size:,}"
    comment = f"{name}: {rows} rows, {columns} columns, {kept} weights are left."
    return template(f"{form}.c", matrix=name, rows=rows, columns=columns, comment=comment)
