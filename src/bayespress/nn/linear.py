"""A linear layer with the local reparametrisation trick."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bayespress.nn import init
from bayespress.nn.products import linear
from bayespress.sparsity import Prior
from bayespress.variational import (
    INITIAL_LOG_SIGMA,
    THRESHOLD,
    Share,
    VariationalParameter,
    per_sequence,
)

_MIN_VARIANCE = 1e-8
_LEAST_SIZE = 1 << 14  # weights; for fewer torch's own product is as fast


class Linear(nn.Module):
    r"""A linear layer as :class:`torch.nn.Linear`, whose weights can be pruned.

    In training the noise is drawn for the outputs, which has the same distribution as drawing a
    weight matrix per example:

    .. math::
        y = x\theta^\top + b + \varepsilon \sqrt{x^2 (\sigma^2)^\top + 10^{-8}}

    or, with ``noise="batch"``, for the weights, one sample for all of a call.

    Parameters
    ----------
    in_features, out_features, bias
        As in :class:`torch.nn.Linear`.
    prior
        Prior of the weights: L, N or D.
    noise
        What shares a sample of the noise: nothing (``example``), the elements of a sequence, which
        are the second dimension of the input (``sequence``), or all of a call (``batch``).
    log_sigma
        Initial log sigma of the weights.
    threshold
        Prune where log alpha exceeds this.
    generator
        Source of the initial weights, Glorot-uniform.
    weight
        Initial weights, shape ``(out_features, in_features)``, in place of those.

    Shape
    -----
    Input ``(*, in_features)``, output ``(*, out_features)``.

    References
    ----------
    Kingma, Salimans, Welling: *Variational Dropout and the Local Reparameterization Trick*, 2015.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        prior: Prior | str = Prior.LOG_UNIFORM,
        noise: str = "example",
        log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
        generator: torch.Generator | None = None,
        weight: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.noise = noise
        if weight is None:
            weight = init.glorot(out_features, in_features, generator)
        self.weight = VariationalParameter(weight, prior, log_sigma=log_sigma, threshold=threshold)
        self.register_parameter("bias", nn.Parameter(torch.zeros(out_features)) if bias else None)

    @property
    def in_features(self) -> int:
        """Size of an input."""
        return self.weight.mean.shape[1]

    @property
    def out_features(self) -> int:
        """Size of an output."""
        return self.weight.mean.shape[0]

    def forward(
        self,
        input: Tensor,  # noqa: A002 - torch.nn's name
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> Tensor:
        """Apply the layer, with noise in training and pruned in evaluation.

        `share` says which part of a mini-batch the input is, where several processes divide one.
        """
        if not self.training or self.weight.log_sigma is None or self.noise == "batch":
            return _linear(input, self.weight(generator), self.bias)
        mean = _linear(input, self.weight.mean, self.bias)
        variance = _linear(input.square(), (2 * self.weight.log_sigma).exp(), None)
        shape = mean.shape[1:]
        if self.noise == "sequence":
            shape = torch.Size((1, *shape[1:]))
        samples = mean.shape[0] if share is None else share
        noise = per_sequence(samples, shape, mean, generator)
        return torch.addcmul(mean, noise, (variance + _MIN_VARIANCE).sqrt())

    def extra_repr(self) -> str:
        """Describe the size in the printed module."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002
    if weight.numel() < _LEAST_SIZE:
        return nn.functional.linear(input, weight, bias)
    product = linear(input.flatten(0, -2), weight).view(*input.shape[:-1], len(weight))
    return product if bias is None else product + bias
