"""What changes from step to step: the weight of the KL and the learning rates."""

from __future__ import annotations

from dataclasses import dataclass

from bayespress.config import TrainingConfig


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

    @property
    def noisy_epochs(self) -> int:
        """Epochs before fine-tuning begins."""
        return max(0, self.config.epochs - self.config.finetune_epochs)

    @property
    def _noisy_steps(self) -> int:
        return self.noisy_epochs * self.steps_per_epoch

    def kl_weight(self, step: int) -> float:
        """Weight of the KL at a step, counted from 0 over the whole run; 0 in fine-tuning."""
        if step >= self._noisy_steps:
            return 0.0
        warmup = self.config.kl_warmup * self._noisy_steps
        return self.config.kl_weight * (min(1.0, step / warmup) if warmup else 1.0)

    def rate_factor(self, step: int) -> float:
        """Share of the configured learning rates at a step; fine-tuning decays on its own."""
        if self.config.decay == "none":
            return 1.0
        if step < self._noisy_steps:
            return 1.0 - step / self._noisy_steps
        total = self.config.epochs * self.steps_per_epoch
        return (total - step) / (total - self._noisy_steps)
