"""Finished models as programs in other languages: each takes a compact model, never torch."""

from bayespress.export.c import write_c

__all__ = ["write_c"]
