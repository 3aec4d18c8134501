"""Adam that knows variational parameters: the KL divergence's gradient comes in while it steps."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bayespress import kernels
from bayespress.sparsity import Prior
from bayespress.variational import kl, named_variational_parameters
from bayespress.variational.kl import compiled_approximation

_PRIORS = {Prior.LOG_UNIFORM: 1, Prior.NORMAL: 2}  # the numbers of adam.c
_LEAST_NUMBERS = 1 << 14  # fewer are not worth a thread
_CLIP_EPSILON = 1e-6  # torch.nn.utils.clip_grad_norm_'s


class VariationalAdam(torch.optim.Adam):
    r"""Adam on :math:`NLL + \beta KL / N` where only the NLL went through ``backward``.

    The KL needs every weight of a table of which a mini-batch touches a few rows. Its gradient is
    closed-form; taking it in the same pass over memory as Adam's moments costs little more than
    Adam alone. Steps, moments and their names in the state are those of :class:`torch.optim.Adam`
    with the KL in the loss.

    Parameters
    ----------
    module
        Holds the variational parameters.
    params
        As for :class:`torch.optim.Adam`; all parameters of the module by default.
    lr, betas, eps
        As in :class:`torch.optim.Adam`.
    form
        Approximation of the log-uniform KL.
    corrects_epsilon
        Whether `eps` is added after the second moment is corrected for its start at zero, as in
        torch and in algorithm 1. If not, it is added before, as in the efficient form at the end
        of section 2 of the reference: in the first thousand steps, weights whose gradients are
        not much larger than `eps` then move less.

    Examples
    --------
    >>> import torch
    >>> from bayespress.nn import Linear
    >>> layer = Linear(3, 1)
    >>> optimizer = VariationalAdam(layer, lr=1e-3)
    >>> layer(torch.ones(2, 3)).sum().backward()
    >>> divergence = optimizer.step_with_kl(1 / 1000)

    References
    ----------
    Kingma, Ba: *Adam: A Method for Stochastic Optimization*, ICLR 2015, algorithm 1.
    """

    def __init__(
        self,
        module: nn.Module,
        params: Iterable[Tensor] | Iterable[dict[str, Any]] | None = None,
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        form: str = "chirkova",
        corrects_epsilon: bool = True,
    ) -> None:
        super().__init__(module.parameters() if params is None else params, lr, betas, eps)
        self._module = module
        self._form = form
        self._corrects_epsilon = corrects_epsilon

    @torch.no_grad()
    def step_with_kl(self, kl_weight: float | None, clip_norm: float = 0.0) -> float:
        r"""Take a step; return the KL divergence before it, in nats.

        Parameters
        ----------
        kl_weight
            What the divergence counts in the objective: :math:`\beta / N`. None leaves it out
            and returns 0.
        clip_norm
            Clip the norm of the whole gradient, the divergence's included, to this; 0 is off.
        """
        parameters = list(self._module.parameters())
        if kernels.library(*parameters) is None:
            divergence = self._add_kl_gradients(kl_weight)
            if clip_norm:
                torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
            self._step_by_torch()
            return divergence
        steps = self._steps(kl_weight)
        if clip_norm:
            norm = math.sqrt(sum(step.square_norm() for step in steps))
            scale = min(1.0, clip_norm / (norm + _CLIP_EPSILON))
            for step in steps:
                step.scale = scale
        return float(sum(step.take() for step in steps))

    def _steps(self, kl_weight: float | None) -> list[_Step]:
        """Gather every parameter that has a gradient or a divergence."""
        groups = {p: group for group in self.param_groups for p in group["params"]}
        steps = []
        for _, parameter in named_variational_parameters(self._module):
            mean, log_sigma = parameter.mean, parameter.log_sigma
            if kl_weight is not None and log_sigma is not None and log_sigma in groups:
                steps.append(
                    _Step(
                        self._moving(mean, groups.pop(mean)),
                        self._moving(log_sigma, groups.pop(log_sigma)),
                        _Divergence(_PRIORS[parameter.prior], kl_weight, self._form),
                    )
                )
        steps += [
            _Step(self._moving(parameter, group))
            for parameter, group in groups.items()
            if parameter.grad is not None
        ]
        return steps

    def _step_by_torch(self) -> None:
        if self._corrects_epsilon:
            self.step()
            return
        # Parameters may have taken different numbers of steps: each has an epsilon of its own.
        groups = self.param_groups
        self.param_groups = [
            {**group, "params": [p], "eps": self._epsilon(group, self._taken(p) + 1)}
            for group in groups
            for p in group["params"]
        ]
        try:
            self.step()
        finally:
            self.param_groups = groups

    def _taken(self, parameter: Tensor) -> float:
        return float(self.state.get(parameter, {}).get("step", 0.0))

    def _epsilon(self, group: dict[str, Any], step: float) -> float:
        """Give what is added to the corrected root of the second moment at a step."""
        eps = float(group["eps"])
        if self._corrects_epsilon:
            return eps
        return eps / math.sqrt(1 - group["betas"][1] ** step)

    def _add_kl_gradients(self, kl_weight: float | None) -> float:
        """Put the divergence's gradient into ``grad``, as ``backward`` would."""
        for parameter in self._module.parameters():
            parameter.grad = _dense(parameter.grad)
        if kl_weight is None:
            return 0.0
        with torch.enable_grad():
            divergence = kl(self._module, self._form)
            if divergence.requires_grad:
                (kl_weight * divergence).backward()
        return float(divergence)

    def _moving(self, parameter: Tensor, group: dict[str, Any]) -> _Moving:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        return _Moving(
            parameter, state, {**group, "eps": self._epsilon(group, state["step"].item())}
        )


