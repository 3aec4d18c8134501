"""The papers' language model: an LSTM over one-hot tokens, and a linear layer at every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bayespress.config import ModelConfig
from bayespress.nn import Linear, OneHotLSTM
from bayespress.nn.init import semi_orthogonal
from bayespress.nn.recurrence import State
from bayespress.sparsity import LanguageModelSparsity
from bayespress.variational import Share


class LanguageModelNet(nn.Module):
    """OneHotLSTM → Linear, with the priors of a four-letter code.

    Parameters
    ----------
    num_tokens
        How many tokens can be predicted.
    config
        Sizes, letters, activation, initial log sigmas and threshold.
    carries_state
        Whether sequences go on where those before them ended. Such a network draws the noise of
        its output weights once a mini-batch, else once a sequence and token, and its forget gates
        begin with a bias of 1, else 0.
    num_inputs
        Rows of the input weights, if these are fewer than the tokens.
    padding_idx
        Row that adds nothing, if there is one.
    generator
        Source of the initial weights: all matrices (semi-)orthogonal.

    References
    ----------
    Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*,
    NeurIPS CDNNRIA workshop 2018, section 4.
    """

    def __init__(
        self,
        num_tokens: int,
        config: ModelConfig,
        *,
        carries_state: bool = True,
        num_inputs: int | None = None,
        padding_idx: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        priors = LanguageModelSparsity.from_code(config.code)
        self.lstm = OneHotLSTM(
            num_tokens if num_inputs is None else num_inputs,
            config.hidden_size,
            prior=priors.recurrent,
            gates_prior=priors.gates,
            input_prior=priors.input,
            hidden_prior=priors.hidden,
            gate_activation=config.gate_activation,
            log_sigma=config.weight_log_sigma,
            group_log_sigma=config.group_log_sigma,
            threshold=config.threshold,
            forget_bias=1.0 if carries_state else 0.0,
            padding_idx=padding_idx,
            generator=generator,
        )
        self.output = Linear(
            config.hidden_size,
            num_tokens,
            prior=priors.output,
            noise="batch" if carries_state else "sequence",
            log_sigma=config.weight_log_sigma,
            threshold=config.threshold,
            weight=semi_orthogonal(num_tokens, config.hidden_size, generator),
        )

    def forward(
        self,
        ids: Tensor,
        state: State | None = None,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> tuple[Tensor, State]:
        """Compute the logits of each next token.

        Parameters
        ----------
        ids
            Rows of the input weights, shape ``(batch, time)``.
        state
            h and c before the first step, each ``(1, batch, hidden_size)``; zeros by default.
        generator
            Source of the noise in training.
        share
            Compute for these sequences alone, with noise as if they were all; `state` is theirs.

        Returns
        -------
        logits, (h, c)
            Shape ``(batch, time, num_tokens)``, and the state after the last step.
        """
        hidden, state = self.lstm(ids, state, generator=generator, share=share)
        logits: Tensor = self.output(hidden, generator, share)
        return logits, state
