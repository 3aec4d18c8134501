"""The recurrent layer and the output layer in C."""

from __future__ import annotations

import numpy as np

from bayespress.compact import CompactLSTM, CompactModel
from bayespress.compact.model import FloatArray
from bayespress.export.c import matrices
from bayespress.export.c.literals import constants, float_array, integer_array, template
from bayespress.runtime.lstm import hard_sigmoid, sigmoid

_FAST_TABLE = 2**21
"""Numbers that a compiler reads in a few seconds."""


def layers(model: CompactModel, inputs: str) -> str:
    """Define the step of a model and its output.

    Parameters
    ----------
    model
        The model.
    inputs
        Definition of ``add_input(row, live)``, which is left out where no gate is live.
    """
    return "".join([
        _step(model.lstm, inputs),
        float_array("output_bias", model.output_bias),
        matrices.product("output", model.output_weight),
        template("softmax.c"),
    ])  # fmt: skip


def stack_bytes(lstm: CompactLSTM, more: int) -> int:
    """Tell about how much stack a call takes that needs so many bytes besides a step's gates."""
    floats = 6 * lstm.hidden_size + len(lstm.live_gates)
    return -(-(4 * floats + more + 400) // 100) * 100


def add_input(rows: FloatArray, weight_ih: FloatArray, *, fast: bool) -> str:
    """Define ``add_input(row, live)`` for a table of word vectors.

    What a word adds to the gates is either looked up or computed: whichever takes fewer bytes, or
    where it should be `fast`, looked up unless the table were large.
    """
    added = np.asarray(rows @ weight_ih.T, np.float32)
    factors = matrices.table_bytes(rows) + matrices.product_bytes(weight_ih)
    is_small = matrices.table_bytes(added) <= factors or (fast and added.size <= _FAST_TABLE)
    if is_small or not added.any():
        return matrices.table("table", added) + template("input_table.c")
    return "".join([
        matrices.table("embedding", rows),
        matrices.product("weight_ih", weight_ih),
        template("input_product.c", dims=rows.shape[1]),
    ])  # fmt: skip


def _step(lstm: CompactLSTM, inputs: str) -> str:
    memory = constants(NEURONS=lstm.hidden_size, MEMORY=max(lstm.hidden_size, 1))
    if lstm.hidden_size == 0:
        return memory + template("step_none.c")
    live = len(lstm.live_gates)
    parts = [memory, template("tanh.c")]
    if live < len(lstm.bias):
        parts.append(float_array("constant_gates", _constant_gates(lstm)))
    parts.append(_live_gates(lstm, inputs) if live else template("gates_none.c"))
    return "".join([*parts, template("step.c")])


def _live_gates(lstm: CompactLSTM, inputs: str) -> str:
    live, hidden = lstm.live_gates, lstm.hidden_size
    first, last = np.searchsorted(live, (2 * hidden, 3 * hidden)).tolist()
    is_some = len(live) < len(lstm.bias)
    return "".join([
        constants(NUM_LIVE=len(live), CELL_INPUT_FIRST=first, CELL_INPUT_LAST=last),
        integer_array("live_gates", live.tolist()) if is_some else "",
        float_array("live_bias", lstm.bias[live]),
        inputs,
        matrices.product("recurrent", lstm.weight_hh),
        template(f"{lstm.gate_activation}.c"),
        template("preactivations.c"),
        template("gates_some.c" if is_some else "gates_all.c"),
    ])  # fmt: skip


def _constant_gates(lstm: CompactLSTM) -> FloatArray:
    """Give each gate's value if it does not depend on what is read; zero for live ones."""
    values, hidden = lstm.bias.copy(), lstm.hidden_size
    (hard_sigmoid if lstm.gate_activation == "hard_sigmoid" else sigmoid)(values)
    values[2 * hidden : 3 * hidden] = np.tanh(lstm.bias[2 * hidden : 3 * hidden])
    values[lstm.live_gates] = 0
    return values
