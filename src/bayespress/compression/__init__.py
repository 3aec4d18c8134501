"""Mask → shrink → compact: take away what was pruned, and count what stays."""

from bayespress.compression.axes import to_principal_axes
from bayespress.compression.compact import (
    compact_with_rows,
    language_model_to_compact,
    to_compact,
)
from bayespress.compression.masks import KeepMasks, Network, aggregate, aggregate_live
from bayespress.compression.shrink import ShrinkPlan, shrink
from bayespress.compression.sigmas import prune_more, sigma_twin
from bayespress.compression.statistics import Size, Statistics, statistics

__all__ = [
    "KeepMasks",
    "Network",
    "ShrinkPlan",
    "Size",
    "Statistics",
    "aggregate",
    "aggregate_live",
    "compact_with_rows",
    "language_model_to_compact",
    "prune_more",
    "shrink",
    "sigma_twin",
    "statistics",
    "to_compact",
    "to_principal_axes",
]
