"""What a cell's live gates begin with in C: their biases and what the cell reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayespress.compact import CompactCell
from bayespress.compact.model import FloatArray
from bayespress.export.c import matrices
from bayespress.export.c.literals import float_array, template

_FAST_TABLE = 2**21
"""Numbers that a compiler reads in a few seconds."""


def word_inputs(
    rows: FloatArray, cells: Sequence[CompactCell], ends: Sequence[str], *, fast: bool
) -> tuple[str, list[str]]:
    """Define ``begin_gates(row, live)`` of cells that read words: what a word adds to the biases.

    What a word adds to the gates is either looked up or computed: whichever takes fewer bytes, or
    where it should be `fast`, looked up with the biases unless the table were large.

    Parameters
    ----------
    rows
        The word vectors, shape ``(words, input)``; row 0 of the program is the zero vector.
    cells
        The cells that they enter.
    ends
        Of the names of each cell's functions.
    fast
        Whether the table may be larger.

    Returns
    -------
    shared, definitions
        What all need, and a definition for each; there is none where no gate is live.
    """
    added = [np.asarray(rows @ cell.weight_ih.T, np.float32) for cell in cells]
    each = list(zip(cells, added, ends, strict=True))
    if fast and max(table.size for table in added) <= _FAST_TABLE:
        return "", [_if_live(cell, _whole_table(cell, table, end)) for cell, table, end in each]
    factors = matrices.table_bytes(rows) + sum(
        matrices.product_bytes(cell.weight_ih) for cell in cells
    )
    tables = sum(map(matrices.table_bytes, added))
    if tables <= factors or not any(table.any() for table in added):
        return "", [_if_live(cell, one_hot_input(cell, table, end)) for cell, table, end in each]
    products = [_if_live(cell, _word_product(cell, end)) for cell, _, end in each]
    return matrices.table("embedding", rows), products


def one_hot_input(cell: CompactCell, added: FloatArray, end: str = "") -> str:
    """Define ``begin_gates(row, live)`` by what each row adds, shape ``(rows, live)``."""
    table = matrices.table(f"table{end}", added) + template("input_table.c", end=end)
    return _live_bias(cell, end) + table + template("input_bias.c", end=end)


def vector_input(cell: CompactCell, end: str, *, fast: bool) -> str:
    """Define ``begin_gates(row, live)`` for a row of numbers, such as the layer below gives."""
    product = matrices.product(f"weight_ih{end}", cell.weight_ih, fast=fast)
    return _if_live(cell, _live_bias(cell, end) + product + template("input_vector.c", end=end))


def _if_live(cell: CompactCell, definition: str) -> str:
    return definition if len(cell.live_gates) else ""


def _word_product(cell: CompactCell, end: str) -> str:
    return "".join([
        _live_bias(cell, end),
        matrices.product(f"weight_ih{end}", cell.weight_ih),
        template("input_product.c", dims=cell.weight_ih.shape[1], end=end),
        template("input_bias.c", end=end),
    ])  # fmt: skip


def _whole_table(cell: CompactCell, added: FloatArray, end: str) -> str:
    bias = cell.bias[cell.live_gates]
    table = np.concatenate([np.zeros_like(added[:1]), added]) + bias if len(added) else bias[None]
    names = {"end": end, "END": end.upper()}
    return float_array(f"begin_values{end}", table) + template("input_whole.c", **names)


def _live_bias(cell: CompactCell, end: str) -> str:
    return float_array(f"live_bias{end}", cell.bias[cell.live_gates])
