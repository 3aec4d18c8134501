"""A GRU with group variables on inputs, neurons and gate preactivations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bayespress.nn.gru_recurrence import GATES, run_gru
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.variational import Share


class GRU(RecurrentLayer):
    r"""A GRU layer as :class:`torch.nn.GRU`, whose weights, gates and neurons can be pruned.

    .. math::
        r, u &= \sigma((x_t z_{input} W_k^\top + h_{t-1} U_k^\top) z_k + b_k), \quad k = r, u \\
        n &= \tanh(x_t z_{input} W_n^\top z_n + b_n + r \circ (h_{t-1} U_n^\top z_n + b'_n)) \\
        h_t &= (1 - u) \circ n\, z_{hidden} + u \circ h_{t-1}

    with u the update gate, which PyTorch calls z. There is one group variable for each of the three
    preactivations of a neuron; biases come after it, so that r and u are constant where theirs is
    pruned. As :math:`z_{hidden}` is one for a whole sequence, each h is it times the state of a
    plain GRU. Noise is shared as in :class:`~bayespress.nn.LSTM`.

    Parameters and attributes are those of :class:`~bayespress.nn.recurrent.RecurrentLayer`. The
    biases `bias`, of r, u and n, and `hidden_bias`, :math:`b'_n`, are 0 at first.

    Shape
    -----
    As in :class:`torch.nn.GRU`: input ``(time, batch, input_size)``, state ``(1, batch,
    hidden_size)``, output ``(time, batch, hidden_size)``; with `batch_first` the first two
    dimensions of input and output are swapped.

    References
    ----------
    Cho et al.: *Learning Phrase Representations using RNN Encoder-Decoder*, EMNLP 2014. Group
    variables after Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural
    Networks*, NeurIPS CDNNRIA workshop 2018, who have them for LSTMs.
    """

    gates = GATES

    def __init__(self, input_size: int, hidden_size: int, **settings: Any) -> None:
        super().__init__(input_size, hidden_size, **settings)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden_size))

    def _run(
        self,
        projection: Tensor,
        row: Tensor,
        samples: int | Share,
        hx: Tensor | None,
        mask: Tensor | None,
        generator: torch.Generator | None,
        *,
        shared: bool,
    ) -> tuple[Tensor, Tensor]:
        zeros = projection.new_zeros(row.shape[1], self.hidden_size)
        output, h = run_gru(
            projection,
            row,
            self.weight_hh(generator),
            self.bias,
            self.hidden_bias,
            self.z_gates(generator, samples=samples),
            self.z_hidden(generator, samples=samples),
            zeros if hx is None else hx[0],
            mask,
            hard=self.gate_activation == "hard_sigmoid",
            shared=shared,
        )
        return output, h.unsqueeze(0)

    def _initial_bias(self, hidden_size: int) -> Tensor:
        return torch.zeros(GATES * hidden_size)
