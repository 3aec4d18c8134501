"""Text classifiers: embedding, recurrent layers, linear layer; the papers' and wider ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bayespress.config import ModelConfig
from bayespress.nn import LSTM, Embedding, Linear, Stack, pool
from bayespress.sparsity import SparsityConfig
from bayespress.variational import Share


class TextClassifierNet(nn.Module):
    """Embedding → recurrent layers → pooling → Linear, with the priors of a six-letter code.

    The papers' network has one LSTM and reads its last state.

    Parameters
    ----------
    num_embeddings
        Rows of the embedding table, row 0 for padding.
    outputs
        1 for two classes (log odds of the second one), else the number of classes.
    config
        Sizes, cells, letters, activation, initial log sigmas and threshold.
    hidden_sizes
        Neurons of each cell, layer by layer, where they are other ones than the configuration's.
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
        hidden_sizes: Sequence[Sequence[int]] | None = None,
        padding_idx: int | None = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        priors = SparsityConfig.from_code(config.code)
        weights: dict[str, Any] = {
            "log_sigma": config.weight_log_sigma,
            "threshold": config.threshold,
            "generator": generator,
        }
        grouped = {**weights, "group_log_sigma": config.group_log_sigma}
        self.pooling = config.pooling
        self.embedding = Embedding(
            num_embeddings,
            config.embedding_size,
            padding_idx,
            prior=priors.embedding,
            vocab_prior=priors.vocab,
            init_range=config.embedding_range,
            **grouped,
        )
        self.recurrent = Stack(
            config.cell,
            config.embedding_size,
            hidden_sizes or [[config.hidden_size] * (1 + config.bidirectional)] * config.layers,
            dropout=config.dropout,
            prior=priors.recurrent,
            gates_prior=priors.gates,
            neurons_prior=priors.neurons,
            gate_activation=config.gate_activation,
            **grouped,
        )
        self.output = Linear(self.recurrent.output_size, outputs, prior=priors.output, **weights)

    @classmethod
    def of_modules(
        cls, embedding: Embedding, recurrent: Stack, output: Linear, pooling: str
    ) -> TextClassifierNet:
        """Make a network of modules that are there already."""
        net = cls.__new__(cls)
        nn.Module.__init__(net)
        net.embedding, net.recurrent, net.output = embedding, recurrent, output
        net.pooling = pooling
        return net

    @property
    def lstm(self) -> LSTM:
        """The only cell, if this is the papers' network."""
        cells = list(self.recurrent.cells())
        if len(cells) > 1 or not isinstance(cells[0], LSTM):
            raise ValueError("this network has other cells than a single LSTM")
        return cells[0]

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
        outputs, last = self.recurrent(tokens, mask, generator=generator)
        logits: Tensor = self.output(pool(self.pooling, outputs, last, mask.t()), generator, share)
        return logits
