"""An LSTM with group variables on inputs, neurons and gate preactivations."""

from __future__ import annotations

import torch
from torch import Tensor

from bayespress.nn import init
from bayespress.nn.recurrence import State
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.variational import Share


class LSTM(RecurrentLayer):
    r"""An LSTM layer as :class:`torch.nn.LSTM`, whose weights, gates and neurons can be pruned.

    .. math::
        a_k &= ((x_t z_{input}) W_k^\top + h_{t-1} U_k^\top) z_k + b_k, \quad k = i, f, g, o \\
        c_t &= f c_{t-1} + i g, \quad h_t = o \tanh(c_t) z_{hidden}

    The bias comes after the group variable, so that a gate whose :math:`z_k` is pruned is constant.
    In training, W and U have one sample a mini-batch, the group variables one a sequence; both are
    shared by all time steps.

    Parameters and attributes are those of :class:`~bayespress.nn.recurrent.RecurrentLayer`. Biases
    are 1 for forget gates at first, else 0.

    Shape
    -----
    As in :class:`torch.nn.LSTM`: input ``(time, batch, input_size)``, state h and c each
    ``(1, batch, hidden_size)``, output ``(time, batch, hidden_size)``; with `batch_first` the
    first two dimensions of input and output are swapped.

    References
    ----------
    Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*,
    NeurIPS CDNNRIA workshop 2018, section 3.
    """

    def _run(
        self,
        projection: Tensor,
        row: Tensor,
        samples: int | Share,
        hx: State | None,
        mask: Tensor | None,
        generator: torch.Generator | None,
        *,
        shared: bool,
    ) -> tuple[Tensor, State]:
        return self._run_lstm(projection, row, samples, hx, mask, generator, shared=shared)

    def _initial_bias(self, hidden_size: int) -> Tensor:
        return init.lstm_bias(hidden_size)
