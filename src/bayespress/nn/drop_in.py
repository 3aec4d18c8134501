"""A stack that is called as torch's own recurrent layers are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from bayespress.nn.stack import Stack

State = Tensor | tuple[Tensor, Tensor]


class Recurrent(Stack):
    """Layers of LSTMs or GRUs, called as :class:`torch.nn.LSTM` and :class:`torch.nn.GRU`.

    All cells have the same number of neurons. Noise is drawn from torch's global generator.

    Parameters
    ----------
    cell
        ``lstm`` or ``gru``.
    input_size, hidden_size, num_layers, batch_first, dropout, bidirectional
        As in :class:`torch.nn.LSTM`.
    settings
        Priors, log sigmas and so on: see :class:`~bayespress.nn.recurrent.RecurrentLayer`.

    Shape
    -----
    As in :class:`torch.nn.LSTM` and :class:`torch.nn.GRU`, without projections: input of three
    dimensions, two without a batch, or a packed sequence.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        **settings: Any,
    ) -> None:
        sizes = [[hidden_size] * (1 + bidirectional)] * num_layers
        super().__init__(cell, input_size, sizes, dropout=dropout, **settings)
        self.batch_first = batch_first

    def forward(  # type: ignore[override]
        self,
        input: Tensor | PackedSequence,  # noqa: A002 - torch.nn's name
        hx: State | None = None,
    ) -> tuple[Tensor | PackedSequence, State]:
        """Run over a batch of sequences.

        Returns
        -------
        output, state
            As torch's layers give them: of an LSTM the state is ``(h_n, c_n)``, of a GRU ``h_n``.
        """
        if isinstance(input, PackedSequence):
            return self._run_packed(input, hx)
        if input.dim() == 2:
            output, state = self._run_whole(input.unsqueeze(1), None, _each(hx, _with_batch))
            return output.squeeze(1), _of_each(state, lambda one: one.squeeze(1))
        if not self.batch_first:
            return self._run_whole(input, None, hx)
        output, state = self._run_whole(input.transpose(0, 1), None, hx)
        return output.transpose(0, 1), state

    def _run_packed(self, packed: PackedSequence, hx: State | None) -> tuple[PackedSequence, State]:
        """Run over sequences in their packed order, by falling length."""
        padded, lengths = pad_packed_sequence(PackedSequence(packed.data, packed.batch_sizes))
        steps = torch.arange(len(padded), device=padded.device)
        mask = steps[:, None] < lengths.to(padded.device)
        if packed.sorted_indices is not None:
            order = packed.sorted_indices
            hx = _each(hx, lambda one: one.index_select(1, order))
        output, state = self._run_whole(padded, mask, hx)
        if packed.unsorted_indices is not None:
            back = packed.unsorted_indices
            state = _of_each(state, lambda one: one.index_select(1, back))
        # Row by row, the real steps of each time step: as packed data are laid out.
        return packed._replace(data=output[mask]), state

    def _run_whole(
        self, sequences: Tensor, mask: Tensor | None, hx: State | None
    ) -> tuple[Tensor, State]:
        """Run over ``(time, batch, input_size)``."""
        read = list(self.run(sequences, mask, self._nested_states(hx)))
        output = torch.cat([output for output, _ in read[-1]], dim=2)
        states = [state for layer in read for _, state in layer]
        if self.cell == "gru":
            return output, torch.cat(states)
        return output, (torch.cat([h for h, _ in states]), torch.cat([c for _, c in states]))

    def _nested_states(self, hx: State | None) -> list[list[Any]] | None:
        """Give each cell its part of a state as torch has it."""
        if hx is None:
            return None
        parts: list[Any]
        if isinstance(hx, tuple):
            parts = list(zip(hx[0].split(1), hx[1].split(1), strict=True))
        else:
            parts = list(hx.split(1))
        directions = len(self.nested()[0])
        return [parts[k : k + directions] for k in range(0, len(parts), directions)]


def _with_batch(state: Tensor) -> Tensor:
    return state.unsqueeze(1)


def _each(state: State | None, change: Any) -> State | None:
    return None if state is None else _of_each(state, change)


def _of_each(state: State, change: Any) -> State:
    if isinstance(state, tuple):
        return change(state[0]), change(state[1])
    changed: Tensor = change(state)
    return changed
