"""Plain torch modules with the weights of variational ones, rows and columns removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bayespress.compact import CompactCell, CompactGRU, CompactLayer
from bayespress.compact.model import FloatArray
from bayespress.compression import aggregate_live
from bayespress.compression.compact import fold
from bayespress.conversion.wiring import Pattern
from bayespress.models import TextClassifierNet
from bayespress.nn import Embedding, Linear, Recurrent


class ShrunkEmbedding(nn.Module):
    """A small :class:`torch.nn.Embedding` that is read by the numbers of the large one.

    Parameters
    ----------
    row_of
        For each number of the large table, the row of the small one; 0 for what was removed.
    weight
        The small table; its row 0 is the zero vector.
    """

    row_of: Tensor

    def __init__(self, row_of: Tensor, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("row_of", row_of)
        self.table = nn.Embedding.from_pretrained(weight, freeze=False, padding_idx=0)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch.nn's name
        """Look rows up."""
        vectors: Tensor = self.table(self.row_of[input])
        return vectors


def smaller_modules(pattern: Pattern, *, vocabulary: bool) -> dict[int, nn.Module]:
    """Make the smaller modules of a pattern, by the identity of those that they stand for.

    Parameters
    ----------
    pattern
        The layers, in evaluation mode.
    vocabulary
        Whether rows of the embedding are removed.
    """
    # With "max" no group variable is left to be negative: what stands between the layers may be
    # any of the poolings.
    net = TextClassifierNet.of_modules(
        pattern.embedding, pattern.recurrent, _with_blocks_below(pattern), "max"
    )
    masks = aggregate_live(net)
    rows = masks.vocab.nonzero().flatten()
    folded = fold(net, masks, rows.cpu().numpy())
    like = pattern.output.weight.mean
    layer, places = _torch_layer(folded.layers, pattern.recurrent)
    table = folded.embedding if folded.embedding.shape[1] else np.zeros((len(rows), 1), np.float32)
    weight = np.zeros((len(folded.output_weight), layer.hidden_size * len(folded.layers[-1])))
    weight[:, places] = folded.output_weight
    # From a row for each block and output to a column for each block and neuron.
    outputs = pattern.output.out_features
    by_output = weight.reshape(pattern.blocks, outputs, -1).transpose(1, 0, 2)
    flat = torch.from_numpy(by_output.reshape(outputs, -1).astype(np.float32))
    made = {
        id(pattern.embedding): _embedding(pattern.embedding, rows, table, vocabulary=vocabulary),
        id(pattern.recurrent): layer,
        id(pattern.output): plain_linear(flat, pattern.output.bias),
    }
    return {key: module.to(like) for key, module in made.items()}


def plain_linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """Make a linear layer with these weights, ``(outputs, inputs)``."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None).to(weight)
    layer.weight.data.copy_(weight)
    if bias is not None:
        layer.bias.data.copy_(bias)
    return layer


def _with_blocks_below(pattern: Pattern) -> Linear:
    """Give the output layer with its blocks of inputs one below another, as one of more outputs."""
    layer, wide = pattern.output, pattern.recurrent.output_size
    below = Linear(wide, layer.out_features * pattern.blocks, prior=layer.weight.prior)
    below.to(layer.weight.mean).eval()
    below.weight.threshold = layer.weight.threshold
    for name in ("mean", "log_sigma"):
        values = getattr(layer.weight, name)
        if values is not None:
            by_block = values.view(layer.out_features, pattern.blocks, wide).transpose(0, 1)
            getattr(below.weight, name).data.copy_(by_block.reshape(-1, wide))
    return below


def _embedding(large: Embedding, rows: Tensor, table: FloatArray, *, vocabulary: bool) -> nn.Module:
    weight = torch.from_numpy(table)
    if vocabulary:
        row_of = torch.zeros(large.num_embeddings, dtype=torch.long, device=rows.device)
        row_of[rows] = torch.arange(1, len(rows) + 1, device=rows.device)
        return ShrunkEmbedding(row_of, torch.cat([weight.new_zeros(1, weight.shape[1]), weight]))
    full = weight.new_zeros(large.num_embeddings, weight.shape[1])
    full[rows.cpu()] = weight
    plain: nn.Embedding = nn.Embedding.from_pretrained(
        full, freeze=False, padding_idx=large.padding_idx
    )
    return plain


def _torch_layer(
    layers: Sequence[CompactLayer], like: Recurrent
) -> tuple[nn.LSTM | nn.GRU, list[int]]:
    """Make one torch layer of all cells.

    Returns
    -------
    layer, places
        The layer, and the place of each kept neuron of the last layer among its outputs.
    """
    # torch knows neither layers of different sizes nor any of size 0: neurons of zeros fill up.
    hidden = max(1, *(cell.hidden_size for layer in layers for cell in layer))
    inputs = max(1, layers[0][0].weight_ih.shape[1])
    kind = nn.GRU if isinstance(layers[0][0], CompactGRU) else nn.LSTM
    made = kind(
        inputs,
        hidden,
        len(layers),
        batch_first=like.batch_first,
        dropout=like.dropout,
        bidirectional=len(layers[0]) == 2,
    )
    places = list(range(layers[0][0].weight_ih.shape[1]))
    for number, layer in enumerate(layers):
        width = inputs if number == 0 else hidden * len(layer)
        for direction, cell in enumerate(layer):
            end = f"l{number}{'_reverse' if direction else ''}"
            for name, values in _of_torch(cell, hidden, width, places).items():
                getattr(made, f"{name}_{end}").data.copy_(torch.from_numpy(values))
        places = [
            direction * hidden + neuron
            for direction, cell in enumerate(layer)
            for neuron in range(cell.hidden_size)
        ]
    return made, places


def _of_torch(
    cell: CompactCell, hidden: int, width: int, places: Sequence[int]
) -> dict[str, FloatArray]:
    """Give a cell's arrays in torch's layout, with more neurons and inputs, of zeros."""
    kinds, size = len(cell.gates), cell.hidden_size
    rows = (np.arange(kinds)[:, None] * hidden + np.arange(size)).reshape(-1)
    weight_ih = np.zeros((kinds * hidden, width), np.float32)
    weight_hh = np.zeros((kinds * hidden, hidden), np.float32)
    bias_ih, bias_hh = np.zeros((2, kinds * hidden), np.float32)
    live = rows[cell.live_gates]
    weight_ih[np.ix_(live, np.array(places, np.intp))] = cell.weight_ih
    weight_hh[live, :size] = cell.weight_hh
    bias_ih[rows] = cell.bias
    if isinstance(cell, CompactGRU):
        bias_hh[2 * hidden : 2 * hidden + size] = cell.hidden_bias
    return {"weight_ih": weight_ih, "weight_hh": weight_hh, "bias_ih": bias_ih, "bias_hh": bias_hh}
