"""Standard normal noise, one sample for each sequence of a mini-batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The sequences of a mini-batch that one of several processes works on.

    All of them draw the noise of the whole mini-batch, each uses its own part: so a result does not
    depend on how many they are.

    Attributes
    ----------
    first, last
        Of the mini-batch, `last` not included.
    batch
        Sequences of the whole mini-batch.
    """

    first: int
    last: int
    batch: int

    def __len__(self) -> int:
        return self.last - self.first

    def of(self, tensor: Tensor) -> Tensor:
        """Take the part of a tensor whose first dimension is the mini-batch."""
        return tensor[self.first : self.last]


def standard_normal(
    shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Draw noise of a shape, of `like`'s type and device."""
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)


def per_sequence(
    batch: int | Share,
    shape: tuple[int, ...],
    like: Tensor,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw noise of a shape for every sequence, of `like`'s type and device.

    Returns
    -------
    Tensor
        Shape ``(sequences, *shape)``; of a :class:`Share`, its part of the whole mini-batch's.
    """
    if isinstance(batch, Share):
        return batch.of(standard_normal((batch.batch, *shape), like, generator))
    return standard_normal((batch, *shape), like, generator)
