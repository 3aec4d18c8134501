"""Turn the layers of anyone's module into their variational twins."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from bayespress.errors import ConversionError
from bayespress.nn import GRU, Embedding, Linear, Recurrent
from bayespress.nn.recurrent import RecurrentLayer
from bayespress.sparsity import SparsityConfig
from bayespress.variational import THRESHOLD, VariationalParameter, named_variational_parameters

RELATIVE_SIGMA = 0.1
"""Initial sigma of a matrix's weights over their root mean square."""


class ConversionWarning(UserWarning):
    """Some modules with parameters were left as they are."""


def convert(
    module: nn.Module,
    config: SparsityConfig | str = "w+g+n",
    *,
    relative_sigma: float = RELATIVE_SIGMA,
    threshold: float = THRESHOLD,
) -> nn.Module:
    r"""Copy a module with variational layers in place of its embeddings, LSTMs, GRUs and linears.

    Their weights are the means; what the module computes in evaluation mode is what it was, but for
    weights so small that they are pruned from the start. Train the copy on in your own loop, with
    ``loss + kl_weight * kl(model) / num_train``; then :func:`freeze` it if you want to fine-tune
    what is kept, and :func:`~bayespress.conversion.shrink` it.

    Parameters
    ----------
    module
        The module; it is not changed. Its :class:`torch.nn.Embedding`, :class:`~torch.nn.LSTM`,
        :class:`~torch.nn.GRU` and :class:`~torch.nn.Linear` are converted, wherever they stand.
    config
        The priors: a code of six letters, the papers' name of one, or the object.
    relative_sigma
        Initial :math:`\sigma` of a matrix over the root mean square of its weights. At 0.1, weights
        45 times smaller than that are pruned from the start. Group variables, which begin with 1,
        have it too.
    threshold
        Prune where log alpha exceeds this.

    Returns
    -------
    torch.nn.Module
        The copy, in the module's mode, on its device.

    Warns
    -----
    ConversionWarning
        If modules with parameters of their own are left as they are; each is named with the reason.

    Raises
    ------
    ConversionError
        If there is nothing to convert, or a weight is not finite.
    ValueError
        If `relative_sigma` is not positive.

    Examples
    --------
    >>> from bayespress.nn import kl
    >>> model = convert(torch.nn.Sequential(torch.nn.Linear(3, 2)), "w")
    >>> model
    Sequential(
      (0): Linear(
        3, 2, bias=True
        (weight): VariationalParameter((2, 3), prior=L)
      )
    )
    >>> loss = model(torch.ones(1, 3)).square().mean() + 0.01 * kl(model)
    """
    if not relative_sigma > 0:
        raise ValueError(f"relative_sigma must be positive, got {relative_sigma}")
    check_finite(module)
    priors = config if isinstance(config, SparsityConfig) else SparsityConfig.from_name(config)
    makers = _Makers(priors, relative_sigma, threshold)
    twin, left = copy.deepcopy(module), dict[str, str]()
    made: dict[int, nn.Module] = {}
    for name, child in list(_own_modules(twin)):
        reason = makers.reason_against(child)
        if reason is not None:
            left[name or "the module itself"] = f"{type(child).__name__}: {reason}"
            continue
        made[id(child)] = makers.twin_of(child).train(child.training)
    if not made:
        known = "nn.Embedding, nn.LSTM, nn.GRU or nn.Linear"
        raise ConversionError(
            f"{type(module).__name__} has no {known} to convert"
            + (f" ({_listed(left)})" if left else "")
        )
    if left:
        warnings.warn(
            f"left as they are, without sparsity: {_listed(left)}", ConversionWarning, stacklevel=2
        )
    return replaced(twin, made)


def check_finite(module: nn.Module) -> None:
    """Make sure that all weights are numbers.

    Raises
    ------
    ConversionError
        If one is infinite or not a number; names its tensor.
    """
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ConversionError(
                f"{name} has values that are not finite, so its training diverged: "
                "take weights from before, or train anew with a lower learning rate"
            )


