"""The state of training between two epochs: network, optimiser, counters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bayespress.compression import Size
from bayespress.config import Config
from bayespress.errors import RunError
from bayespress.optim import VariationalAdam
from bayespress.variational import named_variational_parameters


@dataclass(frozen=True)
class Progress:
    """Counters of a run.

    Attributes
    ----------
    epoch
        Epochs done.
    best_epoch, best_score
        The epoch with the best score so far; 0 before the first one.
    removed_kl
        Divergence of what live shrinking removed, in nats, as it was then: it goes on counting,
        so that the objective does not jump.
    reached_at
        Epoch that reached the wanted compression, and that fine-tuning follows; 0: none has.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_score: float = float("-inf")
    removed_kl: float = 0.0
    reached_at: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class FullSize:
    """What a network was before live shrinking: what figures are measured against.

    Attributes
    ----------
    size
        Its dimensions.
    vocabulary_bytes
        The words in UTF-8, each with a separator.
    """

    size: Size
    vocabulary_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FullSize:
        """Make it of what :meth:`to_dict` returned."""
        return cls(Size.from_dict(values["size"]), values["vocabulary_bytes"])


def make_optimizer(net: nn.Module, config: Config) -> VariationalAdam:
    """Make Adam with four step sizes: weights and biases, group variables, log sigmas of each."""
    training = config.training
    rates: dict[Tensor, float] = dict.fromkeys(net.parameters(), training.learning_rate)
    for _, parameter in named_variational_parameters(net):
        is_group = parameter.mean.dim() == 1
        if is_group and parameter.mean in rates:
            rates[parameter.mean] = training.group_learning_rate
        if parameter.log_sigma is not None:
            rates[parameter.log_sigma] = (
                training.group_log_sigma_learning_rate
                if is_group
                else training.log_sigma_learning_rate
            )
    return VariationalAdam(
        net,
        [{"params": [p], "lr": rate, "full_rate": rate} for p, rate in rates.items()],
        betas=(0.9, training.beta2),
        form=config.model.kl_form,
        corrects_epsilon=training.corrects_epsilon,
    )


def set_rate_factor(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set all learning rates to a share of the configured ones."""
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * factor


def state_tensors(net: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Collect all tensors that training goes on from, by name."""
    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{name}.{key}"] = value
    return tensors


def restore(
    net: nn.Module, optimizer: torch.optim.Optimizer | None, tensors: dict[str, Tensor]
) -> None:
    """Put tensors of :func:`state_tensors` back.

    Raises
    ------
    RunError
        If names or shapes are not the network's.
    """
    try:
        net.load_state_dict(
            {
                name.removeprefix("net."): tensor
                for name, tensor in tensors.items()
                if name.startswith("net.")
            }
        )
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise RunError(f"the checkpoint does not fit the network: {first}") from None
    if optimizer is None:
        return
    for name, parameter in net.named_parameters():
        prefix = f"optimizer.{name}."
        state = {
            # Adam counts its steps on the CPU, wherever its moments are.
            key.removeprefix(prefix): tensor.to(parameter.device) if tensor.dim() else tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        if state:
            optimizer.state[parameter] = state
