"""What is learned: the data as a network takes them, mini-batch by mini-batch, and the measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bayespress.compression import Network
from bayespress.config import TrainingConfig
from bayespress.training.interfaces import Interface
from bayespress.variational import Share


class Batch(Protocol):
    """A mini-batch."""

    def __len__(self) -> int:
        """Sequences."""

    def to(self, device: torch.device) -> Batch:
        """Move it to a device."""

    def loss(
        self, module: nn.Module, noise: torch.Generator, share: Share | None
    ) -> tuple[Tensor, Tensor | None]:
        """Run the network on all sequences or a share of them.

        Returns
        -------
        nll, accuracy
            Mean negative log likelihood in nats, and the share of right answers where there are
            answers.
        """


@dataclass(frozen=True)
class Measure:
    """How well a network does on data that it does not learn from.

    Attributes
    ----------
    accuracy
        Share of right answers; None for language models.
    nll
        Mean negative log likelihood of a token, in nats; None for classifiers.
    """

    accuracy: float | None = None
    nll: float | None = None

    @property
    def score(self) -> float:
        """What grows as the network gets better."""
        if self.accuracy is not None:
            return self.accuracy
        return -(self.nll or 0.0)


class Task(Protocol):
    """Data and measure of one training run."""

    @property
    def interface(self) -> Interface:
        """Between the texts and the network."""

    @property
    def num_train(self) -> int:
        """N of the objective: how many terms of the likelihood an epoch has."""

    def steps(self, training: TrainingConfig) -> int:
        """Mini-batches an epoch."""

    def batches(self, training: TrainingConfig, epoch: int) -> Iterator[Batch]:
        """Iterate over one epoch, in an order that seed and epoch decide."""

    def restrict(self, interface: Interface, new_row: NDArray[np.int32]) -> Task:
        """Give the task for fewer words: ``new_row[row]`` is what a row becomes."""

    def validate(self, net: Network) -> Measure:
        """Measure the pruned network on validation data, by its compact model."""
