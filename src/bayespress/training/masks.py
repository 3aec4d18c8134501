"""Which weights of a run's network are kept, for its report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

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
    arrays = {
        "weight_ih": masks.weight_ih,
        "weight_hh": masks.weight_hh,
        "output": masks.output_weight,
    }
    if masks.embedding_weight is not None:
        arrays = {"embedding": masks.embedding_weight, **arrays}
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
    inputs = full.rows if full.dims is None else full.dims
    shapes: dict[str, tuple[int, ...]] = {
        "embedding": (full.rows, full.dims or 0),
        "weight_ih": (4, full.neurons, inputs),
        "weight_hh": (4, full.neurons, full.neurons),
        "output": (full.outputs, full.neurons),
    }
    large = {}
    for name, mask in masks.items():
        one = np.zeros(shapes[name], bool)
        one[tuple(slice(length) for length in mask.shape)] = mask
        large[name] = one.reshape(-1, one.shape[-1])
    return large
