"""The network of a model as a graph of ONNX's own operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import (
    CompactClassifier,
    CompactLanguageModel,
    CompactLSTM,
    CompactModel,
    with_layers,
)
from bayespress.compact.model import FloatArray
from bayespress.export.onnx.graph import FLOAT, INT32, INT64, Graph

ModelT = TypeVar("ModelT", bound=CompactModel)

_GATE_ORDER = [0, 3, 1, 2]
"""Where ONNX's gates i, o, f, c stand in the order i, f, g, o of a model."""
_ACTIVATIONS: Mapping[str, Mapping[str, Any]] = {
    "sigmoid": {"activations": ["Sigmoid", "Tanh", "Tanh"]},
    "hard_sigmoid": {
        "activations": ["HardSigmoid", "Tanh", "Tanh"],
        "activation_alpha": [0.2],
        "activation_beta": [0.5],
    },
}


@dataclass(frozen=True)
class Inputs:
    """What the recurrent layer reads at a step, and its weights.

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


def graph_of(model: CompactModel) -> Graph:
    """Give a model's graph; ``docs/onnx.md`` describes its inputs and outputs."""
    if isinstance(model, CompactLanguageModel):
        return _language_model(_with_neuron(model))
    return _classifier(_with_neuron(model))


def _with_neuron(model: ModelT) -> ModelT:
    """Give a model without neurons one whose state stays zero: ONNX has no layer without any."""
    if model.lstm.hidden_size:
        return model
    none, zeros = np.zeros((0, 1), np.float32), np.zeros(4, np.float32)
    lstm = replace(model.lstm, weight_hh=none, bias=zeros)
    weight = np.zeros((len(model.output_bias), 1), np.float32)
    return replace(with_layers(model, ((lstm,),)), output_weight=weight)


def _classifier(model: CompactClassifier) -> Graph:
    graph = Graph()
    ids = graph.add_input("ids", INT64, ["batch", "length"])
    lengths = graph.add_input("lengths", INT64, ["batch"])
    inputs = _of_words(model.embedding, model.lstm.weight_ih)
    steps = graph.add("Cast", lengths, output="steps", to=INT32)
    _, last, _ = _layer(graph, model.lstm, inputs, ids, [steps, "", ""])
    state = graph.add("Squeeze", last, graph.integers("first", [0]), output="state_at_end")
    logits = _logits(graph, model, _zero_where_empty(graph, state, lengths))
    _probabilities(graph, logits, len(model.output_bias))
    graph.add_output("probabilities", FLOAT, ["batch", len(model.labels)])
    graph.add_output("logits", FLOAT, ["batch", len(model.output_bias)])
    return graph


def _zero_where_empty(graph: Graph, state: str, lengths: str) -> str:
    """Make the state of texts without tokens zero, of which ONNX says nothing."""
    zero = graph.constant("zero", np.zeros(1, np.float32))
    is_read = graph.add("Greater", lengths, graph.integers("none", [0]), output="is_read")
    column = graph.add("Unsqueeze", is_read, graph.integers("second", [1]), output="is_read_column")
    return graph.add("Where", column, state, zero, output="state")


def _probabilities(graph: Graph, logits: str, outputs: int) -> None:
    if outputs == 1:
        # Log odds: a softmax over 0 and the logit is [1 - p, p].
        before = graph.integers("zero_before", [0, 1, 0, 0])
        logits = graph.add("Pad", logits, before, output="both_logits")
    graph.add("Softmax", logits, output="probabilities", axis=1)


def _language_model(model: CompactLanguageModel) -> Graph:
    graph, hidden = Graph(), model.lstm.hidden_size
    ids = graph.add_input("ids", INT64, ["batch", "length"])
    state = [graph.add_input(name, FLOAT, ["batch", hidden]) for name in ("h0", "c0")]
    first = graph.integers("first", [0])
    before = [graph.add("Unsqueeze", name, first, output=f"{name}_before") for name in state]
    rows = graph.add("Gather", graph.array("row_of_token", _rows(model)), ids, output="rows")
    inputs = _of_one_hot(model.lstm.weight_ih)
    every, *after = _layer(graph, model.lstm, inputs, rows, ["", *before])
    steps = graph.add("Squeeze", every, graph.integers("direction", [1]), output="states_by_step")
    _logits(graph, model, graph.add("Transpose", steps, output="states", perm=[1, 0, 2]))
    graph.add_output("logits", FLOAT, ["batch", "length", len(model.output_bias)])
    is_read = _is_any_read(graph, ids)
    for name, old, new in zip(("h", "c"), state, after, strict=True):
        flat = graph.add("Squeeze", new, first, output=f"{name}_at_end")
        graph.add("Where", is_read, flat, old, output=name)
        graph.add_output(name, FLOAT, ["batch", hidden])
    return graph


