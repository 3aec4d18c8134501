"""The posterior's sigmas, folded as the means are, for whoever rounds a finished model."""

from __future__ import annotations

import copy
import math

import torch

from bayespress.compression.masks import Network
from bayespress.variational import VariationalParameter, named_variational_parameters

_KEPT, _PRUNED = -100.0, 100.0


@torch.no_grad()
def sigma_twin(net: Network) -> Network:
    r"""Copy a network, with each weight's sigma where its mean was; masks are the same.

    Compacted as the network is (:func:`~bayespress.compression.to_compact`), the twin gives for
    every weight of the model :math:`\sigma_{ij} |z_i| |z_j|`: the standard deviation of
    :math:`w_{ij} z_i z_j`, if group variables are taken as their means. Weights without noise have
    a sigma of 0.
    """
    twin = copy.deepcopy(net)
    for name, parameter in named_variational_parameters(twin):
        is_group = name.rpartition(".")[2].startswith("z_")
        keep = parameter.keep()
        values = parameter.mean.abs() if is_group else parameter.sigma()
        if not parameter.is_constant:
            parameter.mean.copy_(values * keep)
        if parameter.log_sigma is not None:
            parameter.log_sigma.copy_(torch.where(keep, _KEPT, _PRUNED))
    return twin


@torch.no_grad()
def prune_more(net: Network, threshold: float) -> None:
    r"""Prune, in place, all that has :math:`\log\alpha` over a lower threshold than in training.

    What was pruned before, or frozen for fine-tuning, stays pruned.

    Raises
    ------
    ValueError
        If the threshold is not a number.
    """
    if math.isnan(threshold):
        raise ValueError("threshold must be a number, got nan")
    for _, parameter in named_variational_parameters(net):
        _prune_more(parameter, threshold)


def _prune_more(parameter: VariationalParameter, threshold: float) -> None:
    if parameter.log_sigma is None:
        return
    keep = parameter.keep()
    parameter.mean.mul_(keep)
    parameter.log_sigma.copy_(torch.where(keep, parameter.sigma().log(), parameter.log_sigma))
    parameter.threshold = min(threshold, parameter.threshold)
