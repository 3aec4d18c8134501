"""Variational parameters: a mean, a log sigma, and a KL divergence from a prior."""

from bayespress.variational.kl import APPROXIMATIONS, kl_log_uniform, kl_normal
from bayespress.variational.noise import Share, per_sequence
from bayespress.variational.parameter import (
    INITIAL_LOG_SIGMA,
    THRESHOLD,
    VariationalParameter,
    kl,
    named_variational_parameters,
    set_threshold,
)

__all__ = [
    "APPROXIMATIONS",
    "INITIAL_LOG_SIGMA",
    "THRESHOLD",
    "Share",
    "VariationalParameter",
    "kl",
    "kl_log_uniform",
    "kl_normal",
    "named_variational_parameters",
    "per_sequence",
    "set_threshold",
]
