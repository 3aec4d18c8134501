"""An ONNX graph as it grows, with arrays that are stored without their zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import helper, numpy_helper

import bayespress

OPSET, IR_VERSION = 14, 7
"""Of 2021, which old programs read too; the operators that are used here have changed little."""
FLOAT, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
INT32, INT64 = onnx.TensorProto.INT32, onnx.TensorProto.INT64
NODE_BYTES = 400
"""About what the nodes take that fill in an array."""


class Graph:
    """Nodes and constants in the order in which they were added.

    A value is known by its name, which is what the methods give that add one.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def add_input(self, name: str, kind: int, shape: Sequence[str | int]) -> str:
        """Add an input; an axis of any length has a name in the place of a number."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def add_output(self, name: str, kind: int, shape: Sequence[str | int]) -> None:
        """Make a value an output."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def add(self, operator: str, *inputs: str, output: str, **attributes: Any) -> str:
        """Add a node that has one output."""
        return self.add_many(operator, inputs, [output], **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> Sequence[str]:
        """Add a node of several outputs; an empty name leaves an input out."""
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add an array as it is."""
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def integers(self, name: str, values: ArrayLike) -> str:
        """Add integers, such as the axes or the shape that an operator asks for."""
        return self.constant(name, np.array(values, np.int64))

    def array(self, name: str, values: NDArray[Any]) -> str:
        """Add an array; only what is not zero in it, and the places of that, if this is smaller."""
        places = np.flatnonzero(values)
        sparse = places.size * (4 + values.itemsize) + NODE_BYTES
        if sparse >= values.nbytes or values.size > np.iinfo(np.int32).max:
            return self.constant(name, values)
        zero = numpy_helper.from_array(np.zeros(1, values.dtype))
        size = self.integers(f"{name}_size", [values.size])
        zeros = self.add("ConstantOfShape", size, output=f"{name}_zeros", value=zero)
        where = self.constant(f"{name}_places", places.astype(np.int32))
        kept = self.constant(f"{name}_kept", values.reshape(-1)[places])
        flat = self.add("ScatterElements", zeros, where, kept, output=f"{name}_flat")
        return self.add("Reshape", flat, self.integers(f"{name}_shape", values.shape), output=name)

    def serialized(self, metadata: Mapping[str, str]) -> bytes:
        """Give the bytes of the ONNX file; onnx has checked what is in it."""
        graph = helper.make_graph(
            self._nodes, "bayespress", self._inputs, self._outputs, self._constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="bayespress",
            producer_version=bayespress.__version__,
        )
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content
