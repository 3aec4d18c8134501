"""The variational parameter: a tensor with a mean and a log sigma."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from bayespress.sparsity import Prior
from bayespress.variational.kl import kl_log_uniform, kl_normal, log_alpha_of
from bayespress.variational.noise import Share, per_sequence, standard_normal

THRESHOLD = 3.0
"""A value is pruned when its log alpha exceeds this: sigma is then over 4.5 times the mean."""

INITIAL_LOG_SIGMA = -3.0

# Taken off the log sigmas of what is kept for good. No posterior that learns comes near half of it,
# so that what was taken off can be told, and put back.
_FREEZING = 64.0


class VariationalParameter(nn.Module):
    r"""A tensor w with the element-wise posterior :math:`q(w) = N(\theta, \sigma^2)`.

    .. math::
        w = \theta + \sigma\varepsilon,\ \varepsilon \sim N(0, 1); \qquad
        \log\alpha = 2\log\sigma - \log\theta^2

    In training mode a call draws a sample; in evaluation mode it returns the mean where the
    element is kept (:math:`\log\alpha` at most the threshold), and zero where it is pruned.

    Parameters
    ----------
    mean
        Initial :math:`\theta`, any shape.
    prior
        The kind. Deterministic parameters have no noise and are never pruned; a constant one is
        all ones and is not learned, whatever `mean` holds.
    log_sigma
        Initial :math:`\log\sigma` of every element.
    threshold
        Prune where :math:`\log\alpha` exceeds this; ``math.inf`` prunes nothing.

    Attributes
    ----------
    sparse_grad
        Whether gradients of some distinct rows are sparse tensors, as those of
        :class:`torch.nn.Embedding` with ``sparse=True``. Set it where the optimiser takes them.

    References
    ----------
    Molchanov, Ashukha, Vetrov: *Variational Dropout Sparsifies Deep Neural Networks*, ICML 2017.
    """

    def __init__(
        self,
        mean: Tensor,
        prior: Prior | str,
        *,
        log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
    ) -> None:
        super().__init__()
        self.prior = Prior(prior)
        self.threshold = threshold
        self.sparse_grad = False
        self.mean: Tensor
        self.log_sigma: Tensor | None
        if self.prior is Prior.CONSTANT:
            self.register_buffer("mean", torch.ones_like(mean))
        else:
            self.mean = nn.Parameter(mean.contiguous())  # the kernels' order
        if self.prior.is_random:
            self.log_sigma = nn.Parameter(torch.full_like(mean, log_sigma))
        else:
            self.register_parameter("log_sigma", None)

    @property
    def is_constant(self) -> bool:
        """Whether this is the constant one, so that multiplying by it can be left out."""
        return self.prior is Prior.CONSTANT

    @property
    def varies(self) -> bool:
        """Whether two samples differ: it has noise, and is in training mode."""
        return self.training and self.log_sigma is not None

    def log_alpha(self) -> Tensor:
        r"""Give each element's :math:`\log\alpha`, unclipped; minus infinity without noise."""
        if self.log_sigma is None:
            return torch.full_like(self.mean, -math.inf)
        with torch.no_grad():
            return log_alpha_of(self.mean, self.log_sigma)

    def keep(self) -> Tensor:
        """Mask of the shape of the mean, True where an element stays. Only letter L prunes."""
        if self.prior is not Prior.LOG_UNIFORM:
            return torch.ones_like(self.mean, dtype=torch.bool)
        return self.log_alpha() <= self.threshold

    def forward(
        self,
        generator: torch.Generator | None = None,
        *,
        rows: Tensor | None = None,
        samples: int | Share | None = None,
    ) -> Tensor:
        """Draw a sample (training) or return the pruned mean (evaluation).

        Parameters
        ----------
        generator
            Source of the noise; torch's global one by default.
        rows
            Only these indices of the first dimension; an index that recurs gets noise anew.
        samples
            Draw this many samples, or a share of a mini-batch's: a dimension of this size, or of
            size one where there is no noise, comes in front.

        Returns
        -------
        Tensor
            Of the mean's shape, or as `rows` and `samples` change it.
        """
        if rows is not None and self.sparse_grad:
            return self._sparse_rows(generator, rows)
        mean = self.mean if rows is None else _rows_of(self.mean, rows)
        if samples is not None:
            mean = mean.unsqueeze(0)
        if self.training and self.log_sigma is not None:
            log_sigma = self.log_sigma if rows is None else _rows_of(self.log_sigma, rows)
            if samples is None:
                noise = standard_normal(mean.shape, mean, generator)
            else:
                noise = per_sequence(samples, mean.shape[1:], mean, generator)
            return torch.addcmul(mean, log_sigma.exp(), noise)
        if self.prior is not Prior.LOG_UNIFORM:
            return mean
        return mean * self._keep_rows(rows)

    def _sparse_rows(self, generator: torch.Generator | None, rows: Tensor) -> Tensor:
        log_sigma = self.log_sigma if self.varies else None
        factor: Tensor | None = None
        if self.varies:
            factor = self.mean.new_empty(len(rows), *self.mean.shape[1:])
            factor.normal_(generator=generator)
        elif self.prior is Prior.LOG_UNIFORM:
            factor = self._keep_rows(rows)
        output: Tensor = _SparseRows.apply(self.mean, log_sigma, rows, factor)  # type: ignore[no-untyped-call]
        return output

    def _keep_rows(self, rows: Tensor | None) -> Tensor:
        if rows is None or self.log_sigma is None:
            return self.keep()
        with torch.no_grad():
            log_alpha = log_alpha_of(self.mean[rows], self.log_sigma[rows])
        return log_alpha <= self.threshold

    @torch.no_grad()
    def freeze(self) -> None:
        """Fix what is pruned, for good, and take the noise away from what is kept.

        Pruned means become exactly zero, which no later step changes; kept log sigmas become so
        low that no mean is pruned any more, see :meth:`sigma`. For fine-tuning in evaluation mode.
        """
        if self.log_sigma is not None:
            keep = self.keep()
            self.mean.mul_(keep)
            self.log_sigma[keep & (self.log_sigma > -_FREEZING / 2)] -= _FREEZING

    @torch.no_grad()
    def sigma(self) -> Tensor:
        r"""Give each element's :math:`\sigma`, as it was before :meth:`freeze`; 0 without noise."""
        if self.log_sigma is None:
            return torch.zeros_like(self.mean)
        frozen = self.log_sigma < -_FREEZING / 2
        return (self.log_sigma + _FREEZING * frozen).exp()

    def kl(self, form: str = "chirkova") -> Tensor:
        """KL divergence of the posterior from the prior, summed over elements; 0 without noise."""
        if self.log_sigma is None:
            return self.mean.new_zeros(())
        if self.prior is Prior.NORMAL:
            return kl_normal(self.mean, self.log_sigma)
        return kl_log_uniform(self.mean, self.log_sigma, form)

    def extra_repr(self) -> str:
        """Describe shape and prior in the printed module."""
        return f"{tuple(self.mean.shape)}, prior={self.prior.value}"


