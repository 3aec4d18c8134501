"""A network while it learns: its phases, its steps, and the processes that divide them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from bayespress.compression import Network, to_principal_axes
from bayespress.config import Config
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.training import process
from bayespress.training.schedules import Phase
from bayespress.training.state import make_optimizer
from bayespress.training.tasks import Batch
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
    tallies
        What is counted of the answers, see :meth:`Batch.loss`; none for language models.
    """

    nll: float
    kl: float
    tallies: tuple[float, ...]


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

    def __init__(self, net: Network, config: Config, workers: Workers) -> None:
        self.net = net.to(workers.device)
        self.config = config
        self.workers = workers
        # The kernels of the CPU take sparse gradients; DistributedDataParallel takes dense ones.
        on_cpu = workers.device.type == "cpu"
        is_rounded = config.training.precision == "bfloat16"
        if isinstance(net, LanguageModelNet):
            table = net.lstm.weight_ih
        else:
            table = net.embedding.weight
            for cell in net.recurrent.cells():
                cell.bfloat16_products = is_rounded and process.has_bfloat16(workers.device)
        table.sparse_grad = on_cpu and workers.count == 1
        self.optimizer = make_optimizer(net, config)
        self._parallel: nn.Module = net

    def enter(self, phase: Phase) -> None:
        """Do what the first epoch of a phase begins with."""
        parameters = [p for _, p in named_variational_parameters(self.net)]
        net = self.net
        is_turned = self.config.training.principal_axes and any(
            p.log_sigma is not None for p in parameters
        )
        if phase is Phase.SPARSE and is_turned and isinstance(net, TextClassifierNet):
            to_principal_axes(net, self.config.training.vector_scale)
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
        if isinstance(self.net, TextClassifierNet):
            self.net.recurrent.drops = True  # in epochs without noise too
        set_threshold(self.net, math.inf if phase is Phase.DENSE else self.config.model.threshold)
        self._parallel = self.workers.parallel(self.net)

    def end_epoch(self) -> None:
        """Let the masks be those that the network is shipped with, whatever its steps left out."""
        set_threshold(self.net, self.config.model.threshold)
        if isinstance(self.net, TextClassifierNet):
            self.net.recurrent.drops = False

    def step(self, batch: Batch, noise: torch.Generator, divergence_scale: float) -> Step:
        """Take one step; `divergence_scale` is what a nat of divergence counts."""
        share = self.workers.share(len(batch))
        weight = self.workers.weight_of(share)
        mean, tallies = batch.to(self.workers.device).loss(self._parallel, noise, share)
        likelihood = weight * mean
        self.optimizer.zero_grad()
        likelihood.backward()
        divergence = self.optimizer.step_with_kl(
            divergence_scale if self.net.training else None, self.config.training.clip_norm
        )
        figures = [likelihood.detach(), *([] if tallies is None else weight * tallies)]
        first, *rest = self.workers.average(torch.stack(figures)).tolist()
        return Step(nll=first, kl=divergence, tallies=tuple(rest))
