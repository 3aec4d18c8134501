r"""KL divergences of a normal posterior :math:`N(\theta, \sigma^2)` from the two priors.

All functions are pure and sum over elements. The log-uniform divergence has no closed form; both
published approximations are functions of :math:`\log\alpha = 2\log\sigma - \log\theta^2`.
They differ by nearly a constant (0.67 an element), so that gradients agree and values do not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bayespress import kernels

CLIP = 8.0
"""log alpha is clipped to [-8, 8] in the KL: there is no gradient outside."""

_CHUNK = 1 << 16  # elements: a chunk and its temporaries stay in a core's own cache

Approximation = Callable[[Tensor], tuple[Tensor, Tensor]]


def chirkova(log_alpha: Tensor) -> tuple[Tensor, Tensor]:
    r"""Approximate the KL as the authors' program does.

    .. math::
        \tfrac12\log(1 + e^{-\log\alpha}) - 0.03 - 0.64\,\mathrm{sigmoid}(1.5(\log\alpha + 1.3))

    Returns
    -------
    value, slope
        The divergence of each element and its derivative by log alpha, shaped as `log_alpha`.

    References
    ----------
    Program of Chirkova, Lobacheva, Vetrov: *Bayesian Compression for Natural Language Processing*,
    EMNLP 2018.
    """
    step = torch.sigmoid(1.5 * (log_alpha + 1.3))
    value = 0.5 * functional.softplus(-log_alpha) - 0.03 - 0.64 * step
    slope = -0.5 * torch.sigmoid(-log_alpha) + 0.64 * 1.5 * step * (step - 1)
    return value, slope


def molchanov(log_alpha: Tensor) -> tuple[Tensor, Tensor]:
    r"""Approximate the KL as in Molchanov, Ashukha, Vetrov (ICML 2017), equation 14.

    .. math::
        \tfrac12\log(1 + e^{-\log\alpha}) - k_1 \mathrm{sigmoid}(k_2 + k_3\log\alpha) + k_1

    with k = (0.63576, 1.87320, 1.48695).

    Returns
    -------
    value, slope
        The divergence of each element and its derivative by log alpha, shaped as `log_alpha`.

    References
    ----------
    *Variational Dropout Sparsifies Deep Neural Networks*, ICML 2017, equation 14.
    """
    k1, k2, k3 = 0.63576, 1.87320, 1.48695
    step = torch.sigmoid(k2 + k3 * log_alpha)
    value = 0.5 * functional.softplus(-log_alpha) - k1 * step + k1
    slope = -0.5 * torch.sigmoid(-log_alpha) + k1 * k3 * step * (step - 1)
    return value, slope


APPROXIMATIONS: Mapping[str, Approximation] = MappingProxyType(
    {"chirkova": chirkova, "molchanov": molchanov}
)
"""Approximations of the log-uniform KL by name; the authors' own is the default."""

# The same by constants: 0.5 log(1 + 1/alpha) + offset - scale * sigmoid(shift + rate * log alpha).
_CONSTANTS = {
    "chirkova": (-0.03, 0.64, 1.5 * 1.3, 1.5),
    "molchanov": (0.63576, 0.63576, 1.87320, 1.48695),
}


def log_alpha_of(mean: Tensor, log_sigma: Tensor) -> Tensor:
    r"""Noise-to-signal ratio :math:`\log\alpha = 2\log\sigma - \log\theta^2`; inf at mean zero."""
    return 2 * log_sigma - 2 * mean.abs().log()


def kl_log_uniform(mean: Tensor, log_sigma: Tensor, form: str = "chirkova") -> Tensor:
    r"""Sum of :math:`KL(N(\theta, \sigma^2) \,\|\, \text{log-uniform})` over all elements.

    Parameters
    ----------
    mean, log_sigma
        Posterior, of one shape.
    form
        Name of the approximation, one of :data:`APPROXIMATIONS`.

    Returns
    -------
    Tensor
        A scalar. Its gradient is closed-form, zero where log alpha is clipped, and finite
        everywhere, also where a mean is exactly zero.
    """
    total: Tensor = _LogUniformKL.apply(mean, log_sigma, form)  # type: ignore[no-untyped-call]
    return total


def compiled_approximation(form: str) -> kernels.Approximation:
    """Give an approximation's constants as the compiled kernels take them."""
    return kernels.Approximation(*_CONSTANTS[form], CLIP)


def kl_normal(mean: Tensor, log_sigma: Tensor) -> Tensor:
    r"""Sum of :math:`KL(N(\theta, \sigma^2) \,\|\, N(0, 1))` over all elements.

    .. math:: -\log\sigma + \tfrac12(\sigma^2 + \theta^2) - \tfrac12
    """
    return (0.5 * ((2 * log_sigma).exp() + mean.square()) - log_sigma - 0.5).sum()


class _LogUniformKL(torch.autograd.Function):
    """Value and gradient in one pass, chunk by chunk, so that temporaries stay in the cache."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, log_sigma: Tensor, form: str) -> Tensor:
        mean_grad = torch.empty_like(mean, memory_format=torch.contiguous_format)
        log_sigma_grad = torch.empty_like(mean_grad)
        ctx.save_for_backward(mean_grad, log_sigma_grad)
        if kernels.library(mean, log_sigma) is None:
            return _by_chunks(mean, log_sigma, form, mean_grad, log_sigma_grad)
        return _by_kernel(mean, log_sigma, form, mean_grad, log_sigma_grad)

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, Tensor, None]:
        mean_grad, log_sigma_grad = ctx.saved_tensors
        return scale * mean_grad, scale * log_sigma_grad, None


def _by_chunks(
    mean: Tensor, log_sigma: Tensor, form: str, mean_grad: Tensor, log_sigma_grad: Tensor
) -> Tensor:
    total = mean.new_zeros(())
    chunks = (
        tensor.reshape(-1).split(_CHUNK) for tensor in (mean, log_sigma, mean_grad, log_sigma_grad)
    )
    for theta, log_s, theta_grad, log_s_grad in zip(*chunks, strict=True):
        log_alpha = log_alpha_of(theta, log_s)
        value, slope = APPROXIMATIONS[form](log_alpha.clamp(-CLIP, CLIP))
        total += value.sum()
        # A mean of exactly zero has an infinite log alpha: clipped, hence no gradient there.
        slope = torch.where(log_alpha.abs() < CLIP, slope, 0)
        torch.mul(slope, 2, out=log_s_grad)
        torch.div(-log_s_grad, torch.where(theta == 0, 1, theta), out=theta_grad)
    return total


def _by_kernel(
    mean: Tensor, log_sigma: Tensor, form: str, mean_grad: Tensor, log_sigma_grad: Tensor
) -> Tensor:
    constants, code = compiled_approximation(form), kernels.needed(mean, log_sigma)
    tensors = (mean.contiguous(), log_sigma.contiguous(), mean_grad, log_sigma_grad)
    addresses = [kernels.address(tensor) for tensor in tensors]
    totals = kernels.run(
        lambda _, part: code.kl(ctypes.byref(constants), *addresses, *part),
        kernels.ranges(mean.numel(), _CHUNK),
    )
    return mean.new_tensor(sum(totals))
