"""What layers share that read vectors: input weights, their group variables, the projections."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from bayespress.nn import init
from bayespress.nn.gated import GatedLayer
from bayespress.nn.products import linear, scale_pairs
from bayespress.nn.tokens import Tokens
from bayespress.sparsity import Prior
from bayespress.variational import INITIAL_LOG_SIGMA, THRESHOLD, Share


class RecurrentLayer(GatedLayer):
    """A gated layer over vectors, of one direction.

    Parameters
    ----------
    input_size, hidden_size, batch_first
        As in :class:`torch.nn.LSTM`; one layer, one direction.
    prior
        Prior of W and U: L, N or D.
    gates_prior, neurons_prior
        Priors of ``z_gates``, and of ``z_input`` and ``z_hidden``: L, N, D, or C for none.
    input_prior
        Prior of ``z_input``, if it is another one than `neurons_prior`: C for a layer above
        another one, whose ``z_hidden`` stands for it.
    gate_activation
        Of gates with values between 0 and 1: ``sigmoid`` or ``hard_sigmoid``, which is
        clip(0.2 x + 0.5, 0, 1).
    log_sigma, group_log_sigma
        Initial log sigmas of weights and group variables.
    threshold
        Prune where log alpha exceeds this.
    reverse
        Read sequences from their last step to their first; outputs stay in the order of steps.
    generator
        Source of the initial weights: W Glorot-uniform, U orthogonal times 1.1.

    Attributes
    ----------
    bfloat16_products
        Whether the products of inputs and W, and their gradients, are made of numbers rounded to
        bfloat16 (8 bits of mantissa), summed in float32. False at first.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        batch_first: bool = False,
        prior: Prior | str = Prior.LOG_UNIFORM,
        gates_prior: Prior | str = Prior.LOG_UNIFORM,
        neurons_prior: Prior | str = Prior.LOG_UNIFORM,
        input_prior: Prior | str | None = None,
        gate_activation: str = "sigmoid",
        log_sigma: float = INITIAL_LOG_SIGMA,
        group_log_sigma: float = INITIAL_LOG_SIGMA,
        threshold: float = THRESHOLD,
        reverse: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(
            gate_activation,
            prior,
            log_sigma=log_sigma,
            group_log_sigma=group_log_sigma,
            threshold=threshold,
        )
        self.batch_first, self.reverse = batch_first, reverse
        self.bfloat16_products = False
        weight_ih = init.input_weights(hidden_size, input_size, generator, self.gates)
        self.weight_ih = self._make_weight(weight_ih)
        weight_hh = init.recurrent_weights(hidden_size, generator, self.gates)
        self._make_recurrent(weight_hh, neurons_prior, gates_prior, self._initial_bias(hidden_size))
        self.z_input = self._make_group(input_size, input_prior or neurons_prior)

    @property
    def input_size(self) -> int:
        """Size of an input."""
        return self.weight_ih.mean.shape[1]

    def forward(
        self,
        input: Tensor | Tokens,  # noqa: A002 - torch.nn's name
        hx: Any = None,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        share: Share | None = None,
    ) -> tuple[Tensor, Any]:
        """Run over a batch of sequences.

        Parameters
        ----------
        input, hx
            Sequences and the state before them (zeros by default), shapes as in the class; or the
            :class:`~bayespress.nn.tokens.Tokens` of an embedding, which saves time.
        mask
            True where a step is real, of the input's first two dimensions (of tokens:
            ``(batch, time)``). Other steps carry the state over, so that padding, left or right,
            never changes a result.
        generator
            Source of the noise; torch's global one by default.
        share
            Take these sequences' noise as if they were all; tokens bring their own.

        Returns
        -------
        output, state
            h of every step, and the last state in the direction of reading.
        """
        samples: int | Share
        if isinstance(input, Tokens):
            samples = input.word.shape[0] if input.share is None else input.share
            mask = None if mask is None else mask.t()
            projection, row = self._project_tokens(input, generator)
            shared = row is input.word
            row = row.t()
        else:
            if self.batch_first:
                input, mask = input.transpose(0, 1), None if mask is None else mask.t()  # noqa: A001
            samples = input.shape[1] if share is None else share
            projection = self._project(input, samples, generator)
            row = torch.arange(len(projection), device=input.device).view(input.shape[:2])
            shared = False
        if self.reverse:
            row, mask = row.flip(0), None if mask is None else mask.flip(0)
        output, state = self._run(projection, row, samples, hx, mask, generator, shared=shared)
        output = output.flip(0) if self.reverse else output
        return output.transpose(0, 1) if self.batch_first else output, state

    @abstractmethod
    def _run(
        self,
        projection: Tensor,
        row: Tensor,
        samples: int | Share,
        hx: Any,
        mask: Tensor | None,
        generator: torch.Generator | None,
        *,
        shared: bool,
    ) -> tuple[Tensor, Any]:
        """Run over input projections, ``(rows, gates * H)``; all else has time in front."""

    @abstractmethod
    def _initial_bias(self, hidden_size: int) -> Tensor:
        """Give the biases of all gates that training begins with."""

    def _project(
        self, sequences: Tensor, samples: int | Share, generator: torch.Generator | None
    ) -> Tensor:
        """Multiply ``(time, batch, input_size)`` by z_input and W."""
        if not self.z_input.is_constant:
            sequences = sequences * self.z_input(generator, samples=samples)
        return self._multiply(sequences.flatten(0, 1), self.weight_ih(generator))

    def _project_tokens(
        self, tokens: Tokens, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Give projections, and the row that each token reads, of shape ``(batch, time)``.

        What differs from sequence to sequence decides how many products there are.
        """
        vectors = tokens.vectors
        samples = tokens.word.shape[0] if tokens.share is None else tokens.share
        z_input = None if self.z_input.is_constant else self.z_input(generator, samples=samples)
        if z_input is not None and not self.z_input.varies:
            vectors, z_input = vectors * z_input, None
        weight_ih = self.weight_ih(generator)
        if z_input is not None:
            rows = scale_pairs(vectors, tokens.pairs, tokens.z_vocab, z_input)
            return self._multiply(rows, weight_ih), tokens.pairs.pair
        projection = self._multiply(vectors, weight_ih)
        if tokens.z_vocab is None:
            return projection, tokens.word
        return scale_pairs(projection, tokens.pairs, tokens.z_vocab, None), tokens.pairs.pair

    def _multiply(self, rows: Tensor, weight: Tensor) -> Tensor:
        return linear(rows, weight, bfloat16=self.bfloat16_products)

    def extra_repr(self) -> str:
        """Describe the size in the printed module."""
        return f"{self.input_size}, {self.hidden_size}, gate_activation={self.gate_activation!r}"
