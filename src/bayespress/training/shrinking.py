"""Live shrinking: what was pruned for good is sliced away, and training goes on with less."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from bayespress.compression import KeepMasks, Network, ShrinkPlan, Size, aggregate_live, shrink
from bayespress.text import renumbering
from bayespress.training.tasks import Task


class LiveShrinking:
    """Removes words, dimensions and neurons that have been pruned for some epochs in a row.

    A structure counts as pruned while it cannot bear on a prediction, see
    :func:`~bayespress.compression.aggregate_live`. Log alpha of a weight may fall below the
    threshold again, hence the wait: what was pruned once at an epoch's end comes back now and then.

    Parameters
    ----------
    patience
        Ends of epochs in a row at which a structure must have been pruned; 0 removes nothing.
    size
        Of the network.

    Attributes
    ----------
    pruned_for
        Epochs that each of the ``words``, ``dims`` (a classifier's) and ``neurons`` has been
        pruned for.
    """

    def __init__(self, patience: int, size: Size) -> None:
        self.patience = patience
        counts = {"words": size.rows, "dims": size.dims, "neurons": size.neurons}
        self.pruned_for = {
            name: torch.zeros(count, dtype=torch.int32)
            for name, count in counts.items()
            if count is not None
        }

    def shrink(
        self,
        net: Network,
        optimizer: torch.optim.Optimizer,
        task: Task,
        *,
        at_once: bool = False,
    ) -> Task:
        """Look at the network after an epoch; slice it and the optimiser's moments if it is time.

        Parameters
        ----------
        net, optimizer
            Changed in place.
        task
            Its ids speak of the network's rows.
        at_once
            Without patience: when masks are fixed, what is pruned cannot come back.

        Returns
        -------
        Task
            With the ids of the smaller network.
        """
        if self.patience == 0:
            return task
        masks = aggregate_live(net)
        self._count(masks)
        keep = self._keep(masks, 1 if at_once else self.patience)
        first = int(task.interface.zero_row)  # the zero vector stays in any case
        if all(bool(mask.all()) for mask in (keep.vocab[first:], keep.emb, keep.hidden)):
            return task
        interface, rows = task.interface.restrict(keep.vocab.cpu().numpy())
        plan = ShrinkPlan.from_masks(keep, torch.from_numpy(rows).to(keep.vocab.device))
        shrink(net, plan, optimizer)
        neurons = keep.hidden.nonzero().flatten()
        for name, index in (("words", plan.rows), ("dims", plan.emb), ("neurons", neurons)):
            if name in self.pruned_for:
                self.pruned_for[name] = self.pruned_for[name][index.cpu()]
        return task.restrict(interface, renumbering(len(keep.vocab), rows))

    def _count(self, masks: KeepMasks) -> None:
        kept = {"words": masks.vocab, "dims": masks.emb, "neurons": masks.hidden}
        for name, count in self.pruned_for.items():
            self.pruned_for[name] = torch.where(kept[name].cpu(), 0, count + 1)

    def _keep(self, masks: KeepMasks, patience: int) -> KeepMasks:
        kept = {
            name: (count < patience).to(masks.vocab.device)
            for name, count in self.pruned_for.items()
        }
        # What a language model's LSTM reads are the words.
        return replace(
            masks.with_hidden(kept["neurons"]),
            vocab=kept["words"],
            emb=kept.get("dims", torch.ones_like(masks.emb)),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Give the counters, for checkpoints."""
        return {f"pruned_for.{name}": count for name, count in self.pruned_for.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put the counters back that :meth:`tensors` gave."""
        for name in self.pruned_for:
            self.pruned_for[name] = tensors[f"pruned_for.{name}"]