def replaced(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    """Put modules into the places of others, given by their identity; also of the root."""
    if id(module) in made:
        return made[id(module)]
    for parent in list(module.modules()):
        # Not named_children(), which leaves out a child that stands there by another name too.
        for name, child in list(parent._modules.items()):
            if id(child) in made:
                setattr(parent, name, made[id(child)])
    return module


@torch.no_grad()
def freeze(module: nn.Module) -> None:
    """Fix what is pruned, for good, and end the noise: from here on, train in evaluation mode.

    Means that are kept go on learning without noise, what is pruned stays zero.
    """
    for _, parameter in named_variational_parameters(module):
        parameter.freeze()


def parameter_groups(
    module: nn.Module, rate: float, *, log_sigma_rate: float, group_rate: float | None = None
) -> list[dict[str, Any]]:
    """Divide a module's parameters for an optimiser that takes steps of three sizes.

    Steps of Adam are of one size whatever a gradient's: log sigmas have farther to go than means,
    and prune sooner with larger ones.

    Parameters
    ----------
    module
        Converted, or made of variational layers.
    rate
        Step size of means and of everything else.
    log_sigma_rate
        Of all log sigmas.
    group_rate
        Of the group variables' means; as `rate` by default.

    Examples
    --------
    >>> model = convert(torch.nn.Linear(3, 2), "w")
    >>> adam = torch.optim.Adam(parameter_groups(model, 1e-3, log_sigma_rate=6e-3))
    >>> [(group["lr"], len(group["params"])) for group in adam.param_groups]
    [(0.001, 2), (0.006, 1), (0.001, 0)]
    """
    log_sigmas, means = list[nn.Parameter](), list[nn.Parameter]()
    for name, parameter in named_variational_parameters(module):
        if isinstance(parameter.log_sigma, nn.Parameter):
            log_sigmas.append(parameter.log_sigma)
        if name.rpartition(".")[2].startswith("z_") and isinstance(parameter.mean, nn.Parameter):
            means.append(parameter.mean)
    special = {id(parameter) for parameter in (*log_sigmas, *means)}
    rest = [parameter for parameter in module.parameters() if id(parameter) not in special]
    return [
        {"params": rest, "lr": rate},
        {"params": log_sigmas, "lr": log_sigma_rate},
        {"params": means, "lr": rate if group_rate is None else group_rate},
    ]


class _Makers:
    """Makes twins of modules.

    Parameters
    ----------
    priors, relative_sigma, threshold
        As :func:`convert` takes them.
    """

    def __init__(self, priors: SparsityConfig, relative_sigma: float, threshold: float) -> None:
        self._priors, self._relative_sigma = priors, relative_sigma
        self._threshold = threshold

    def reason_against(self, module: nn.Module) -> str | None:
        """Say why a module cannot be converted; None if it can."""
        if type(module) is nn.Embedding:
            if module.max_norm is not None:
                return "max_norm changes its weights while they are read"
            return "scale_grad_by_freq" if module.scale_grad_by_freq else None
        if type(module) in (nn.LSTM, nn.GRU):
            return "it has projections (proj_size)" if module.proj_size else None
        return None if type(module) is nn.Linear else "not one of the layers that can be converted"

    def twin_of(self, module: nn.Module) -> nn.Module:
        """Make a module's twin."""
        if isinstance(module, nn.Embedding):
            return self._embedding(module)
        if isinstance(module, nn.LSTM | nn.GRU):
            return self._recurrent(module)
        assert isinstance(module, nn.Linear)  # noqa: S101 - nothing else has no reason against it
        return self._linear(module)

    def _embedding(self, module: nn.Embedding) -> Embedding:
        twin = Embedding(
            module.num_embeddings,
            module.embedding_dim,
            module.padding_idx,
            prior=self._priors.embedding,
            vocab_prior=self._priors.vocab,
            group_log_sigma=math.log(self._relative_sigma),
            threshold=self._threshold,
        ).to(module.weight)
        self._set(twin.weight, module.weight)
        return twin

    def _linear(self, module: nn.Linear) -> Linear:
        twin = Linear(
            module.in_features,
            module.out_features,
            module.bias is not None,
            prior=self._priors.output,
            threshold=self._threshold,
        ).to(module.weight)
        self._set(twin.weight, module.weight)
        if twin.bias is not None:
            _copy(twin.bias, module.bias)
        return twin

    def _recurrent(self, module: nn.LSTM | nn.GRU) -> Recurrent:
        twin = Recurrent(
            "lstm" if isinstance(module, nn.LSTM) else "gru",
            module.input_size,
            module.hidden_size,
            module.num_layers,
            batch_first=module.batch_first,
            dropout=module.dropout,
            bidirectional=module.bidirectional,
            prior=self._priors.recurrent,
            gates_prior=self._priors.gates,
            neurons_prior=self._priors.neurons,
            group_log_sigma=math.log(self._relative_sigma),
            threshold=self._threshold,
        ).to(_tensor(module, "weight_ih_l0"))
        for number, layer in enumerate(twin.nested()):
            for direction, cell in enumerate(layer):
                self._copy_cell(cell, module, f"l{number}{'_reverse' if direction else ''}")
        return twin

    def _copy_cell(self, cell: RecurrentLayer, module: nn.RNNBase, end: str) -> None:
        self._set(cell.weight_ih, _tensor(module, f"weight_ih_{end}"))
        self._set(cell.weight_hh, _tensor(module, f"weight_hh_{end}"))
        inner = cell.hidden_bias if isinstance(cell, GRU) else None
        if not module.bias:  # it learns none: neither does the twin
            for bias in (cell.bias, inner):
                if bias is not None:
                    _copy(bias.requires_grad_(False), torch.zeros_like(bias))
            return
        first, second = (_tensor(module, f"bias_{kind}_{end}").detach() for kind in ("ih", "hh"))
        both, size = first + second, cell.hidden_size
        if inner is not None:  # a GRU's second bias of n stands within its reset product
            both[2 * size :] = first[2 * size :]
            _copy(inner, second[2 * size :])
        _copy(cell.bias, both)

    def _set(self, parameter: VariationalParameter, weight: Tensor) -> None:
        """Take over trained weights, and choose log sigma by their size."""
        _copy(parameter.mean, weight)
        if parameter.log_sigma is not None:
            size = weight.detach().square().mean().sqrt().clamp(min=1e-12)
            parameter.log_sigma.data.fill_(math.log(self._relative_sigma) + float(size.log()))


def _tensor(module: nn.Module, name: str) -> Tensor:
    tensor: Tensor = getattr(module, name)
    return tensor


@torch.no_grad()
def _copy(target: Tensor, values: Tensor) -> None:
    target.copy_(values)


def _own_modules(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Iterate over modules that have parameters of their own."""
    for name, child in module.named_modules():
        if next(child.parameters(recurse=False), None) is not None:
            yield name, child


def _listed(left: dict[str, str]) -> str:
    return "; ".join(f"{name} ({reason})" for name, reason in left.items())