@dataclass(frozen=True)
class _Moving:
    """A parameter in its step, with its moments and settings."""

    value: Tensor
    state: dict[str, Tensor]
    group: dict[str, Any]

    @property
    def corrections(self) -> tuple[float, float]:
        """What first and second moments lack in their first steps: 1 - beta^t."""
        first, second = (1 - beta ** self.state["step"].item() for beta in self.group["betas"])
        return first, second


@dataclass(frozen=True)
class _Divergence:
    prior: int = 0  # none
    weight: float = 0.0
    form: str = "chirkova"


class _Step:
    """One parameter's step by the kernels: gradients, moments and divergence in one pass."""

    def __init__(
        self,
        mean: _Moving,
        log_sigma: _Moving | None = None,
        divergence: _Divergence = _Divergence(),
    ) -> None:
        both = [mean] if log_sigma is None else [mean, log_sigma]
        slot, grads = _gradients([one.value for one in both])
        self._kept_alive = (both, slot, grads)
        shape, (beta1, beta2) = mean.value.shape, mean.group["betas"]
        rows, columns = (1, shape.numel()) if len(shape) < 2 else (shape[0], shape[1:].numel())
        self.scale = 1.0
        self._adam = kernels.Adam(
            beta1=beta1,
            beta2=beta2,
            kl_weight=divergence.weight,
            prior=divergence.prior,
            approximation=compiled_approximation(divergence.form),
            columns=columns,
            slot=kernels.address(slot),
        )
        moments = [
            kernels.Moments(
                *map(kernels.address, (p.value, grad, p.state["exp_avg"], p.state["exp_avg_sq"])),
                p.group["lr"] / p.corrections[0],
                math.sqrt(p.corrections[1]),
                p.group["eps"],
            )
            for p, grad in zip(both, grads, strict=True)
        ]
        self._pointers = [*map(ctypes.byref, moments), *[None] * (2 - len(moments))]
        self._code = kernels.needed(*(one.value for one in both))
        self._parts = kernels.ranges(rows, max(1, _LEAST_NUMBERS // max(columns, 1)))

    def square_norm(self) -> float:
        """Sum of the squares of the gradient, the divergence's included."""
        return self._run(self._code.square_norm)

    def take(self) -> float:
        """Take the step; return the divergence before it."""
        return self._run(self._code.adam)

    def _run(self, kernel: Callable[..., float]) -> float:
        self._adam.grad_scale = self.scale
        adam = ctypes.byref(self._adam)
        totals = kernels.run(lambda _, part: kernel(adam, *self._pointers, *part), self._parts)
        return float(sum(totals))


def _gradients(values: list[Tensor]) -> tuple[Tensor | None, list[Tensor | None]]:
    """Give each row's place in the gradients, None if they are dense, and the gradients."""
    grads = [value.grad for value in values]
    rows = values[0].shape[0] if values[0].dim() > 1 else 1
    if all(grad is None for grad in grads):
        return torch.full((rows,), -1, dtype=torch.int32), grads
    if all(grad is not None and grad.is_sparse for grad in grads):
        parts = [grad.coalesce() for grad in grads if grad is not None]
        touched = parts[0].indices()[0]
        if all(torch.equal(part.indices()[0], touched) for part in parts):
            slot = torch.full((rows,), -1, dtype=torch.int32)
            slot[touched] = torch.arange(len(touched), dtype=torch.int32)
            return slot, [part.values().contiguous() for part in parts]
    return None, [
        torch.zeros_like(value) if grad is None else _dense(grad).contiguous()
        for value, grad in zip(values, grads, strict=True)
    ]


def _dense(grad: Tensor | None) -> Any:
    return grad.to_dense() if grad is not None and grad.is_sparse else grad
