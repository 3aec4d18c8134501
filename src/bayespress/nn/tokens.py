"""The distinct words of a mini-batch, and which token reads which of them.

A word that recurs in a sequence has the same vector there, since it shares its noise; so it needs
one product with the LSTM's input weights, however often it occurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from bayespress.variational import Share, VariationalParameter


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


def look_up(
    weight: VariationalParameter,
    group: VariationalParameter,
    ids: Tensor,
    *,
    padding_idx: int | None = None,
    generator: torch.Generator | None = None,
    share: Share | None = None,
) -> Tokens:
    """Take rows of a table, each distinct one once, with noise where the parameters have some.

    Parameters
    ----------
    weight, group
        The table and its group variables, one a row; a row that recurs in one sequence shares its
        sample.
    ids
        Row numbers, shape ``(batch, time)``.
    padding_idx
        Row that is the zero vector.
    generator
        Source of the noise.
    share
        Give these sequences' tokens alone, with noise as if they were all.
    """
    rows, word = torch.unique(ids, return_inverse=True)
    tokens = Tokens(weight(generator, rows=rows), word)
    if group.varies:
        tokens.z_vocab = group(generator, rows=rows[tokens.pairs.word])
    elif not group.is_constant:
        tokens.vectors = tokens.vectors * group(rows=rows).unsqueeze(1)
    if padding_idx is not None:
        tokens.vectors = tokens.vectors * (rows != padding_idx).unsqueeze(1)
    return tokens if share is None else tokens.part(share)


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
