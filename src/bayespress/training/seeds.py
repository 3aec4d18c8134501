"""Where randomness comes from: one seed, a source for each purpose and epoch."""

from __future__ import annotations

import numpy as np
import torch

_PURPOSES = ("initialisation", "order", "noise")


def seed_of(seed: int, purpose: str, epoch: int = 0) -> list[int]:
    """Seed of one purpose in one epoch: an epoch begins alike whether or not a run was resumed."""
    return [seed, _PURPOSES.index(purpose), epoch]


def generator(
    seed: int, purpose: str, epoch: int = 0, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Make torch's source of random numbers for one purpose in one epoch."""
    (state,) = np.random.SeedSequence(seed_of(seed, purpose, epoch)).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state))
