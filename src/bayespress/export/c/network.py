"""The network of a model in C, and how the functions around it speak of its memory."""

from __future__ import annotations

from dataclasses import dataclass

from bayespress.compact import CompactClassifier, CompactLSTM, CompactModel
from bayespress.compact.layout import cells_of
from bayespress.export.c import cell, matrices
from bayespress.export.c.inputs import word_inputs
from bayespress.export.c.literals import float_array


@dataclass(frozen=True)
class Network:
    """A network in C.

    Attributes
    ----------
    source
        Definition of ``read_row(row, memory)`` and of what it needs.
    begin
        Definition of what is remembered before the first row.
    parameters, inner, outer
        How a function declares what is remembered, how it hands it on, and how the function does
        that has the definition.
    remembered, result, features
        How the function that answers declares what is remembered, how it is given that, and where
        it finds what the output layer reads.
    """

    source: str
    begin: str
    parameters: str
    inner: str
    outer: str
    remembered: str
    result: str
    features: str


def papers(model: CompactClassifier, *, fast: bool) -> Network:
    """Define the papers' network: one LSTM, whose last state counts."""
    shared, (inputs,) = word_inputs(model.embedding, [model.lstm], [""], fast=fast)
    return Network(
        source=(shared if inputs else "") + only_cell(model.lstm, inputs, fast=fast),
        begin="float hidden[MEMORY] = {0}, cell[MEMORY] = {0};",
        parameters="float *hidden, float *cell",
        inner="hidden, cell",
        outer="hidden, cell",
        remembered="const float *hidden",
        result="hidden",
        features="hidden",
    )


def is_papers(model: CompactClassifier) -> bool:
    """Whether a network is the papers'."""
    return model.is_plain and isinstance(model.layers[0][0], CompactLSTM)


def only_cell(lstm: CompactLSTM, inputs: str, *, fast: bool = False) -> str:
    """Define ``read_row(row, hidden, cell)``, given that of ``begin_gates(row, live)``."""
    return cell.activations([lstm]) + cell.step(lstm, inputs, fast=fast)


def output(model: CompactModel) -> str:
    """Define the output layer."""
    bias = float_array("output_bias", model.output_bias)
    return bias + matrices.product("output", model.output_weight)


def stack_bytes(model: CompactModel, more: int) -> int:
    """Tell about how much stack a call takes that needs so many bytes beside the numbers."""
    floats = sum(cell.floats(one) for _, one in cells_of(model))
    if isinstance(model, CompactClassifier) and not is_papers(model):
        # A mean's sums are double.
        floats += model.output_weight.shape[1] * (3 if model.pooling == "mean" else 1)
    return -(-(4 * floats + more + 400) // 100) * 100
