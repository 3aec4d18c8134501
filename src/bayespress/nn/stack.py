"""Recurrent layers one above another, in one direction or both, and what is read of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from bayespress.nn.gru import GRU
from bayespress.nn.lstm import LSTM
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.nn.tokens import Tokens
from bayespress.sparsity import Prior
from bayespress.variational import Share

CELLS: dict[str, type[RecurrentLayer]] = {"lstm": LSTM, "gru": GRU}
"""The layers by their cells' names."""
POOLINGS = ("last", "mean", "max")


class Stack(nn.Module):
    r"""Layers of :class:`~bayespress.nn.LSTM` or :class:`~bayespress.nn.GRU`, as one module.

    A layer reads, at each step, the outputs of the one below, those of both directions one after
    another. The group variable of a neuron, :math:`z_{hidden}`, multiplies what the layer above
    reads of it as well: there is no further one for the inputs of that layer. In the first layer
    each direction has its own :math:`z_{input}`; an input is removed once no direction reads it.

    Parameters
    ----------
    cell
        ``lstm`` or ``gru``.
    input_size
        Size of an input of the first layer.
    hidden_sizes
        Neurons of each cell, layer by layer; a layer has one number, or two: forwards, backwards.
    dropout
        Share of the outputs of each layer but the last that are set to zero in training, as in
        :class:`torch.nn.LSTM`.
    generator
        Source of the initial weights.
    settings
        Of every layer: see :class:`~bayespress.nn.recurrent.RecurrentLayer`.

    Attributes
    ----------
    drops
        Whether dropout is at work; None, as at first, in training mode alone.

    Raises
    ------
    ValueError
        If there is no such cell, or a layer has neither one cell nor two.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_sizes: Sequence[Sequence[int]],
        *,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, got {cell!r}")
        if not hidden_sizes or not all(len(sizes) in (1, 2) for sizes in hidden_sizes):
            raise ValueError(f"each layer has one size or two, got {hidden_sizes}")
        self.cell, self.dropout = cell, dropout
        self.drops: bool | None = None
        layers = []
        for number, sizes in enumerate(hidden_sizes):
            above = {"input_prior": Prior.CONSTANT} if number else {}
            cells = (
                CELLS[cell](
                    input_size, size, reverse=bool(d), generator=generator, **(settings | above)
                )
                for d, size in enumerate(sizes)
            )
            layers.append(nn.ModuleList(cells))
            input_size = sum(sizes)
        self.layers = nn.ModuleList(layers)

    @property
    def hidden_sizes(self) -> tuple[tuple[int, ...], ...]:
        """Neurons of each cell, layer by layer."""
        return tuple(tuple(cell.hidden_size for cell in layer) for layer in self.nested())

    @property
    def input_size(self) -> int:
        """Size of an input of the first layer."""
        return self.nested()[0][0].input_size

    @property
    def output_size(self) -> int:
        """Neurons of the last layer, in all directions."""
        return sum(self.hidden_sizes[-1])

    def nested(self) -> list[list[RecurrentLayer]]:
        """Give the cells of each layer."""
        layers = cast("list[list[RecurrentLayer]]", self.layers)
        return [list(layer) for layer in layers]

    def cells(self) -> Iterator[RecurrentLayer]:
        """Iterate over all cells, from the first layer upwards."""
        for layer in self.nested():
            yield from layer

    def forward(
        self,
        input: Tensor | Tokens,  # noqa: A002 - torch.nn's name
        mask: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Run over a batch of sequences, from states of zero.

        Parameters
        ----------
        input
            Sequences, shape ``(time, batch, input_size)``, or an embedding's tokens.
        mask
            True where a step is real, shape ``(time, batch)``; of tokens ``(batch, time)``.
        generator
            Source of the noise, and of what dropout chooses.
        share
            Take these sequences' noise as if they were all; tokens bring their own.

        Returns
        -------
        outputs, last
            Of each cell of the last layer: h of every step, ``(time, batch, hidden)``, and the
            last one in the direction of reading, ``(batch, hidden)``.
        """
        *_, read = self.run(input, mask, generator=generator, share=share)
        # Of an LSTM's state (h, c), h.
        last = [state[0][0] if isinstance(state, tuple) else state[0] for _, state in read]
        return [output for output, _ in read], last

    def run(
        self,
        input: Tensor | Tokens,  # noqa: A002 - torch.nn's name
        mask: Tensor | None = None,
        states: Sequence[Sequence[Any]] | None = None,
        *,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> Iterator[list[tuple[Tensor, Any]]]:
        """Run over a batch of sequences; give each layer's outputs and last states, cell by cell.

        `states` are what the cells begin with, zeros by default; all else is as in
        :meth:`forward`.
        """
        for number, layer in enumerate(self.nested()):
            before = [None] * len(layer) if states is None else states[number]
            read = [
                cell(input, state, mask=mask, generator=generator, share=share)
                for cell, state in zip(layer, before, strict=True)
            ]
            yield read
            if isinstance(input, Tokens):
                share, mask = input.share, None if mask is None else mask.t()
            if number < len(self.layers) - 1:
                outputs = torch.cat([output for output, _ in read], dim=2)
                input = self._dropped(outputs, generator, share)  # noqa: A001

    def _dropped(
        self, states: Tensor, generator: torch.Generator | None, share: Share | None
    ) -> Tensor:
        """Set a share of states, ``(time, batch, size)``, to zero, others higher by as much."""
        drops = self.training if self.drops is None else self.drops
        if not (drops and self.dropout):
            return states
        steps, batch, size = states.shape
        keep = states.new_empty(batch if share is None else share.batch, steps, size)
        keep.bernoulli_(1 - self.dropout, generator=generator)
        keep = keep if share is None else share.of(keep)
        return states * keep.transpose(0, 1) / (1 - self.dropout)


def pool(
    pooling: str, outputs: Sequence[Tensor], last: Sequence[Tensor], mask: Tensor | None = None
) -> Tensor:
    """Make one vector of a sequence.

    Parameters
    ----------
    pooling
        ``last``: the last states; ``mean`` or ``max`` of the outputs over all real steps, zero
        where there is none.
    outputs, last
        As :class:`Stack` gives them.
    mask
        True where a step is real, shape ``(time, batch)``.

    Returns
    -------
    Tensor
        Shape ``(batch, neurons of all cells)``.

    Raises
    ------
    ValueError
        If there is no such pooling.
    """
    if pooling == "last":
        return torch.cat(list(last), dim=1)
    states = torch.cat(list(outputs), dim=2)
    real = states.new_ones(states.shape[:2], dtype=torch.bool) if mask is None else mask
    real = real.unsqueeze(2)
    if pooling == "mean":
        return (states * real).sum(0) / real.sum(0).clamp(min=1)
    if pooling == "max":
        if len(states) == 0:
            return states.sum(0)
        most = states.masked_fill(~real, -torch.inf).amax(0)
        return torch.where(real.any(0), most, 0.0)
    raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
