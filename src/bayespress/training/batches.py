"""Mini-batches of texts of similar length, in an order that a seed decides."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bayespress.objective import nll
from bayespress.variational import Share

_POOL = 50  # batches that are sorted by length together: longer pools would bias the order


@dataclass(frozen=True)
class TextBatch:
    """Padded on the left: ids and mask of shape ``(batch, time)``, labels ``(batch,)``.

    Where a text may have several labels, `labels` says whether it has each, ``(batch, labels)``.
    Where classes or labels have weights, `weights` has them, in the shape of `labels`.
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> TextBatch:
        """Move it to a device."""
        ids, mask, labels = (
            t.to(device, non_blocking=True) for t in (self.ids, self.mask, self.labels)
        )
        weights = self.weights
        if weights is not None:
            weights = weights.to(device, non_blocking=True)
        return TextBatch(ids, mask, labels, weights)

    def loss(
        self, module: nn.Module, noise: torch.Generator, share: Share | None
    ) -> tuple[Tensor, Tensor]:
        """Mean negative log likelihood of a text, and what is counted of the answers."""
        labels, weights = self.labels, self.weights
        if share is not None:
            labels = share.of(labels)
            weights = None if weights is None else share.of(weights)
        logits = module(self.ids, self.mask, noise, share)
        likelihood = nll(logits, labels, weights)
        return likelihood, _tallies(logits, labels).to(likelihood.dtype)


def _tallies(logits: Tensor, labels: Tensor) -> Tensor:
    """Count as :class:`~bayespress.training.tasks.Batch` says."""
    if labels.dim() == 1:
        return (answers(logits) == labels).to(logits.dtype).mean()[None]
    given = logits >= 0
    counts = torch.stack([2 * (given & labels).sum(), given.sum() + labels.sum()])
    return counts / len(labels)


def answers(logits: Tensor) -> Tensor:
    """Give the most probable classes."""
    return logits.argmax(dim=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()


class PackedIds(Sequence[NDArray[np.int32]]):
    """Encoded texts end to end in one array: an array for each would weigh more than its ids.

    Parameters
    ----------
    ids
        All ids, shape ``(tokens,)``.
    ends
        Where each text ends, shape ``(N,)``.
    """

    def __init__(self, ids: NDArray[np.int32], ends: NDArray[np.int64]) -> None:
        self.ids, self.ends = ids, ends

    @classmethod
    def of(cls, texts: Iterable[NDArray[np.int32]]) -> PackedIds:
        """Put texts together as they come."""
        ids, ends = array("i"), array("q")
        for text in texts:
            ids.frombytes(text.tobytes())
            ends.append(len(ids))
        return cls(np.frombuffer(ids, np.int32), np.frombuffer(ends, np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, place: int) -> NDArray[np.int32]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[NDArray[np.int32]]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        if not -len(self) <= place < len(self):
            raise IndexError(f"there are {len(self)} texts, not one of number {place}")
        place %= len(self)
        return self.ids[self.ends[place - 1] if place else 0 : self.ends[place]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape ``(N,)``."""
        return np.diff(self.ends, prepend=0)

    def renumber(self, new_row: NDArray[np.int32]) -> PackedIds:
        """Give the same texts with every id replaced by ``new_row[id]``."""
        return PackedIds(new_row[self.ids], self.ends)


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as ids, their labels, and what these count.

    Attributes
    ----------
    ids
        Of each text, shape ``(length,)``.
    labels
        Numbers of their classes, shape ``(N,)``; or whether each text has each of several labels,
        shape ``(N, labels)``.
    class_weights
        A weight for each class, shape ``(classes,)``; or for not having and for having each label,
        shape ``(2, labels)``. None: all count alike.
    """

    ids: Sequence[NDArray[np.int32]]
    labels: NDArray[np.int64] | NDArray[np.bool_]
    class_weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def flat(self) -> NDArray[np.int32]:
        """All ids end to end, shape ``(tokens,)``."""
        return self.ids.ids if isinstance(self.ids, PackedIds) else np.concatenate(self.ids)

    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape ``(N,)``."""
        if isinstance(self.ids, PackedIds):
            return self.ids.lengths
        return np.array([len(ids) for ids in self.ids])

    def renumber(self, new_row: NDArray[np.int32]) -> EncodedTexts:
        """Give the same texts with every id replaced by ``new_row[id]``."""
        if isinstance(self.ids, PackedIds):
            return replace(self, ids=self.ids.renumber(new_row))
        return replace(self, ids=[new_row[ids] for ids in self.ids])

    def batch(self, indices: NDArray[np.int64]) -> TextBatch:
        """Pad the texts of these positions into one batch."""
        chosen = [self.ids[index] for index in indices]
        longest = max(1, *(len(ids) for ids in chosen))
        ids = np.zeros((len(chosen), longest), dtype=np.int64)
        mask = np.zeros((len(chosen), longest), dtype=bool)
        for row, one in enumerate(chosen):
            start = longest - len(one)
            ids[row, start:], mask[row, start:] = one, True
        labels = self.labels[indices]
        weights = self._weights(labels)
        return TextBatch(
            torch.from_numpy(ids),
            torch.from_numpy(mask),
            torch.from_numpy(labels),
            None if weights is None else torch.from_numpy(weights),
        )

    def _weights(self, labels: NDArray[np.generic]) -> NDArray[np.float32] | None:
        """Give what each text counts, or each label of each text."""
        of_class = self.class_weights
        if of_class is None:
            return None
        weights: NDArray[np.float32]
        weights = (
            of_class[labels] if labels.ndim == 1 else np.where(labels, of_class[1], of_class[0])
        )
        return weights

    def batches(self, size: int, seed: Sequence[int], *, by_length: bool) -> Iterator[TextBatch]:
        """Iterate over one epoch.

        Parameters
        ----------
        size
            Texts a batch; the last one may be smaller.
        seed
            Decides the order, in full.
        by_length
            Whether texts of similar length share a batch. Which texts do remains random: they are
            sorted within pools of 50 batches, and batches are shuffled.
        """
        random = np.random.default_rng(seed)
        order = random.permutation(len(self))
        if by_length:
            lengths = self.lengths()
            pools = np.split(order, range(size * _POOL, len(order), size * _POOL))
            order = np.concatenate([pool[np.argsort(lengths[pool])] for pool in pools])
        groups = np.split(order, range(size, len(order), size))
        if by_length:
            groups = [groups[k] for k in random.permutation(len(groups))]
        for group in groups:
            yield self.batch(group)
