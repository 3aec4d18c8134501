"""Layers of a model as nodes: the recurrent ones, and the output layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from bayespress.compact import (
    CompactCell,
    CompactGRU,
    CompactLayer,
    CompactModel,
    layers_of,
    with_layers,
)
from bayespress.compact.model import FloatArray
from bayespress.export.onnx.graph import Graph

ModelT = TypeVar("ModelT", bound=CompactModel)

_HARD_SIGMOID = {"activation_alpha": [0.2], "activation_beta": [0.5]}


@dataclass(frozen=True)
class Operator:
    """ONNX's operator of a kind of cell.

    Attributes
    ----------
    name
        Its name.
    gate_order
        Where its gates stand in the order of a model.
    tanhs
        How many of its activations, behind that of the gates, are tanh.
    outputs
        Names of its outputs: the states after every step, then what it has after the last.
    attributes
        What else it is told.
    """

    name: str
    gate_order: Sequence[int]
    tanhs: int
    outputs: Sequence[str]
    attributes: Mapping[str, Any]

    def activations(self, gate_activation: str) -> Mapping[str, Any]:
        """Tell the operator its activations."""
        is_hard = gate_activation == "hard_sigmoid"
        gates = "HardSigmoid" if is_hard else "Sigmoid"
        named = {"activations": [gates, *["Tanh"] * self.tanhs]}
        return {**named, **_HARD_SIGMOID} if is_hard else named


OPERATORS: Mapping[str, Operator] = {
    # ONNX's gates: i, o, f, c.
    "lstm": Operator("LSTM", [0, 3, 1, 2], 2, ["every_h", "last_h", "last_c"], {}),
    # ONNX's gates: z, r, h. The reset gate stands behind the recurrent product, as in PyTorch.
    "gru": Operator("GRU", [1, 0, 2], 1, ["every_h", "last_h"], {"linear_before_reset": 1}),
}


def with_neurons(model: ModelT) -> ModelT:
    """Give cells without neurons one whose state stays zero: ONNX has no layer without any."""
    layers: list[CompactLayer] = []
    below: CompactLayer = ()
    for layer in layers_of(model):
        read = [replace(cell, weight_ih=_widened(cell.weight_ih, below)) for cell in layer]
        layers.append(tuple(map(_with_neuron, read)))
        below = layer
    weight = _widened(model.output_weight, below)
    return replace(with_layers(model, tuple(layers)), output_weight=weight)


def _with_neuron(cell: CompactCell) -> CompactCell:
    if cell.hidden_size:
        return cell
    zeros = np.zeros(len(cell.gates), np.float32)
    more: dict[str, Any] = {"hidden_bias": zeros[:1]} if isinstance(cell, CompactGRU) else {}
    # Without a live gate: tanh(0) is the new state, whatever the other gates are.
    return replace(cell, weight_hh=np.zeros((0, 1), np.float32), bias=zeros, **more)


def _widened(weight: FloatArray, layer: CompactLayer) -> FloatArray:
    """Put a column of zeros where :func:`with_neurons` gives a neuron to what the weights read."""
    sizes = np.array([cell.hidden_size for cell in layer], np.intp)
    starts = np.cumsum(sizes) - sizes
    widened: FloatArray = np.insert(weight, starts[sizes == 0], 0, axis=1)
    return widened


def add_vectors(graph: Graph, vectors: FloatArray, rows: str) -> str:
    """Look up the vectors of rows, ``(batch, length)``; shape ``(length, batch, width)``."""
    by_step = graph.add("Transpose", rows, output="rows_by_step", perm=[1, 0])
    return graph.add("Gather", graph.array("vectors", vectors), by_step, output="read")


def add_cell(
    graph: Graph,
    cell: CompactCell,
    read: str,
    others: Sequence[str],
    end: str = "",
    *,
    backward: bool = False,
) -> Sequence[str]:
    """Add a recurrent cell.

    Parameters
    ----------
    graph
        Where to add it.
    cell
        The cell.
    read
        What it reads, shape ``(length, batch, input)``.
    others
        ONNX's inputs ``sequence_lens``, ``initial_h`` and ``initial_c``, which a GRU goes without;
        empty names leave one out.
    end
        End of the names of what is added, see :func:`bayespress.compact.layout.suffix`.
    backward
        Whether it reads from the last token of each sequence to the first.

    Returns
    -------
    sequence of str
        ONNX's outputs: the states after every step, shape ``(length, 1, batch, H)``, and ``h``, of
        an LSTM also ``c``, after the last, shape ``(1, batch, H)``.
    """
    operator = OPERATORS[cell.name]
    gates = np.arange(len(cell.bias)).reshape(len(cell.gates), -1)[operator.gate_order].reshape(-1)
    # Weights stay a row for each live gate; all others share the row of zeros behind them.
    row_of_gate = np.full(len(gates), len(cell.live_gates))
    row_of_gate[cell.live_gates] = np.arange(len(cell.live_gates))
    places = graph.integers(f"row_of_gate{end}", row_of_gate[gates][None])
    weights = [
        graph.add(
            "Gather",
            graph.array(f"live_{name}{end}", _with_zeros(matrix)),
            places,
            output=f"{name}{end}",
        )
        for name, matrix in (("weight_ih", cell.weight_ih), ("weight_hh", cell.weight_hh))
    ]
    bias = np.concatenate([cell.bias[gates], _recurrent_bias(cell)[gates]])[None]
    # As many outputs as others: a GRU has no c.
    others = others[: len(operator.outputs)]
    return graph.add_many(
        operator.name,
        [read, *weights, graph.constant(f"bias{end}", bias), *others],
        [f"{name}{end}" for name in operator.outputs],
        hidden_size=cell.hidden_size,
        **({"direction": "reverse"} if backward else {}),
        **operator.attributes,
        **operator.activations(cell.gate_activation),
    )


def _recurrent_bias(cell: CompactCell) -> FloatArray:
    """Give the bias within the recurrent product, which a GRU's new state alone has."""
    bias = np.zeros_like(cell.bias)
    if isinstance(cell, CompactGRU):
        bias[-cell.hidden_size :] = cell.hidden_bias
    return bias


def _with_zeros(matrix: FloatArray) -> FloatArray:
    return np.concatenate([matrix, np.zeros((1, matrix.shape[1]), np.float32)])


def add_logits(graph: Graph, model: CompactModel, state: str) -> str:
    """Add the output layer."""
    weight = graph.array("output_weight", model.output_weight.T)
    product = graph.add("MatMul", state, weight, output="product")
    bias = graph.constant("output_bias", model.output_bias)
    return graph.add("Add", product, bias, output="logits")
