"""Where training happens: the device, and the processes that divide each mini-batch."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from bayespress.errors import ConfigError
from bayespress.variational import Share

_BACKENDS = {"cuda": "nccl"}  # gloo for all others
# The only buffers are constants. From 2.13 on torch warns where the older name is used.
_NO_BUFFERS: dict[str, Any] = (
    {"forward_sync_buffers": False}
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else {"broadcast_buffers": False}
)


@dataclass(frozen=True)
class Workers:
    """The processes that train one network together: one alone, or those that torchrun started.

    Each holds the whole network and all texts and works on its share of every mini-batch; torch's
    :class:`~torch.nn.parallel.DistributedDataParallel` averages gradients. The first one alone
    writes files and speaks.

    Attributes
    ----------
    rank
        Number of this process, from 0.
    count
        How many there are.
    device
        Where this process computes.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @classmethod
    @contextlib.contextmanager
    def join(cls, device: str) -> Iterator[Workers]:
        """Meet the other processes, if torchrun started this one; leave them at the end.

        Parameters
        ----------
        device
            ``auto``, ``cpu``, ``cuda`` or ``mps``.

        Raises
        ------
        ConfigError
            If this machine lacks the device.
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        chosen = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
        if count == 1:
            yield cls(device=chosen)
            return
        distributed.init_process_group(_BACKENDS.get(chosen.type, "gloo"))
        try:
            yield cls(distributed.get_rank(), count, chosen)
        finally:
            distributed.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    @contextlib.contextmanager
    def one_by_one(self) -> Iterator[None]:
        """Let the first process through before the others, which find its work in the cache."""
        if not self.is_first:
            distributed.barrier()
        yield
        if self.is_first and self.count > 1:
            distributed.barrier()

    def share(self, batch: int) -> Share | None:
        """Tell this process's part of a mini-batch; None where there is one process."""
        if self.count == 1:
            return None
        first, last = self._bounds(batch)
        if first == last:  # fewer sequences than processes: one that counts nothing, see weight_of
            first = max(0, first - 1)
            last = first + 1
        return Share(first, last, batch)

    def weight_of(self, share: Share | None) -> float:
        """Tell what a share's mean counts, for the average over processes to be the batch's mean.

        Examples
        --------
        >>> two = Workers(rank=0, count=2)
        >>> two.share(5), two.weight_of(two.share(5))
        (Share(first=0, last=2, batch=5), 0.8)
        """
        if share is None:
            return 1.0
        first, last = self._bounds(share.batch)
        return (last - first) * self.count / share.batch

    def _bounds(self, batch: int) -> tuple[int, int]:
        return batch * self.rank // self.count, batch * (self.rank + 1) // self.count

    def parallel(self, net: nn.Module) -> nn.Module:
        """Make a module whose gradients are averaged over the processes; anew when `net` changes.

        The first process's parameters become those of all.
        """
        if self.count == 1:
            return net
        return DistributedDataParallel(
            net,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            **_NO_BUFFERS,
            find_unused_parameters=not net.training,  # without noise, log sigmas are not used
        )

    def average(self, values: Tensor) -> Tensor:
        """Average over the processes."""
        if self.count > 1:
            distributed.all_reduce(values)
            values /= self.count
        return values


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """Find a device by its name; ``auto`` takes CUDA if there is some, then MPS, then the CPU.

    Raises
    ------
    ConfigError
        If this machine lacks it.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    if not available[name]:
        raise ConfigError(f"there is no {name} device here: set --device cpu or --device auto")
    return torch.device(name, local_rank) if name == "cuda" else torch.device(name)
