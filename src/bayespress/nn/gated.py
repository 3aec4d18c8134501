"""What gated layers share, whatever feeds them: recurrent weights, gates and neurons."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from bayespress.nn.recurrence import GATES, State, run_lstm
from bayespress.sparsity import Prior
from bayespress.variational import INITIAL_LOG_SIGMA, THRESHOLD, Share, VariationalParameter


class GatedLayer(nn.Module):
    """The recurrent half of a layer; subclasses make the input projections.

    Parameters
    ----------
    gate_activation
        Of gates with values between 0 and 1: ``sigmoid`` or ``hard_sigmoid``, which is
        clip(0.2 x + 0.5, 0, 1).
    prior
        Prior of the weights.
    log_sigma, group_log_sigma
        Initial log sigmas of weights and group variables.
    threshold
        Prune where log alpha exceeds this.
    """

    gates: ClassVar[int] = GATES
    """Gates of a neuron."""

    weight_hh: VariationalParameter
    bias: nn.Parameter
    z_hidden: VariationalParameter
    z_gates: VariationalParameter

    def __init__(
        self,
        gate_activation: str = "sigmoid",
        prior: Prior | str = Prior.LOG_UNIFORM,
        *,
        log_sigma: float = INITIAL_LOG_SIGMA,
        group_log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
    ) -> None:
        super().__init__()
        self.gate_activation = gate_activation
        self._prior, self._log_sigma = prior, log_sigma
        self._group_log_sigma, self._threshold = group_log_sigma, threshold

    def _make_weight(self, mean: Tensor) -> VariationalParameter:
        return VariationalParameter(
            mean, self._prior, log_sigma=self._log_sigma, threshold=self._threshold
        )

    def _make_group(self, size: int, prior: Prior | str) -> VariationalParameter:
        return VariationalParameter(
            torch.ones(size), prior, log_sigma=self._group_log_sigma, threshold=self._threshold
        )

    def _make_recurrent(
        self, weight_hh: Tensor, hidden: Prior | str, gates: Prior | str, bias: Tensor
    ) -> None:
        size = weight_hh.shape[1]
        self.weight_hh = self._make_weight(weight_hh)
        self.bias = nn.Parameter(bias)
        self.z_hidden = self._make_group(size, hidden)
        self.z_gates = self._make_group(self.gates * size, gates)

    @property
    def hidden_size(self) -> int:
        """Number of neurons."""
        return self.weight_hh.mean.shape[1]

    def _run_lstm(
        self,
        projection: Tensor,
        row: Tensor,
        samples: int | Share,
        hx: State | None,
        mask: Tensor | None,
        generator: torch.Generator | None,
        *,
        shared: bool,
    ) -> tuple[Tensor, State]:
        """Run over input projections; rows, mask and output have time in front, see `run_lstm`."""
        zeros = projection.new_zeros(row.shape[1], self.hidden_size)
        output, (h, c) = run_lstm(
            projection,
            row,
            self.weight_hh(generator),
            self.bias,
            self.z_gates(generator, samples=samples),
            self.z_hidden(generator, samples=samples),
            (zeros, zeros) if hx is None else (hx[0][0], hx[1][0]),
            mask,
            hard=self.gate_activation == "hard_sigmoid",
            shared=shared,
        )
        return output, (h.unsqueeze(0), c.unsqueeze(0))
