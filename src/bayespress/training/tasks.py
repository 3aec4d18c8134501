"""What is learned: the data as a network takes them, mini-batch by mini-batch, and the measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        nll, tallies
            Mean negative log likelihood in nats, and what is counted of the answers, a sequence:
            the share of right ones, shape ``(1,)``; of several labels twice those rightly given,
            and those given or wanted, shape ``(2,)``. None where there are no answers.
        """


@dataclass(frozen=True)
class Measure:
    """How well a network does.

    Attributes
    ----------
    accuracy
        Share of right answers; None for language models, and where texts have several labels.
    nll
        Mean negative log likelihood of a token, in nats; None for classifiers.
    micro_f1
        Of several labels, F1 over all pairs of a text and a label; None for all others.
    """

    accuracy: float | None = None
    nll: float | None = None
    micro_f1: float | None = None

    @property
    def score(self) -> float:
        """What grows as the network gets better."""
        if self.accuracy is not None:
            return self.accuracy
        return -(self.nll or 0.0) if self.micro_f1 is None else self.micro_f1

    @classmethod
    def of_tallies(cls, tallies: Sequence[float]) -> Measure:
        """Work it out of the means of what :meth:`Batch.loss` counts.

        Examples
        --------
        >>> Measure.of_tallies([0.75]).accuracy, Measure.of_tallies([1.0, 2.5]).micro_f1
        (0.75, 0.4)
        """
        if len(tallies) == 1:
            return cls(accuracy=tallies[0])
        return cls(micro_f1=tallies[0] / tallies[1] if tallies[1] else 0.0) if tallies else cls()


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
