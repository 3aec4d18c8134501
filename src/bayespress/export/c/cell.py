"""A recurrent cell in C: the function that reads one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayespress.compact import CompactCell, CompactGRU, CompactLSTM
from bayespress.compact.model import FloatArray
from bayespress.export.c import matrices
from bayespress.export.c.literals import constants, float_array, integer_array, template
from bayespress.runtime.activations import hard_sigmoid, sigmoid


def activations(cells: Sequence[CompactCell]) -> str:
    """Define ``tangens(x)`` and ``gate(x)`` if any of the cells needs them; they have one gate."""
    needs_tanh = any(cell.hidden_size for cell in cells)
    needs_gate = any(len(cell.live_gates) for cell in cells)
    gate = template(f"{cells[0].gate_activation}.c") if needs_gate else ""
    return (template("tanh.c") if needs_tanh else "") + gate


def step(
    cell: CompactCell,
    inputs: str,
    *,
    name: str = "read_row",
    end: str = "",
    type_of_row: str = "int ",
    fast: bool = False,
) -> str:
    """Define a cell's function of a row and of its state: h and c of an LSTM, h of a GRU.

    Parameters
    ----------
    cell
        The cell.
    inputs
        Definition of ``begin_gates(row, live)``, empty where no gate is live.
    name
        Of the function.
    end
        Of the names of all that it needs.
    type_of_row
        ``int`` for the number of a word's row, or a pointer to what the layer below gives.
    fast
        Whether it may be larger where it is faster so.
    """
    names = {"end": end, "END": end.upper(), "step": name, "type": type_of_row}
    sizes = {"NEURONS": cell.hidden_size, "MEMORY": max(cell.hidden_size, 1)}
    parts = [_constants(sizes, end)]
    if cell.hidden_size == 0:
        return parts[0] + template(f"{cell.name}_none.c", **names)
    live = len(cell.live_gates)
    if live < len(cell.bias):
        parts.append(float_array(f"constant_gates{end}", _constant_gates(cell)))
    if live:
        parts.append(_live_gates(cell, inputs, names, fast=fast))
    else:
        parts.append(template("gates_none.c", **names))
    return "".join([*parts, template(f"{cell.name}_step.c", **names)])


def floats(cell: CompactCell) -> int:
    """Count the numbers of a cell's state and of what a step computes."""
    live = len(cell.live_gates)
    return 5 * cell.hidden_size + 2 * live if cell.name == "gru" else 6 * cell.hidden_size + live


def _live_gates(cell: CompactCell, inputs: str, names: dict[str, str], *, fast: bool) -> str:
    end, is_some = names["end"], len(cell.live_gates) < len(cell.bias)
    return "".join([
        _constants({"NUM_LIVE": len(cell.live_gates)} | _bounds(cell), end),
        integer_array(f"live_gates{end}", cell.live_gates.tolist()) if is_some else "",
        inputs,
        _product_bias(cell, end) if isinstance(cell, CompactGRU) else "",
        matrices.product(f"recurrent{end}", cell.weight_hh, fast=fast),
        template(f"{cell.name}_compute.c", **names),
        template(f"{cell.name}_some.c" if is_some else f"{cell.name}_all.c", **names),
    ])  # fmt: skip


def _constants(values: dict[str, int], end: str) -> str:
    return constants(**{name + end.upper(): value for name, value in values.items()})


def _bounds(cell: CompactCell) -> dict[str, int]:
    """Tell where gates with tanh stand among the live ones."""
    ends = (2 * cell.hidden_size, 3 * cell.hidden_size)
    first, last = np.searchsorted(cell.live_gates, ends).tolist()
    if isinstance(cell, CompactLSTM):
        return {"CELL_INPUT_FIRST": first, "CELL_INPUT_LAST": last}
    return {"NUM_SWITCHES": first}


def _product_bias(gru: CompactGRU, end: str) -> str:
    """Define the biases of the live gates' recurrent products: those of n alone have one."""
    live, size = gru.live_gates, gru.hidden_size
    bias = np.zeros(len(live), np.float32)
    bias[live >= 2 * size] = gru.hidden_bias[live[live >= 2 * size] - 2 * size]
    return float_array(f"product_bias{end}", bias)


def _constant_gates(cell: CompactCell) -> FloatArray:
    """Give each gate's value if it does not depend on what is read; zero for live ones.

    A GRU's n is given before its tanh, and what r scales within n follows.
    """
    values, size = cell.bias.copy(), cell.hidden_size
    activate = hard_sigmoid if cell.gate_activation == "hard_sigmoid" else sigmoid
    activate(values[: 2 * size])
    activate(values[3 * size :])
    if isinstance(cell, CompactLSTM):
        np.tanh(values[2 * size : 3 * size], out=values[2 * size : 3 * size])
    values[cell.live_gates] = 0
    more = [cell.hidden_bias] if isinstance(cell, CompactGRU) else []
    return np.concatenate([values, *more])
