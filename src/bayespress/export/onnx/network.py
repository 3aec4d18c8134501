"""The network of a model as a graph of ONNX's own operators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactLanguageModel, CompactModel
from bayespress.export.onnx.classifier import classifier_graph
from bayespress.export.onnx.graph import FLOAT, INT64, Graph
from bayespress.export.onnx.inputs import of_one_hot
from bayespress.export.onnx.layers import add_cell, add_logits, add_vectors, with_neurons


def graph_of(model: CompactModel) -> Graph:
    """Give a model's graph; ``docs/onnx.md`` describes its inputs and outputs."""
    if isinstance(model, CompactLanguageModel):
        return _language_model(with_neurons(model))
    return classifier_graph(with_neurons(model))


def _language_model(model: CompactLanguageModel) -> Graph:
    graph, hidden = Graph(), model.lstm.hidden_size
    ids = graph.add_input("ids", INT64, ["batch", "length"])
    state = [graph.add_input(name, FLOAT, ["batch", hidden]) for name in ("h0", "c0")]
    first = graph.integers("first", [0])
    before = [graph.add("Unsqueeze", name, first, output=f"{name}_before") for name in state]
    rows = graph.add("Gather", graph.array("row_of_token", _rows(model)), ids, output="rows")
    inputs = of_one_hot(model.lstm.weight_ih)
    lstm = replace(model.lstm, weight_ih=inputs.weight)
    read = add_vectors(graph, inputs.vectors, rows)
    every, *after = add_cell(graph, lstm, read, ["", *before])
    steps = graph.add("Squeeze", every, graph.integers("direction", [1]), output="states_by_step")
    add_logits(graph, model, graph.add("Transpose", steps, output="states", perm=[1, 0, 2]))
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
    """Give each token's row of :func:`of_one_hot`, 0 if it is not read; shape ``(tokens,)``."""
    rows = np.zeros(len(model.encoder.tokens), np.int32)
    rows[model.inputs] = np.arange(1, len(model.inputs) + 1)
    return rows
