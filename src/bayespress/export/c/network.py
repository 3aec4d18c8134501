"""The recurrent layer and the output layer in C."""

from __future__ import annotations

import numpy as np

from bayespress.compact import CompactLSTM, CompactModel
from bayespress.compact.model import FloatArray
from bayespress.export.c import matrices
from bayespress.export.c.literals import constants, float_array, integer_array, template
from bayespress.runtime.activations import hard_sigmoid, sigmoid

_FAST_TABLE = 2**21
"""Numbers that a compiler reads in a few seconds."""


def layers(model: CompactModel, inputs: str, *, fast: bool = False) -> str:
    """Define the step of a model and its output.

    Parameters
    ----------
    model
        The model.
    inputs
        Definition of ``begin_gates(row, live)``, which is left out where no gate is live.
    fast
        Whether it may be larger where it is faster so.
    """
    return "".join([
        _step(model.lstm, inputs, fast=fast),
        float_array("output_bias", model.output_bias),
        matrices.product("output", model.output_weight),
        template("softmax.c"),
    ])  # fmt: skip


def stack_bytes(lstm: CompactLSTM, more: int) -> int:
    """Tell about how much stack a call takes that needs so many bytes besides a step's gates."""
    floats = 6 * lstm.hidden_size + len(lstm.live_gates)
    return -(-(4 * floats + more + 400) // 100) * 100


def word_input(rows: FloatArray, lstm: CompactLSTM, *, fast: bool) -> str:
    """Define ``begin_gates(row, live)``: the live gates' biases and what a word adds to them.

    What a word adds to the gates is either looked up or computed: whichever takes fewer bytes, or
    where it should be `fast`, looked up with the biases unless the table were large.

    Parameters
    ----------
    rows
        The word vectors, shape ``(words, input)``; row 0 of the program is the zero vector.
    lstm
        The layer that they enter.
    fast
        Whether the table may be larger.
    """
    added = np.asarray(rows @ lstm.weight_ih.T, np.float32)
    if fast and added.size <= _FAST_TABLE:
        return _whole_table(added, lstm.bias[lstm.live_gates])
    factors = matrices.table_bytes(rows) + matrices.product_bytes(lstm.weight_ih)
    if matrices.table_bytes(added) <= factors or not added.any():
        return one_hot_input(lstm, added)
    return "".join([
        _live_bias(lstm),
        matrices.table("embedding", rows),
        matrices.product("weight_ih", lstm.weight_ih),
        template("input_product.c", dims=rows.shape[1]),
        template("input_bias.c"),
    ])  # fmt: skip


def one_hot_input(lstm: CompactLSTM, added: FloatArray) -> str:
    """Define ``begin_gates(row, live)`` by what each row adds, shape ``(rows, live)``."""
    table = matrices.table("table", added) + template("input_table.c")
    return _live_bias(lstm) + table + template("input_bias.c")


def _whole_table(added: FloatArray, bias: FloatArray) -> str:
    table = np.concatenate([np.zeros_like(added[:1]), added]) + bias if len(added) else bias[None]
    return float_array("begin_values", table) + template("input_whole.c")


def _live_bias(lstm: CompactLSTM) -> str:
    return float_array("live_bias", lstm.bias[lstm.live_gates])


def _step(lstm: CompactLSTM, inputs: str, *, fast: bool) -> str:
    memory = constants(NEURONS=lstm.hidden_size, MEMORY=max(lstm.hidden_size, 1))
    if lstm.hidden_size == 0:
        return memory + template("step_none.c")
    live = len(lstm.live_gates)
    parts = [memory, template("tanh.c")]
    if live < len(lstm.bias):
        parts.append(float_array("constant_gates", _constant_gates(lstm)))
    parts.append(_live_gates(lstm, inputs, fast=fast) if live else template("gates_none.c"))
    return "".join([*parts, template("step.c")])


def _live_gates(lstm: CompactLSTM, inputs: str, *, fast: bool) -> str:
    live, hidden = lstm.live_gates, lstm.hidden_size
    first, last = np.searchsorted(live, (2 * hidden, 3 * hidden)).tolist()
    is_some = len(live) < len(lstm.bias)
    return "".join([
        constants(NUM_LIVE=len(live), CELL_INPUT_FIRST=first, CELL_INPUT_LAST=last),
        integer_array("live_gates", live.tolist()) if is_some else "",
        inputs,
        matrices.product("recurrent", lstm.weight_hh, fast=fast),
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
