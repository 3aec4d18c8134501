"""Recurrent text models that prune themselves: sparse variational dropout for LSTMs."""

__version__ = "0.1.0"
