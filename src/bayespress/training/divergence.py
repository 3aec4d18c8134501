"""Notice that training diverged, and say which setting to change."""

from __future__ import annotations

from torch import nn

from bayespress.config import Config
from bayespress.errors import TrainingError

LARGEST_WEIGHT = 1e6
"""Weights of networks that learn are below 100. Sums of products of those beyond this one leave
single precision: torch, numpy, C and JavaScript would give different answers."""

_RATES = (
    "learning_rate",
    "group_learning_rate",
    "log_sigma_learning_rate",
    "group_log_sigma_learning_rate",
)


def check_weights(net: nn.Module, config: Config, epoch: int) -> None:
    """Make sure that a network can be kept: that its weights are numbers, and none is too large.

    Raises
    ------
    TrainingError
        If that is not so; names the first such weight.
    """
    for name, parameter in net.named_parameters():
        values = parameter.detach()
        largest = float(values.abs().max()) if values.numel() else 0.0
        # A log sigma may be anything that is a number: what follows from it is clipped.
        limit = float("inf") if name.endswith("log_sigma") else LARGEST_WEIGHT
        if not largest <= limit or largest == float("inf"):
            raise TrainingError(
                f"training diverged: {name} reaches {largest:.3g} in epoch {epoch}, "
                f"{LARGEST_WEIGHT:g} is allowed: {remedy(config)}"
            )


def remedy(config: Config) -> str:
    """Name the learning rate that is furthest above its default."""
    said = {"task": config.data.task, "level": config.text.level}
    usual = Config.from_flat({**said, "schedule": config.training.schedule}).training

    def excess(rate: str) -> float:
        value, default = getattr(config.training, rate), getattr(usual, rate)
        return float(value / default)

    rate = max(_RATES, key=excess)
    flag = rate.replace("_", "-")
    return f"lower --{flag} (now {getattr(config.training, rate):g}) or set --clip-norm"
