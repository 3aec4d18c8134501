"""Slice a network to what stays: weights, their gradients and the optimiser's moments alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bayespress.compression.masks import KeepMasks, Network, cells_of
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.nn import GRU, OneHotLSTM
from bayespress.nn.gated import GatedLayer
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.variational import VariationalParameter

Cut = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ShrinkPlan:
    """Indices of what stays, rising: rows of the table, inputs of the LSTM, neurons of each cell.

    The table is a classifier's embedding or a language model's input weights; the latter's `emb`
    is not used. Row 0 of the smaller table is the zero vector, whatever stood there before.
    """

    rows: Tensor
    emb: Tensor
    hidden: tuple[tuple[Tensor, ...], ...]

    @classmethod
    def from_masks(cls, masks: KeepMasks, rows: Tensor | None = None) -> ShrinkPlan:
        """Plan for masks; `rows` are the table's rows that stay."""
        kept = masks.vocab.nonzero().flatten() if rows is None else rows
        return cls(
            rows=torch.cat([kept.new_zeros(1), kept]),
            emb=masks.emb.nonzero().flatten(),
            hidden=tuple(
                tuple(cell.hidden.nonzero().flatten() for cell in layer) for layer in masks.layers
            ),
        )


def gate_rows(hidden: Tensor, gates: int, hidden_size: int) -> Tensor:
    """Rows of some neurons, given by number, in a matrix of all gates, gate by gate."""
    offsets = torch.arange(gates, device=hidden.device) * hidden_size
    return (offsets[:, None] + hidden).flatten()


def neurons_of(hidden: tuple[Tensor, ...], sizes: list[int]) -> Tensor:
    """Give the numbers of a layer's kept neurons among those of all its cells."""
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return torch.cat([start + kept for start, kept in zip(starts, hidden, strict=True)])


def slice_parameter(
    owner: nn.Module, name: str, cut: Cut, optimizer: torch.optim.Optimizer | None = None
) -> None:
    """Replace one parameter or buffer by a slice, with its gradient and the optimiser's state.

    Parameters
    ----------
    owner, name
        Where the tensor stands. A buffer, or a parameter that is None, is handled as well.
    cut
        Takes a tensor of the parameter's shape and returns the part that stays.
    optimizer
        If given, its parameter list and its state of the parameter's shape (moments) are cut too.
    """
    old = getattr(owner, name)
    if old is None:
        return
    if not isinstance(old, nn.Parameter):
        setattr(owner, name, cut(old).clone())
        return
    new = nn.Parameter(cut(old.detach()).clone(), requires_grad=old.requires_grad)
    if old.grad is not None:
        new.grad = cut(old.grad).clone()
    setattr(owner, name, new)
    if optimizer is not None:
        _replace_in_optimizer(optimizer, old, new, cut)


def _replace_in_optimizer(
    optimizer: torch.optim.Optimizer, old: nn.Parameter, new: nn.Parameter, cut: Cut
) -> None:
    for group in optimizer.param_groups:
        group["params"] = [new if p is old else p for p in group["params"]]
    state = optimizer.state.pop(old, None)
    if state is not None:
        optimizer.state[new] = {
            key: cut(value).clone()
            if isinstance(value, Tensor) and value.shape == old.shape
            else value
            for key, value in state.items()
        }


def shrink(net: Network, plan: ShrinkPlan, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Remove, in place, the rows, dimensions and neurons that a plan leaves out.

    Where the plan comes from :func:`~bayespress.compression.masks.aggregate_live`, predictions do
    not change, if ids are renumbered as the plan says (see ``TextEncoder.restrict``).

    Raises
    ------
    IndexError
        If the plan names rows, dimensions or neurons that the network does not have.
    """
    for owner, name, cut in _cuts(net, plan):
        slice_parameter(owner, name, cut, optimizer)
    if isinstance(net, LanguageModelNet):
        net.lstm.padding_idx = 0
    else:
        net.embedding.padding_idx = 0


def _cuts(net: Network, plan: ShrinkPlan) -> Iterator[tuple[nn.Module, str, Cut]]:
    if isinstance(net, TextClassifierNet):
        yield from _parameter_cuts(net.embedding.weight, plan.rows, plan.emb)
        yield from _parameter_cuts(net.embedding.z_vocab, plan.rows)
    inputs = plan.emb
    for layer, kept in zip(cells_of(net), plan.hidden, strict=True):
        # Sizes are read before the first cut of the layer is made.
        sizes = [cell.hidden_size for cell in layer]
        for cell, hidden in zip(layer, kept, strict=True):
            yield from _cell_cuts(cell, plan.rows, inputs, hidden)
        inputs = neurons_of(kept, sizes)
    yield from _parameter_cuts(net.output.weight, None, inputs)


def _cell_cuts(
    cell: GatedLayer, rows: Tensor, inputs: Tensor, hidden: Tensor
) -> Iterator[tuple[nn.Module, str, Cut]]:
    gates = gate_rows(hidden, cell.gates, cell.hidden_size)
    if isinstance(cell, OneHotLSTM):
        yield from _parameter_cuts(cell.weight_ih, rows, gates)
        yield from _parameter_cuts(cell.z_input, rows)
    elif isinstance(cell, RecurrentLayer):
        yield from _parameter_cuts(cell.weight_ih, gates, inputs)
        yield from _parameter_cuts(cell.z_input, inputs)
    yield from _parameter_cuts(cell.weight_hh, gates, hidden)
    yield from _parameter_cuts(cell.z_hidden, hidden)
    yield from _parameter_cuts(cell.z_gates, gates)
    yield cell, "bias", _cut_along((gates,))
    if isinstance(cell, GRU):
        yield cell, "hidden_bias", _cut_along((hidden,))


def _parameter_cuts(
    parameter: VariationalParameter, *indices: Tensor | None
) -> Iterator[tuple[nn.Module, str, Cut]]:
    for name in ("mean", "log_sigma"):
        yield parameter, name, _cut_along(indices)


def _cut_along(indices: tuple[Tensor | None, ...]) -> Cut:
    def cut(tensor: Tensor) -> Tensor:
        for dim, index in enumerate(indices):
            tensor = tensor if index is None else tensor.index_select(dim, index)
        return tensor

    return cut
