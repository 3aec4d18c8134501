"""Which weights of a run's network are kept, for its report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.layout import suffix
from bayespress.compression import Size, aggregate
from bayespress.report import KeptWeights
from bayespress.training.finish import Trained
from bayespress.training.interfaces import LanguageInterface

Mask = NDArray[np.bool_]


def kept_weights(trained: Trained) -> KeptWeights:
    """Read the keep masks of a network, and give each matrix its full size again.

    What live shrinking removed is pruned. A language model's tokens stand at their own columns;
    of all else the old places are not known, and what stayed stands before it.
    """
    masks = aggregate(trained.net)
    arrays = {} if masks.embedding_weight is None else {"embedding": masks.embedding_weight}
    for number, layer in enumerate(masks.layers):
        for direction, cell in enumerate(layer):
            end = suffix(number, direction)
            arrays |= {f"weight_ih{end}": cell.weight_ih, f"weight_hh{end}": cell.weight_hh}
    arrays["output"] = masks.output_weight
    full = trained.full.size
    plain = {name: mask.cpu().numpy() for name, mask in arrays.items()}
    if isinstance(trained.interface, LanguageInterface):
        plain["weight_ih"] = _by_token(plain["weight_ih"], trained.interface, full)
    return KeptWeights(_enlarged(plain, full), trained.epoch, Size.of(trained.net) != full)


def _by_token(mask: Mask, interface: LanguageInterface, full: Size) -> Mask:
    """Put columns of tokens, shape ``(4, H, rows)``, where their tokens stand."""
    if not interface.zero_row:
        return mask
    wide = np.zeros((*mask.shape[:2], full.rows), bool)
    wide[..., interface.read] = mask[..., 1:]
    return wide


def _enlarged(masks: Mapping[str, Mask], full: Size) -> dict[str, Mask]:
    inputs, gates = full.inputs, full.gates_per_neuron
    shapes: dict[str, tuple[int, ...]] = {"embedding": (full.rows, full.dims or 0)}
    for number, layer in enumerate(full.hidden):
        for direction, hidden in enumerate(layer):
            end = suffix(number, direction)
            shapes[f"weight_ih{end}"] = (gates, hidden, inputs)
            shapes[f"weight_hh{end}"] = (gates, hidden, hidden)
        inputs = sum(layer)
    shapes["output"] = (full.outputs, inputs)
    large = {}
    for name, mask in masks.items():
        one = np.zeros(shapes[name], bool)
        one[tuple(slice(length) for length in mask.shape)] = mask
        large[name] = one.reshape(-1, one.shape[-1])
    return large
