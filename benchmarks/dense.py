"""The network before anything was removed, as torch and ONNX Runtime run it: see inference.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bayespress.compact import CompactClassifier

_OPSET = 17
_IR_VERSION = 9
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Sizes:
    """Rows and columns of the embedding, neurons and outputs."""

    rows: int
    embedding: int
    hidden: int
    outputs: int


def sizes_of(model: CompactClassifier) -> Sizes:
    """Tell what a model was made from.

    Raises
    ------
    SystemExit
        If the file does not say.
    """
    try:
        rows, embedding, hidden = (model.info[key][1] for key in ("words", "dims", "neurons"))
    except (KeyError, TypeError, IndexError):
        raise SystemExit(
            "the model does not say what it was made from: take one of `bayespress compress`"
        ) from None
    return Sizes(rows, embedding, hidden, len(model.output_bias))


class DenseNet(nn.Module):
    """The network of torch's own modules. Time comes first: the fastest layout of its LSTM."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes.rows, sizes.embedding)
        self.lstm = nn.LSTM(sizes.embedding, sizes.hidden)
        self.output = nn.Linear(sizes.hidden, sizes.outputs)

    def forward(self, ids: Tensor) -> Tensor:
        """Compute logits from ids of shape ``(time, batch)``."""
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.output(h[0])


class TorchEngine:
    """A dense network of random weights, ready for inference in torch."""

    name = "torch"

    def __init__(self, sizes: Sizes) -> None:
        torch.manual_seed(1)
        torch.set_num_threads(1)
        self.net = DenseNet(sizes).eval()

    def logits(self, ids: Ids) -> NDArray[np.float32]:
        """Give the logits of ids of shape ``(time, batch)``."""
        with torch.inference_mode():
            return self.net(torch.from_numpy(ids)).numpy()


class OnnxEngine:
    """The same network in ONNX Runtime.

    Raises
    ------
    ModuleNotFoundError
        If `onnx` or `onnxruntime` is not installed.
    """

    name = "onnxruntime"

    def __init__(self, net: DenseNet) -> None:
        import onnxruntime  # noqa: PLC0415 - it may be missing

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            onnx_bytes(net), options, providers=["CPUExecutionProvider"]
        )

    def logits(self, ids: Ids) -> NDArray[np.float32]:
        """Give the logits of ids of shape ``(time, batch)``."""
        return self._session.run(["logits"], {"ids": ids})[0]


def onnx_bytes(net: DenseNet) -> bytes:
    """Write the network as ONNX: Gather, LSTM, Gemm."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - it may be missing

    arrays = [numpy_helper.from_array(array, name) for name, array in _arrays(net).items()]
    hidden = net.lstm.hidden_size
    nodes = [
        helper.make_node("Gather", ["embedding", "ids"], ["words"]),
        helper.make_node("LSTM", ["words", "w", "r", "b"], ["", "h"], hidden_size=hidden),
        helper.make_node("Squeeze", ["h", "first"], ["last"]),
        helper.make_node("Gemm", ["last", "output", "bias"], ["logits"], transB=1),
    ]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["time", "batch"])
    logits = helper.make_tensor_value_info(
        "logits", TensorProto.FLOAT, ["batch", len(net.output.bias)]
    )
    graph = helper.make_graph(nodes, "dense", [ids], [logits], arrays)
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
    return model.SerializeToString()


def _arrays(net: DenseNet) -> dict[str, NDArray[np.generic]]:
    lstm = net.lstm
    biases = [_iofc(lstm.bias_ih_l0), _iofc(lstm.bias_hh_l0)]
    return {
        "embedding": net.embedding.weight.detach().numpy(),
        "w": _iofc(lstm.weight_ih_l0)[None],
        "r": _iofc(lstm.weight_hh_l0)[None],
        "b": np.concatenate(biases)[None],
        "first": np.zeros(1, np.int64),
        "output": net.output.weight.detach().numpy(),
        "bias": net.output.bias.detach().numpy(),
    }


def _iofc(parameter: Tensor) -> NDArray[np.float32]:
    """Put gates from torch's order i, f, g, o into that of ONNX: i, o, f, g."""
    i, f, g, o = np.split(parameter.detach().numpy(), 4)
    return np.concatenate([i, o, f, g])


def padded(texts: list[NDArray[np.int32]]) -> Ids:
    """Put encoded texts side by side, each at the end of its column, shape ``(time, batch)``."""
    ids = np.zeros((max(map(len, texts), default=0), len(texts)), np.int64)
    for column, text in enumerate(texts):
        ids[len(ids) - len(text) :, column] = text
    return ids
