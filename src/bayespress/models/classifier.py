"""The papers' text classifier: embedding, LSTM, linear layer on the last state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bayespress.config import ModelConfig
from bayespress.nn import LSTM, Embedding, Linear
from bayespress.sparsity import SparsityConfig
from bayespress.variational import Share


class TextClassifierNet(nn.Module):
    """Embedding → LSTM → Linear, with the priors of a six-letter code.

    Parameters
    ----------
    num_embeddings
        Rows of the embedding table, row 0 for padding.
    outputs
        1 for two classes (log odds of the second one), else the number of classes.
    config
        Sizes, letters, activation, initial log sigmas and threshold.
    padding_idx
        Row that is the zero vector; None where all rows are learned.
    generator
        Source of the initial weights.
    """

    def __init__(
        self,
        num_embeddings: int,
        outputs: int,
        config: ModelConfig,
        *,
        padding_idx: int | None = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        priors = SparsityConfig.from_code(config.code)
        self.embedding = Embedding(
            num_embeddings,
            config.embedding_size,
            padding_idx,
            prior=priors.embedding,
            vocab_prior=priors.vocab,
            log_sigma=config.weight_log_sigma,
            group_log_sigma=config.group_log_sigma,
            threshold=config.threshold,
            init_range=config.embedding_range,
            generator=generator,
        )
        self.lstm = LSTM(
            config.embedding_size,
            config.hidden_size,
            prior=priors.recurrent,
            gates_prior=priors.gates,
            neurons_prior=priors.neurons,
            gate_activation=config.gate_activation,
            log_sigma=config.weight_log_sigma,
            group_log_sigma=config.group_log_sigma,
            threshold=config.threshold,
            generator=generator,
        )
        self.output = Linear(
            config.hidden_size,
            outputs,
            prior=priors.output,
            log_sigma=config.weight_log_sigma,
            threshold=config.threshold,
            generator=generator,
        )

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> Tensor:
        """Compute logits.

        Parameters
        ----------
        ids
            Row numbers, shape ``(batch, time)``.
        mask
            True where a token is real, shape ``(batch, time)``.
        generator
            Source of the noise in training.
        share
            Compute these sequences' logits alone, with noise as if they were all.

        Returns
        -------
        Tensor
            Shape ``(batch, outputs)``, or ``(len(share), outputs)``.
        """
        tokens = self.embedding.tokens(ids, generator, share)
        mask = mask if share is None else share.of(mask)
        _, (h, _) = self.lstm(tokens, mask=mask, generator=generator)
        logits: Tensor = self.output(h.squeeze(0), generator, share)
        return logits
