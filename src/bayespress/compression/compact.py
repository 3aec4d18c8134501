"""From a trained network to the plain arrays that are shipped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bayespress.compact import (
    CompactCell,
    CompactClassifier,
    CompactGRU,
    CompactLanguageModel,
    CompactLayer,
    CompactLSTM,
)
from bayespress.compact.model import FloatArray
from bayespress.compression.masks import CellMasks, KeepMasks, aggregate_live
from bayespress.compression.shrink import ShrinkPlan, shrink
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.nn import GRU
from bayespress.nn.gated import GatedLayer
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.text import TextEncoder, TokenEncoder


def to_compact(
    net: TextClassifierNet,
    encoder: TextEncoder,
    labels: tuple[str, ...],
    info: Mapping[str, Any] | None = None,
    *,
    multi_label: bool = False,
) -> CompactClassifier:
    r"""Mask, shrink and fold a network; its predictions equal the masked network's.

    Group means fold into the matrices, W = diag(z_input) W diag(z_gates) and so on, and gates
    without weights become constants.

    Parameters
    ----------
    net
        The trained network; it is not changed.
    encoder
        What turned texts into the network's ids.
    labels
        Names of the classes.
    info
        Facts to carry along, JSON types only.
    multi_label
        Whether a text may have several labels: an output is the log odds of one.
    """
    return compact_with_rows(net, encoder, labels, info, multi_label=multi_label)[0]


def compact_with_rows(
    net: TextClassifierNet,
    encoder: TextEncoder,
    labels: tuple[str, ...],
    info: Mapping[str, Any] | None = None,
    *,
    multi_label: bool = False,
) -> tuple[CompactClassifier, NDArray[np.intp]]:
    """Compact as :func:`to_compact`; also give the network's row of each row of the model's table.

    Texts that are ids of the network already become the model's by it, see
    :func:`~bayespress.text.vocabulary.renumbering`.
    """
    masks = aggregate_live(net)
    smaller_encoder, rows = encoder.restrict(masks.vocab.cpu().numpy())
    folded = fold(net, masks, rows)
    model = CompactClassifier(
        encoder=smaller_encoder,
        embedding=folded.embedding,
        layers=folded.layers,
        output_weight=folded.output_weight,
        output_bias=_output_bias(net),
        labels=labels,
        pooling=net.pooling,
        multi_label=multi_label,
        info=dict(info or {}),
    )
    return model, rows


@dataclass(frozen=True)
class Folded:
    """A classifier's network as plain arrays: masked, shrunk, group variables multiplied in.

    Attributes
    ----------
    embedding
        The kept rows, shape ``(rows, dims)``.
    layers
        The recurrent cells.
    output_weight
        Shape ``(outputs, F)``, with F kept neurons in the last layer.
    """

    embedding: FloatArray
    layers: tuple[CompactLayer, ...]
    output_weight: FloatArray


@torch.no_grad()
def fold(net: TextClassifierNet, masks: KeepMasks, rows: NDArray[np.intp]) -> Folded:
    """Mask, shrink and fold a network's matrices; it is not changed.

    Parameters
    ----------
    net
        The network.
    masks
        What stays of it, from :func:`~bayespress.compression.aggregate_live`.
    rows
        The rows of the embedding that stay, rising.
    """
    small = _shrunk(net, masks, rows)
    table = small.embedding.weight() * small.embedding.z_vocab()[:, None]
    layers, scale = _layers(small, masks)
    # Row 0, the zero vector, is not stored.
    return Folded(_array(table[1:]), layers, _array(small.output.weight() * scale))


def language_model_to_compact(
    net: LanguageModelNet,
    encoder: TokenEncoder,
    inputs: NDArray[np.int64],
    window: int | None = None,
    info: Mapping[str, Any] | None = None,
) -> CompactLanguageModel:
    """Mask, shrink and fold a language model; its predictions equal the masked network's.

    Parameters
    ----------
    net
        The trained network; it is not changed.
    encoder
        What turned texts into tokens.
    inputs
        The token of each row of the network's input weights, the padding row left out.
    window
        Length of the windows that it was trained on, if it does not carry its state on.
    info
        Facts to carry along, JSON types only.
    """
    masks = aggregate_live(net)
    rows = masks.vocab.nonzero().flatten().cpu().numpy()
    small = _shrunk(net, masks, rows)
    with torch.no_grad():
        weight_ih = (small.lstm.weight_ih() * small.lstm.z_input()[:, None])[1:].t()
        z_hidden = small.lstm.z_hidden()
        return CompactLanguageModel(
            encoder=encoder,
            inputs=inputs[rows - (net.lstm.padding_idx is not None)],
            lstm=_lstm(small.lstm, masks.layers[0][0], weight_ih, z_hidden),
            output_weight=_array(small.output.weight() * z_hidden),
            output_bias=_output_bias(small),
            window=window,
            info=dict(info or {}),
        )


N = TypeVar("N", TextClassifierNet, LanguageModelNet)


def _shrunk(net: N, masks: KeepMasks, rows: NDArray[np.intp]) -> N:
    """Slice a copy of a network, for evaluation; what is pruned in the slices is masked there."""
    plan = ShrinkPlan.from_masks(masks, torch.from_numpy(rows).to(masks.vocab.device))
    small = copy.deepcopy(net).eval()
    shrink(small, plan)
    return small


def _layers(small: TextClassifierNet, masks: KeepMasks) -> tuple[tuple[CompactLayer, ...], Tensor]:
    """Fold group variables into a shrunk network's cells.

    Returns
    -------
    layers, scale
        The cells, and what the output layer's weights have yet to be multiplied by.
    """
    scale = small.output.weight.mean.new_ones(())
    layers: list[CompactLayer] = []
    nested = small.recurrent.nested()
    for number, (layer, kept) in enumerate(zip(nested, masks.layers, strict=True)):
        is_largest_read = small.pooling == "max" and number == len(nested) - 1
        cells, scales = [], []
        for cell, mask in zip(layer, kept, strict=True):
            z_hidden = cell.z_hidden()
            weight_ih = cell.weight_ih() * cell.z_input() * scale
            scales.append(z_hidden.abs() if is_largest_read else z_hidden)
            folded = _cell(cell, mask, weight_ih, scales[-1])
            cells.append(_flipped(folded, _array(z_hidden)) if is_largest_read else folded)
        scale = torch.cat(scales)
        layers.append(tuple(cells))
    return tuple(layers), scale


def _flipped(cell: CompactCell, z_hidden: FloatArray) -> CompactCell:
    r"""Turn the signs of states whose group variable is negative, by that of their tanh.

    The maximum over time of :math:`h z_{hidden}` is not that of h times :math:`z_{hidden}` where
    this is negative. Both cells have the tanh at their third gate, and a state that is linear in
    it.
    """
    size = cell.hidden_size
    signs = np.ones(len(cell.bias), np.float32)
    signs[2 * size : 3 * size] = np.where(z_hidden < 0, -1, 1)
    live = signs[cell.live_gates, None]
    turned = replace(
        cell,
        weight_ih=cell.weight_ih * live,
        weight_hh=cell.weight_hh * live,
        bias=cell.bias * signs,
    )
    if isinstance(turned, CompactGRU):
        return replace(turned, hidden_bias=turned.hidden_bias * signs[2 * size :])
    return turned


def _cell(
    cell: RecurrentLayer, masks: CellMasks, weight_ih: Tensor, z_hidden: Tensor
) -> CompactCell:
    """Fold a shrunk cell's own group variables into its weights."""
    if not isinstance(cell, GRU):
        return _lstm(cell, masks, weight_ih, z_hidden)
    own = _folded(cell, masks, weight_ih, z_hidden)
    return CompactGRU(**own, hidden_bias=_array(cell.hidden_bias))


def _lstm(lstm: GatedLayer, masks: CellMasks, weight_ih: Tensor, z_hidden: Tensor) -> CompactLSTM:
    return CompactLSTM(**_folded(lstm, masks, weight_ih, z_hidden))


def _folded(
    cell: GatedLayer, masks: CellMasks, weight_ih: Tensor, z_hidden: Tensor
) -> dict[str, Any]:
    """Give the fields that all cells have; `weight_ih` has a row for each gate."""
    live = masks.gates[:, masks.hidden].flatten().nonzero().flatten()
    z_gates = cell.z_gates()[live, None]
    return {
        "weight_ih": _array(weight_ih[live] * z_gates),
        "weight_hh": _array(cell.weight_hh()[live] * z_gates * z_hidden),
        "bias": _array(cell.bias),
        "live_gates": live.cpu().numpy(),
        "gate_activation": cell.gate_activation,
    }


def _output_bias(small: TextClassifierNet | LanguageModelNet) -> FloatArray:
    if small.output.bias is None:
        raise ValueError("the output layer must have a bias")
    return _array(small.output.bias)


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
