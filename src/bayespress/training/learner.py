"""A network while it learns: its phases, its steps, and the processes that divide them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from bayespress.compression import to_principal_axes
from bayespress.config import Config
from bayespress.models import TextClassifierNet
from bayespress.objective import nll
from bayespress.training import process
from bayespress.training.batches import Batch
from bayespress.training.schedules import Phase
from bayespress.training.state import make_optimizer
from bayespress.training.workers import Workers
from bayespress.variational import named_variational_parameters, set_threshold


@dataclass(frozen=True)
class Step:
    """Figures of one step, or their means over several.

    Attributes
    ----------
    nll
        Mean negative log likelihood, nats.
    kl
        Undivided divergence of what is left of the network, nats; 0 in phases without noise.
    accuracy
        Share of right answers.
    """

    nll: float
    kl: float
    accuracy: float


class Learner:
    """Takes steps with one network and its optimiser.

    Parameters
    ----------
    net
        The network; it is moved to the workers' device.
    config
        All settings.
    workers
        The processes that divide each mini-batch.
    """

    def __init__(self, net: TextClassifierNet, config: Config, workers: Workers) -> None:
        self.net = net.to(workers.device)
        self.config = config
        self.workers = workers
        # The kernels of the CPU take sparse gradients; DistributedDataParallel takes dense ones.
        on_cpu = workers.device.type == "cpu"
        net.embedding.weight.sparse_grad = on_cpu and workers.count == 1
        is_rounded = config.training.precision == "bfloat16"
        net.lstm.bfloat16_products = is_rounded and process.has_bfloat16(workers.device)
        self.optimizer = make_optimizer(net, config)
        self._parallel: nn.Module = net

    def enter(self, phase: Phase) -> None:
        """Do what the first epoch of a phase begins with."""
        parameters = [p for _, p in named_variational_parameters(self.net)]
        is_turned = self.config.training.principal_axes
        if phase is Phase.SPARSE and is_turned and any(p.log_sigma is not None for p in parameters):
            to_principal_axes(self.net, self.config.training.vector_scale)
        elif phase is Phase.FINETUNING:
            for parameter in parameters:
                parameter.freeze()
        else:
            return
        # Old moments speak of other axes, or would move what is pruned.
        self.optimizer = make_optimizer(self.net, self.config)

    def begin_epoch(self, phase: Phase) -> None:
        """Make ready for an epoch's steps, after whatever changed the network's size."""
        self.net.train(phase is Phase.SPARSE)
        set_threshold(self.net, math.inf if phase is Phase.DENSE else self.config.model.threshold)
        self._parallel = self.workers.parallel(self.net)

    def end_epoch(self) -> None:
        """Let the masks be those that the network is shipped with, whatever its steps left out."""
        set_threshold(self.net, self.config.model.threshold)

    def step(self, batch: Batch, noise: torch.Generator, divergence_scale: float) -> Step:
        """Take one step; `divergence_scale` is what a nat of divergence counts."""
        share = self.workers.share(len(batch))
        weight = self.workers.weight_of(share)
        batch = batch.to(self.workers.device)
        labels = batch.labels if share is None else share.of(batch.labels)
        logits = self._parallel(batch.ids, batch.mask, noise, share)
        likelihood = weight * nll(logits, labels)
        self.optimizer.zero_grad()
        likelihood.backward()
        divergence = self.optimizer.step_with_kl(
            divergence_scale if self.net.training else None, self.config.training.clip_norm
        )
        right = weight * (answers(logits) == labels).to(likelihood.dtype).mean()
        figures = self.workers.average(torch.stack([likelihood.detach(), right])).tolist()
        return Step(nll=figures[0], kl=divergence, accuracy=figures[1])


def answers(logits: torch.Tensor) -> torch.Tensor:
    """Give the most probable classes."""
    return logits.argmax(dim=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
