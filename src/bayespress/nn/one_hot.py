"""An LSTM over token ids: its input is one-hot, so that the input weights are a table of rows."""

from __future__ import annotations

import torch
from torch import Tensor

from bayespress.nn import init
from bayespress.nn.gated import GatedLayer
from bayespress.nn.products import scale_pairs
from bayespress.nn.recurrence import GATES, State
from bayespress.nn.tokens import look_up
from bayespress.sparsity import Prior
from bayespress.variational import INITIAL_LOG_SIGMA, THRESHOLD, Share


class OneHotLSTM(GatedLayer):
    r"""An LSTM that reads tokens, whose weights, gates, input tokens and neurons can be pruned.

    .. math::
        a_k &= (z_{input}[w_t] W_k[w_t] + h_{t-1} U_k^\top) z_k + b_k, \quad k = i, f, g, o \\
        c_t &= f c_{t-1} + i g, \quad h_t = o \tanh(c_t) z_{hidden}

    with :math:`W_k[w]` the row of token w. It is :class:`~bayespress.nn.LSTM` on one-hot vectors,
    without the product: only the rows that a mini-batch touches are sampled. In training, W and U
    have one sample a mini-batch, the group variables one a sequence; a token that recurs in one
    sequence shares its sample of z_input.

    Parameters
    ----------
    num_tokens, hidden_size
        Sizes.
    prior
        Prior of W and U: L, N or D.
    gates_prior, input_prior, hidden_prior
        Priors of ``z_gates``, ``z_input`` (one variable a token) and ``z_hidden``: L, N, D, or C
        for none.
    gate_activation
        Of i, f and o: ``sigmoid`` or ``hard_sigmoid``, which is clip(0.2 x + 0.5, 0, 1).
    log_sigma, group_log_sigma
        Initial log sigmas of weights and group variables.
    threshold
        Prune where log alpha exceeds this.
    forget_bias
        Initial bias of forget gates; other biases are 0.
    padding_idx
        Token that adds nothing, if there is one.
    generator
        Source of the initial weights: W semi-orthogonal, U orthogonal, gate by gate.

    Attributes
    ----------
    weight_ih
        W, a row for each token: shape ``(num_tokens, 4 hidden_size)``, transposed against
        :class:`~bayespress.nn.LSTM`'s.

    Shape
    -----
    Input ``(batch, time)`` of token ids; output ``(batch, time, hidden_size)``; state h and c each
    ``(1, batch, hidden_size)``, as for :class:`torch.nn.LSTM` with `batch_first`.

    References
    ----------
    Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*,
    NeurIPS CDNNRIA workshop 2018, section 3.
    """

    def __init__(
        self,
        num_tokens: int,
        hidden_size: int,
        *,
        prior: Prior | str = Prior.LOG_UNIFORM,
        gates_prior: Prior | str = Prior.LOG_UNIFORM,
        input_prior: Prior | str = Prior.LOG_UNIFORM,
        hidden_prior: Prior | str = Prior.LOG_UNIFORM,
        gate_activation: str = "sigmoid",
        log_sigma: float = INITIAL_LOG_SIGMA,
        group_log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
        forget_bias: float = 1.0,
        padding_idx: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            gate_activation,
            prior,
            log_sigma=log_sigma,
            group_log_sigma=group_log_sigma,
            threshold=threshold,
        )
        self.padding_idx = padding_idx
        rows = [init.semi_orthogonal(num_tokens, hidden_size, generator) for _ in range(GATES)]
        self.weight_ih = self._make_weight(torch.cat(rows, dim=1))
        weight_hh = torch.cat([init.orthogonal(hidden_size, 1, generator) for _ in range(GATES)])
        bias = init.lstm_bias(hidden_size, forget_bias)
        self._make_recurrent(weight_hh, hidden_prior, gates_prior, bias)
        self.z_input = self._make_group(num_tokens, input_prior)

    @property
    def num_tokens(self) -> int:
        """Rows of the input weights."""
        return self.weight_ih.mean.shape[0]

    def forward(
        self,
        input: Tensor,  # noqa: A002 - torch.nn's name
        hx: State | None = None,
        *,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> tuple[Tensor, State]:
        """Run over a batch of sequences.

        Parameters
        ----------
        input, hx
            Token ids, and the state before them (zeros by default), shapes as above.
        generator
            Source of the noise; torch's global one by default.
        share
            Run these sequences alone, with noise as if they were all; `hx` is theirs alone.

        Returns
        -------
        output, (h_n, c_n)
            h of every step, and the last state.
        """
        tokens = look_up(
            self.weight_ih,
            self.z_input,
            input,
            padding_idx=self.padding_idx,
            generator=generator,
            share=share,
        )
        projection, row = tokens.vectors, tokens.word
        if tokens.z_vocab is not None:
            projection = scale_pairs(projection, tokens.pairs, tokens.z_vocab, None)
            row = tokens.pairs.pair
        output, state = self._run_lstm(
            projection,
            row.t(),
            len(row) if share is None else share,
            hx,
            None,
            generator,
            shared=tokens.z_vocab is None,
        )
        return output.transpose(0, 1), state

    def extra_repr(self) -> str:
        """Describe the size in the printed module."""
        return f"{self.num_tokens}, {self.hidden_size}, gate_activation={self.gate_activation!r}"
