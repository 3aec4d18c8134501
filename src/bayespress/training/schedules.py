"""What changes from step to step: the weight of the KL and the learning rates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bayespress.config import TrainingConfig


class Phase(Enum):
    """Parts of a run, in this order."""

    DENSE = "means alone, nothing is pruned"
    SPARSE = "noise and divergence"
    FINETUNING = "means alone, what is pruned stays so"


@dataclass(frozen=True)
class Schedule:
    """KL weight and learning rates of every step.

    Without a warm-up of the KL, large steps prune everything before anything is learned.

    Examples
    --------
    >>> schedule = Schedule(TrainingConfig(epochs=10, kl_warmup=0.4, decay="linear"), 100)
    >>> [schedule.kl_weight(step) for step in (0, 200, 400, 999)]
    [0.0, 0.5, 1.0, 1.0]
    >>> [schedule.rate_factor(step) for step in (0, 500)]
    [1.0, 0.5]
    """

    config: TrainingConfig
    steps_per_epoch: int
    reached_at: int = 0
    """Epoch that reached the wanted compression, and that fine-tuning follows; 0: none did."""

    def phase(self, epoch: int) -> Phase:
        """Tell what happens in an epoch, counted from 1."""
        if epoch <= self.config.dense_epochs:
            return Phase.DENSE
        return Phase.SPARSE if epoch <= self._tuning_after else Phase.FINETUNING

    @property
    def _planned_tuning_after(self) -> int:
        return max(self.config.dense_epochs, self.config.epochs - self.config.finetune_epochs)

    @property
    def _tuning_after(self) -> int:
        return self.reached_at or self._planned_tuning_after

    @property
    def epochs(self) -> int:
        """Number of epochs in all."""
        if not self.reached_at:
            return self.config.epochs
        return min(self.config.epochs, self.reached_at + self.config.finetune_epochs)

    def kl_weight(self, step: int) -> float:
        """Weight of the KL at a step, counted from 0 over the whole run; 0 without noise."""
        begin, planned, end = (
            n * self.steps_per_epoch
            for n in (self.config.dense_epochs, self._planned_tuning_after, self._tuning_after)
        )
        if not begin <= step < end:
            return 0.0
        warmup = self.config.kl_warmup * (planned - begin)
        return self.config.kl_weight * (min(1.0, (step - begin) / warmup) if warmup else 1.0)

    def rate_factor(self, step: int) -> float:
        """Share of the configured learning rates at a step; fine-tuning decays on its own."""
        if self.config.decay == "none":
            return 1.0
        noisy, planned = (
            n * self.steps_per_epoch for n in (self._tuning_after, self._planned_tuning_after)
        )
        if step < noisy:
            held = self.config.decay_after * planned
            return min(1.0, (planned - step) / (planned - held)) if held < planned else 1.0
        total = self.epochs * self.steps_per_epoch
        return (total - step) / (total - noisy)
