"""Word embeddings with a group variable per word."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from bayespress.nn import init
from bayespress.nn.tokens import Tokens, look_up
from bayespress.sparsity import Prior
from bayespress.variational import INITIAL_LOG_SIGMA, THRESHOLD, Share, VariationalParameter


class Embedding(nn.Module):
    r"""A lookup table as :class:`torch.nn.Embedding`, whose rows can be pruned.

    .. math:: x = W[word] \cdot z_{vocab}[word]

    In training, one sample of W serves the whole mini-batch, and a word that recurs in one
    sequence shares its sample of z_vocab. Only the rows that a batch touches are sampled.

    Parameters
    ----------
    num_embeddings, embedding_dim, padding_idx
        As in :class:`torch.nn.Embedding`; the padding row is the zero vector and always pruned.
    prior, vocab_prior
        Priors of the weights (L, N, D) and of the group variables ``z_vocab`` (also C: none).
    log_sigma, group_log_sigma
        Initial log sigmas of weights and group variables.
    threshold
        Prune where log alpha exceeds this.
    init_range, generator
        Initial weights are uniform in ±`init_range`, drawn from `generator`.

    Shape
    -----
    Input ``(*, time)`` of row numbers, output ``(*, time, embedding_dim)``. Sequences run along
    the last dimension of the input.

    References
    ----------
    Chirkova, Lobacheva, Vetrov: *Bayesian Compression for Natural Language Processing*, EMNLP 2018,
    section 3.2.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        prior: Prior | str = Prior.LOG_UNIFORM,
        vocab_prior: Prior | str = Prior.LOG_UNIFORM,
        log_sigma: float = INITIAL_LOG_SIGMA,
        group_log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
        init_range: float = 0.05,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.padding_idx = padding_idx
        weight = init.uniform((num_embeddings, embedding_dim), init_range, generator)
        if padding_idx is not None:
            weight[padding_idx] = 0
        self.weight = VariationalParameter(weight, prior, log_sigma=log_sigma, threshold=threshold)
        self.z_vocab = VariationalParameter(
            torch.ones(num_embeddings), vocab_prior, log_sigma=group_log_sigma, threshold=threshold
        )

    @property
    def num_embeddings(self) -> int:
        """Rows of the table."""
        return self.weight.mean.shape[0]

    @property
    def embedding_dim(self) -> int:
        """Dimensions of a word vector."""
        return self.weight.mean.shape[1]

    def forward(self, input: Tensor, generator: torch.Generator | None = None) -> Tensor:  # noqa: A002 - torch.nn's name
        """Look rows up, with noise in training and pruned in evaluation."""
        flat = input.reshape(math.prod(input.shape[:-1]), input.shape[-1])
        return self.tokens(flat, generator).expand().view(*input.shape, self.embedding_dim)

    def tokens(
        self,
        ids: Tensor,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> Tokens:
        """Look rows up, each distinct one once.

        Parameters
        ----------
        ids
            Row numbers, shape ``(batch, time)``.
        generator
            Source of the noise.
        share
            Give these sequences' tokens alone, with noise as if they were all.
        """
        return look_up(
            self.weight,
            self.z_vocab,
            ids,
            padding_idx=self.padding_idx,
            generator=generator,
            share=share,
        )

    def extra_repr(self) -> str:
        """Describe the size in the printed module."""
        return f"{self.num_embeddings}, {self.embedding_dim}, padding_idx={self.padding_idx}"
