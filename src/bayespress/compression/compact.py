"""From a trained network to the plain arrays that are shipped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactLSTM
from bayespress.compact.model import FloatArray
from bayespress.compression.masks import KeepMasks, aggregate_live
from bayespress.compression.shrink import ShrinkPlan, shrink
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.text import TextEncoder, TokenEncoder


def to_compact(
    net: TextClassifierNet,
    encoder: TextEncoder,
    labels: tuple[str, ...],
    info: Mapping[str, Any] | None = None,
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
    """
    return compact_with_rows(net, encoder, labels, info)[0]


def compact_with_rows(
    net: TextClassifierNet,
    encoder: TextEncoder,
    labels: tuple[str, ...],
    info: Mapping[str, Any] | None = None,
) -> tuple[CompactClassifier, NDArray[np.intp]]:
    """Compact as :func:`to_compact`; also give the network's row of each row of the model's table.

    Texts that are ids of the network already become the model's by it, see
    :func:`~bayespress.text.vocabulary.renumbering`.
    """
    masks = aggregate_live(net)
    smaller_encoder, rows = encoder.restrict(masks.vocab.cpu().numpy())
    small, plan = _shrunk(net, masks, rows)
    with torch.no_grad():
        table = small.embedding.weight() * small.embedding.z_vocab()[:, None]
        model = CompactClassifier(
            encoder=smaller_encoder,
            embedding=_array(table[1:]),  # row 0, the zero vector, is not stored
            layers=((_lstm(small, masks, plan, small.lstm.weight_ih() * small.lstm.z_input()),),),
            output_weight=_array(small.output.weight() * small.lstm.z_hidden()),
            output_bias=_output_bias(small),
            labels=labels,
            info=dict(info or {}),
        )
    return model, rows


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
    small, plan = _shrunk(net, masks, rows)
    with torch.no_grad():
        weight_ih = small.lstm.weight_ih() * small.lstm.z_input()[:, None]
        return CompactLanguageModel(
            encoder=encoder,
            inputs=inputs[rows - (net.lstm.padding_idx is not None)],
            lstm=_lstm(small, masks, plan, weight_ih[1:].t()),
            output_weight=_array(small.output.weight() * small.lstm.z_hidden()),
            output_bias=_output_bias(small),
            window=window,
            info=dict(info or {}),
        )


N = TypeVar("N", TextClassifierNet, LanguageModelNet)


def _shrunk(net: N, masks: KeepMasks, rows: NDArray[np.intp]) -> tuple[N, ShrinkPlan]:
    """Slice a copy of a network, for evaluation; what is pruned in the slices is masked there."""
    plan = ShrinkPlan.from_masks(masks, torch.from_numpy(rows).to(masks.vocab.device))
    small = copy.deepcopy(net).eval()
    shrink(small, plan)
    return small, plan


def _lstm(
    small: TextClassifierNet | LanguageModelNet,
    masks: KeepMasks,
    plan: ShrinkPlan,
    weight_ih: Tensor,
) -> CompactLSTM:
    """Fold group variables into a shrunk network's weights; `weight_ih` has a row for each gate."""
    lstm = small.lstm
    live = masks.gates[:, plan.hidden].flatten().nonzero().flatten()
    z_gates = lstm.z_gates()[live, None]
    return CompactLSTM(
        weight_ih=_array(weight_ih[live] * z_gates),
        weight_hh=_array(lstm.weight_hh()[live] * z_gates * lstm.z_hidden()),
        bias=_array(lstm.bias),
        live_gates=live.cpu().numpy(),
        gate_activation=lstm.gate_activation,
    )


def _output_bias(small: TextClassifierNet | LanguageModelNet) -> FloatArray:
    if small.output.bias is None:
        raise ValueError("the output layer must have a bias")
    return _array(small.output.bias)


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