class _SparseRows(torch.autograd.Function):
    """Some rows as a sample, or as means times a factor; their gradients are sparse tensors."""

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, log_sigma: Tensor | None, rows: Tensor, factor: Tensor | None
    ) -> Tensor:
        ctx.size, output = mean.shape, mean.index_select(0, rows)
        scale = factor
        if log_sigma is not None and factor is not None:
            scale = log_sigma.index_select(0, rows).exp_().mul_(factor)  # sigma * epsilon
            output += scale
        elif factor is not None:
            output *= factor
        ctx.noisy = log_sigma is not None
        ctx.save_for_backward(rows, scale)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rows, scale = ctx.saved_tensors
        by_mean = grad if ctx.noisy or scale is None else grad * scale
        by_log_sigma = _sparse(rows, grad * scale, ctx.size) if ctx.noisy else None
        return _sparse(rows, by_mean, ctx.size), by_log_sigma, None, None


def _sparse(rows: Tensor, values: Tensor, size: torch.Size) -> Tensor:
    """Make a sparse tensor of distinct rising rows."""
    return torch.sparse_coo_tensor(
        rows.unsqueeze(0), values, size, is_coalesced=True, check_invariants=False
    )


def _rows_of(tensor: Tensor, rows: Tensor) -> Tensor:
    # Not tensor[rows]: the backward of plain indexing adds up in an order that threads decide.
    return tensor.index_select(0, rows)


def named_variational_parameters(
    module: nn.Module,
) -> Iterator[tuple[str, VariationalParameter]]:
    """Iterate over all variational parameters below a module, with their dotted names."""
    for name, child in module.named_modules():
        if isinstance(child, VariationalParameter):
            yield name, child


def kl(module: nn.Module, form: str = "chirkova") -> Tensor:
    """KL divergence of all variational parameters below a module, to be divided by `num_train`.

    Examples
    --------
    >>> layer = VariationalParameter(torch.ones(3), Prior.NORMAL, log_sigma=0.0)
    >>> kl(layer).item()
    1.5
    """
    divergences = [p.kl(form) for _, p in named_variational_parameters(module)]
    return torch.stack(divergences).sum() if divergences else torch.zeros(())


def set_threshold(module: nn.Module, threshold: float) -> None:
    """Set the pruning threshold of all variational parameters below a module."""
    for _, parameter in named_variational_parameters(module):
        parameter.threshold = threshold
