"""A classifier's network as a graph: recurrent layers, pooling, output layer, probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayespress.compact import CompactClassifier, CompactLayer
from bayespress.compact.layout import suffix
from bayespress.compact.model import FloatArray
from bayespress.export.onnx.graph import DOUBLE, FLOAT, INT32, INT64, Graph
from bayespress.export.onnx.inputs import of_words
from bayespress.export.onnx.layers import add_cell, add_logits, add_vectors

_LOWEST = np.finfo(np.float32).min


def classifier_graph(model: CompactClassifier) -> Graph:
    """Give a classifier's graph; each of its cells has a neuron."""
    graph = Graph()
    ids = graph.add_input("ids", INT64, ["batch", "length"])
    lengths = graph.add_input("lengths", INT64, ["batch"])
    first, *above = model.layers
    inputs = of_words(model.embedding, np.concatenate([cell.weight_ih for cell in first]))
    steps = graph.add("Cast", lengths, output="steps", to=INT32)
    read = add_vectors(graph, inputs.vectors, ids)
    cells = _layer(graph, _with_weights(first, inputs.weight), 0, read, steps)
    for number, layer in enumerate(above, 1):
        read = _every_state(graph, cells, suffix(number - 1, 0))
        cells = _layer(graph, layer, number, read, steps)
    if model.pooling == "last":
        state = _last_state(graph, cells, lengths)
    else:
        state = _pooled(graph, model.pooling, _every_state(graph, cells, "_at_top"), lengths)
    logits = add_logits(graph, model, state)
    _probabilities(graph, model, logits)
    graph.add_output("probabilities", FLOAT, ["batch", len(model.labels)])
    graph.add_output("logits", FLOAT, ["batch", len(model.output_bias)])
    return graph


def _with_weights(layer: CompactLayer, weight: FloatArray) -> CompactLayer:
    """Give a layer's cells the input weights of all their live gates, one cell after another."""
    ends = np.cumsum([len(cell.live_gates) for cell in layer])
    parts = np.split(weight, ends[:-1])
    return tuple(replace(cell, weight_ih=own) for cell, own in zip(layer, parts, strict=True))


def _layer(
    graph: Graph, layer: CompactLayer, number: int, read: str, steps: str
) -> Sequence[Sequence[str]]:
    """Add the cells of a layer; give the outputs of each."""
    # A node for each direction: in one, both would have as many neurons.
    return [
        add_cell(
            graph, cell, read, [steps, "", ""], suffix(number, direction), backward=direction == 1
        )
        for direction, cell in enumerate(layer)
    ]


def _every_state(graph: Graph, cells: Sequence[Sequence[str]], end: str) -> str:
    """Join the cells' states at every step, shape ``(length, batch, F)``."""
    both = _joined(graph, [outputs[0] for outputs in cells], f"every_h_of_both{end}", axis=3)
    axis = graph.integers(f"direction{end}", [1])
    return graph.add("Squeeze", both, axis, output=f"states{end}")


def _last_state(graph: Graph, cells: Sequence[Sequence[str]], lengths: str) -> str:
    """Join the cells' states after their last step, shape ``(batch, F)``."""
    both = _joined(graph, [outputs[1] for outputs in cells], "last_h_of_both", axis=2)
    state = graph.add("Squeeze", both, graph.integers("first", [0]), output="state_at_end")
    return _zero_where_empty(graph, state, lengths)


def _joined(graph: Graph, parts: Sequence[str], name: str, axis: int) -> str:
    return graph.add("Concat", *parts, output=name, axis=axis) if len(parts) > 1 else parts[0]


def _pooled(graph: Graph, pooling: str, states: str, lengths: str) -> str:
    """Fold the states at the tokens of each text, ``(length, batch, F)``, over the first axis."""
    # One step more, which no text reaches: there is one to fold in any batch.
    one_behind = graph.integers("one_behind", [0, 0, 0, 1, 0, 0])
    states = graph.add("Pad", states, one_behind, output="padded_states")
    is_token = _is_token(graph, states, lengths)
    if pooling == "max":
        lowest = graph.constant("lowest", np.full(1, _LOWEST))
        masked = graph.add("Where", is_token, states, lowest, output="states_of_tokens")
        largest = graph.add("ReduceMax", masked, output="largest", axes=[0], keepdims=0)
        return _zero_where_empty(graph, largest, lengths)
    zero = graph.constant("zero", np.zeros(1, np.float32))
    masked = graph.add("Where", is_token, states, zero, output="states_of_tokens")
    # In double precision: over many tokens, the order of single sums would show.
    wide = graph.add("Cast", masked, output="wide_states", to=DOUBLE)
    axis = graph.integers("first", [0])
    total = graph.add("ReduceSum", wide, axis, output="sum_of_states", keepdims=0)
    mean = graph.add("Div", total, _divisor(graph, lengths), output="mean_of_states")
    return graph.add("Cast", mean, output="state", to=FLOAT)


def _is_token(graph: Graph, states: str, lengths: str) -> str:
    """Tell which steps a text has, shape ``(length, batch, 1)``."""
    shape = graph.add("Shape", states, output="shape_of_states")
    count = graph.add("Gather", shape, graph.integers("axis_of_steps", 0), output="step_count")
    start, step = graph.integers("step_start", 0), graph.integers("step_by", 1)
    every = graph.add("Range", start, count, step, output="every_step")
    axes = graph.integers("axes_of_texts", [1, 2])
    number = graph.add("Unsqueeze", every, axes, output="number_of_step")
    ends = graph.add("Unsqueeze", lengths, graph.integers("axis_of_ends", [1]), output="ends")
    return graph.add("Less", number, ends, output="is_token")


def _divisor(graph: Graph, lengths: str) -> str:
    """Give each text's number of tokens, or 1: the sum over none of them is zero already."""
    some = graph.add("Max", lengths, graph.integers("one", [1]), output="some_tokens")
    column = graph.add("Unsqueeze", some, graph.integers("second", [1]), output="count_column")
    return graph.add("Cast", column, output="token_count", to=DOUBLE)


def _zero_where_empty(graph: Graph, state: str, lengths: str) -> str:
    """Make the state of texts without tokens zero, of which ONNX says nothing."""
    zero = graph.constant("zero", np.zeros(1, np.float32))
    is_read = graph.add("Greater", lengths, graph.integers("none", [0]), output="is_read")
    column = graph.add("Unsqueeze", is_read, graph.integers("second", [1]), output="is_read_column")
    return graph.add("Where", column, state, zero, output="state")


def _probabilities(graph: Graph, model: CompactClassifier, logits: str) -> None:
    if model.multi_label:
        graph.add("Sigmoid", logits, output="probabilities")
        return
    if len(model.output_bias) == 1:
        # Log odds: a softmax over 0 and the logit is [1 - p, p].
        before = graph.integers("zero_before", [0, 1, 0, 0])
        logits = graph.add("Pad", logits, before, output="both_logits")
    graph.add("Softmax", logits, output="probabilities", axis=1)
