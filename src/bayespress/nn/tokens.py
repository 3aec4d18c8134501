"""The distinct words of a mini-batch, and which token reads which of them.

A word that recurs in a sequence has the same vector there, since it shares its noise; so it needs
one product with the LSTM's input weights, however often it occurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from bayespress.variational import Share


@dataclass
class Tokens:
    """What an embedding gives an LSTM: vectors once each, instead of once per token.

    Attributes
    ----------
    vectors
        One for every distinct word of the mini-batch, shape ``(words, embedding_dim)``.
    word
        Which vector each token has, shape ``(batch, time)``.
    z_vocab
        Group variables of the :attr:`pairs`, shape ``(pairs,)``; None where there are none that
        differ from sequence to sequence.
    share
        Which part of a mini-batch the tokens are; None: all of it.
    """

    vectors: Tensor
    word: Tensor
    z_vocab: Tensor | None = None
    share: Share | None = None

    @cached_property
    def pairs(self) -> Pairs:
        """Distinct (sequence, word) pairs, sequence by sequence."""
        batch, words = self.word.shape[0], len(self.vectors)
        sequence = torch.arange(batch, device=self.word.device)[:, None]
        keys, pair = torch.unique(sequence * words + self.word, return_inverse=True)
        return Pairs(word=keys % words, sequence=keys // words, pair=pair, batch=batch)

    def part(self, share: Share) -> Tokens:
        """Take some of the sequences; all vectors stay."""
        z_vocab = self.z_vocab
        if z_vocab is not None:
            sequence = self.pairs.sequence
            z_vocab = z_vocab[(sequence >= share.first) & (sequence < share.last)]
        return Tokens(self.vectors, share.of(self.word), z_vocab, share)

    def expand(self) -> Tensor:
        """Give every token its vector: shape ``(batch, time, embedding_dim)``."""
        vectors = torch.nn.functional.embedding(self.word, self.vectors)
        if self.z_vocab is None:
            return vectors
        return vectors * self.z_vocab[self.pairs.pair].unsqueeze(-1)


@dataclass(frozen=True)
class Pairs:
    """Distinct words of every sequence.

    Attributes
    ----------
    word, sequence
        Of each pair, shape ``(pairs,)``; rising by sequence, then by word.
    pair
        Which pair each token is, shape ``(batch, time)``.
    batch
        Number of sequences.
    """

    word: Tensor
    sequence: Tensor
    pair: Tensor
    batch: int
