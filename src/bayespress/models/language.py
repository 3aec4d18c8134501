"""The papers' language model: an LSTM over one-hot tokens, and a linear layer at every step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bayespress.config import ModelConfig
from bayespress.nn import Linear, OneHotLSTM
from bayespress.nn.init import semi_orthogonal
from bayespress.nn.output_loss import linear_cross_entropy
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
        following: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Compute the logits of each next token, or their loss.

        Parameters
        ----------
        ids
            Rows of the input weights, shape ``(batch, time)``.
        state
            h and c before the first step, each ``(1, batch, hidden_size)``; zeros by default.
        generator
            Source of the noise in training.
        share
            Compute for these sequences alone, with noise as if they were all; `state` and
            `following` are theirs.
        following
            The tokens that come next, shape ``(batch, time)``.

        Returns
        -------
        logits, (h, c)
            Shape ``(batch, time, num_tokens)``, and the state after the last step. With
            `following`, the mean negative log likelihood, nats a token, in place of the logits:
            where the vocabulary is large, this takes half the time and a tenth of the memory.
        """
        hidden, state = self.lstm(ids, state, generator=generator, share=share)
        if following is None:
            logits: Tensor = self.output(hidden, generator, share)
            return logits, state
        return self._loss(hidden, following, generator, share), state

    def _loss(
        self,
        hidden: Tensor,
        following: Tensor,
        generator: torch.Generator | None,
        share: Share | None,
    ) -> Tensor:
        output = self.output
        if output.bias is None or (output.weight.varies and output.noise != "batch"):
            logits = output(hidden, generator, share)
            return nn.functional.cross_entropy(logits.flatten(0, 1), following.flatten())
        weight = output.weight(generator)
        return linear_cross_entropy(hidden.flatten(0, 1), weight, output.bias, following.flatten())
