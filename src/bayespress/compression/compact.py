"""From a trained network to the plain arrays that are shipped."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bayespress.compact import CompactClassifier, CompactLSTM
from bayespress.compact.model import FloatArray
from bayespress.compression.masks import KeepMasks, aggregate_live
from bayespress.compression.shrink import ShrinkPlan, shrink
from bayespress.models import TextClassifierNet
from bayespress.text import TextEncoder


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
    plan = ShrinkPlan.from_masks(masks, torch.from_numpy(rows).to(masks.vocab.device))
    small = copy.deepcopy(net)
    shrink(small, plan)
    with torch.no_grad():
        weights = _folded(small, _sliced(masks, plan))
    model = CompactClassifier(
        encoder=smaller_encoder,
        embedding=weights["embedding"],
        lstm=CompactLSTM(
            weight_ih=weights["weight_ih"],
            weight_hh=weights["weight_hh"],
            bias=_array(small.lstm.bias),
            live_gates=_live_gates(masks, plan),
            gate_activation=small.lstm.gate_activation,
        ),
        output_weight=weights["output"],
        output_bias=_array(small.output.bias),
        labels=labels,
        info=dict(info or {}),
    )
    return model, rows


def _sliced(masks: KeepMasks, plan: ShrinkPlan) -> dict[str, Tensor]:
    gates = masks.gates[:, plan.hidden]
    return {
        "embedding": masks.embedding_weight[plan.rows][:, plan.emb],
        "weight_ih": masks.weight_ih[:, plan.hidden][:, :, plan.emb][gates],
        "weight_hh": masks.weight_hh[:, plan.hidden][:, :, plan.hidden][gates],
        "output": masks.output_weight[:, plan.hidden],
        "gates": gates.flatten(),
    }


def _folded(small: TextClassifierNet, keep: dict[str, Tensor]) -> dict[str, FloatArray]:
    """Means of a shrunk network with masks applied and group variables multiplied in."""
    lstm, live = small.lstm, keep["gates"]
    z_gates = lstm.z_gates.mean[live, None]
    folded = {
        "embedding": small.embedding.weight.mean * small.embedding.z_vocab.mean[:, None],
        "weight_ih": lstm.weight_ih.mean[live] * z_gates * lstm.z_input.mean,
        "weight_hh": lstm.weight_hh.mean[live] * z_gates * lstm.z_hidden.mean,
        "output": small.output.weight.mean * lstm.z_hidden.mean,
    }
    arrays = {name: _array(weight * keep[name]) for name, weight in folded.items()}
    arrays["embedding"] = arrays["embedding"][1:]  # row 0, the zero vector, is not stored
    return arrays


def _live_gates(masks: KeepMasks, plan: ShrinkPlan) -> np.ndarray[Any, np.dtype[np.int64]]:
    return masks.gates[:, plan.hidden].flatten().nonzero().flatten().cpu().numpy()


def _array(tensor: Tensor | None) -> FloatArray:
    if tensor is None:
        raise ValueError("a classifier's output layer must have a bias")
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
