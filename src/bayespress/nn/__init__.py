"""Layers with :mod:`torch.nn`'s names and signatures, plus sparsity; usable in any training loop.

Examples
--------
>>> import torch
>>> from bayespress.nn import LSTM, kl
>>> lstm = LSTM(3, 4)
>>> output, (h, c) = lstm(torch.zeros(5, 2, 3))
>>> loss = output.square().mean() + 0.1 * kl(lstm) / 1000
>>> loss.backward()
"""

from bayespress.nn.drop_in import Recurrent
from bayespress.nn.embedding import Embedding
from bayespress.nn.gru import GRU
from bayespress.nn.linear import Linear
from bayespress.nn.lstm import LSTM
from bayespress.nn.one_hot import OneHotLSTM
from bayespress.nn.stack import Stack, pool
from bayespress.variational import kl, named_variational_parameters, set_threshold

__all__ = [
    "GRU",
    "LSTM",
    "Embedding",
    "Linear",
    "OneHotLSTM",
    "Recurrent",
    "Stack",
    "kl",
    "named_variational_parameters",
    "pool",
    "set_threshold",
]