def _is_any_read(graph: Graph, ids: str) -> str:
    """Tell whether there is a step: without any, ONNX's layer forgets the state that it got."""
    shape = graph.add("Shape", ids, output="shape")
    length = graph.add("Gather", shape, graph.integers("length_axis", [1]), output="length")
    return graph.add("Greater", length, graph.integers("none", [0]), output="is_any_read")


def _rows(model: CompactLanguageModel) -> NDArray[np.int32]:
    """Give each token's row of :func:`_of_one_hot`, 0 if it is not read; shape ``(tokens,)``."""
    rows = np.zeros(len(model.encoder.tokens), np.int32)
    rows[model.inputs] = np.arange(1, len(model.inputs) + 1)
    return rows


def _of_words(embedding: FloatArray, weight_ih: FloatArray) -> Inputs:
    """Read word vectors, or what they add to the live gates where that takes fewer numbers."""
    live, dims = weight_ih.shape
    vectors = np.concatenate([np.zeros((1, dims), np.float32), embedding])
    both = [Inputs(vectors, weight_ih)]
    if live < dims:
        both.append(Inputs(vectors @ weight_ih.T, np.eye(live, dtype=np.float32)))
    return _with_width(min(both, key=lambda inputs: inputs.entries))


def _of_one_hot(weight_ih: FloatArray) -> Inputs:
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


def _layer(
    graph: Graph, lstm: CompactLSTM, inputs: Inputs, rows: str, others: Sequence[str]
) -> Sequence[str]:
    """Add the recurrent layer.

    Parameters
    ----------
    graph
        Where to add it.
    lstm
        The layer; its input weights are those of `inputs`.
    inputs
        What it reads.
    rows
        Rows of the vectors, shape ``(batch, length)``.
    others
        ONNX's inputs ``sequence_lens``, ``initial_h`` and ``initial_c``; empty names leave one out.

    Returns
    -------
    sequence of str
        ONNX's outputs: the states after every step, shape ``(length, 1, batch, H)``, and ``h`` and
        ``c`` after the last, shape ``(1, batch, H)``.
    """
    by_step = graph.add("Transpose", rows, output="rows_by_step", perm=[1, 0])
    vectors = graph.add("Gather", graph.array("vectors", inputs.vectors), by_step, output="read")
    gates = np.arange(4 * lstm.hidden_size).reshape(4, -1)[_GATE_ORDER].reshape(-1)
    # Weights stay a row for each live gate; all others share the row of zeros behind them.
    row_of_gate = np.full(len(gates), len(lstm.live_gates))
    row_of_gate[lstm.live_gates] = np.arange(len(lstm.live_gates))
    places = graph.integers("row_of_gate", row_of_gate[gates][None])
    weights = [
        graph.add("Gather", graph.array(f"live_{name}", _with_zeros(matrix)), places, output=name)
        for name, matrix in (("weight_ih", inputs.weight), ("weight_hh", lstm.weight_hh))
    ]
    bias = np.concatenate([lstm.bias[gates], np.zeros_like(lstm.bias)])[None]
    return graph.add_many(
        "LSTM",
        [vectors, *weights, graph.constant("bias", bias), *others],
        ["every_h", "last_h", "last_c"],
        hidden_size=lstm.hidden_size,
        **_ACTIVATIONS[lstm.gate_activation],
    )


def _with_zeros(matrix: FloatArray) -> FloatArray:
    return np.concatenate([matrix, np.zeros((1, matrix.shape[1]), np.float32)])


def _logits(graph: Graph, model: CompactModel, state: str) -> str:
    weight = graph.array("output_weight", model.output_weight.T)
    product = graph.add("MatMul", state, weight, output="product")
    bias = graph.constant("output_bias", model.output_bias)
    return graph.add("Add", product, bias, output="logits")
