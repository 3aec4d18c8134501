"""A finished model as plain arrays and words: what is shipped, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bayespress.text import TextEncoder, TokenEncoder

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CompactCell:
    """A recurrent cell from which rows, columns and gates were removed.

    With :math:`H` neurons and k gates a neuron there are :math:`k H` gate preactivations, those of
    the first gate of all neurons first. Those in `live_gates` are computed, all others are
    constant.

    Attributes
    ----------
    weight_ih
        Input weights of the live gates, shape ``(live, input)``.
    weight_hh
        Recurrent weights of the live gates, shape ``(live, H)``.
    bias
        Biases of all gates, shape ``(k H,)``.
    live_gates
        Rising numbers in ``0 … k H - 1`` of the gates that have weights, shape ``(live,)``.
    gate_activation
        ``hard_sigmoid`` (clip(0.2 x + 0.5, 0, 1)) or ``sigmoid``, for all gates with values
        between 0 and 1.
    """

    name: ClassVar[str]
    """What the cell is called in files and settings."""
    gates: ClassVar[tuple[str, ...]]
    """Names of the gates."""

    weight_ih: FloatArray
    weight_hh: FloatArray
    bias: FloatArray
    live_gates: NDArray[np.int64]
    gate_activation: str

    @property
    def hidden_size(self) -> int:
        """Number of neurons."""
        return len(self.bias) // len(self.gates)


class CompactLSTM(CompactCell):
    r"""A long short-term memory; its gates are i, f, g, o (PyTorch's order).

    .. math::
        a &= b; \quad a_{live} \mathrel{+}= W_{ih} x_t + W_{hh} h_{t-1} \\
        c_t &= f \circ c_{t-1} + i \circ g; \quad h_t = o \circ \tanh(c_t)

    with i, f, o and g the gate activation, and tanh, of the parts of a.
    """

    name = "lstm"
    gates = ("i", "f", "g", "o")


@dataclass(frozen=True)
class CompactGRU(CompactCell):
    r"""A gated recurrent unit; its gates are r, z, n (reset, update, new; PyTorch's order).

    .. math::
        r &= \sigma(b_r + W_r x_t + U_r h_{t-1}), \quad
        z = \sigma(b_z + W_z x_t + U_z h_{t-1}) \\
        n &= \tanh(b_n + W_n x_t + r \circ (b'_n + U_n h_{t-1})), \quad
        h_t = (1 - z) \circ n + z \circ h_{t-1}

    with W and U zero for gates that are not live: as in :class:`torch.nn.GRU`, whose two biases of
    r and of z are one here.

    Attributes
    ----------
    hidden_bias
        Bias :math:`b'_n` within the reset product, shape ``(H,)``.

    References
    ----------
    Cho et al.: *Learning Phrase Representations using RNN Encoder-Decoder*, EMNLP 2014; in the form
    of PyTorch's documentation, with the reset gate behind the recurrent product.
    """

    name = "gru"
    gates = ("r", "z", "n")

    hidden_bias: FloatArray


CompactLayer = tuple[CompactCell, ...]
"""A cell that reads from the first token to the last; if there are two, the other way round too."""


@dataclass(frozen=True)
class CompactClassifier:
    """Everything that is needed to go from a raw text to class probabilities.

    Attributes
    ----------
    encoder
        Text to row numbers; row 0 is the zero vector, row r is ``embedding[r - 1]``.
    embedding
        Kept rows and dimensions, group variables folded in, shape ``(rows, input)``.
    layers
        The recurrent layers, from the embedding upwards. A layer reads, at each token, what the
        cells of the one below it give there, one after another; the lowest one reads the embedding.
    output_weight, output_bias
        Output layer, shapes ``(outputs, F)`` and ``(outputs,)``, with F neurons in the last layer.
        One output of two labels is the log odds of ``labels[1]``; otherwise the outputs are the
        classes' logits for a softmax.
    labels
        Names of the classes.
    pooling
        What the output layer reads of the last layer's cells: ``last``, the state after the last
        token in the direction that a cell reads in; ``mean`` or ``max`` over all tokens. All are
        zero for a text without tokens.
    multi_label
        A text may have several of the labels, or none: there is an output for each, its log odds.
    info
        Facts that do not change a prediction (JSON types only): the letter code, the size before
        anything was removed and the ratios, see :mod:`bayespress.compression.statistics`.
    """

    encoder: TextEncoder
    embedding: FloatArray
    layers: tuple[CompactLayer, ...]
    output_weight: FloatArray
    output_bias: FloatArray
    labels: tuple[str, ...]
    pooling: str = "last"
    multi_label: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lstm(self) -> CompactLSTM:
        """The only cell, if this is the papers' network: one LSTM, read at its last state."""
        cell = self.layers[0][0]
        if not (self.is_plain and isinstance(cell, CompactLSTM)):
            raise ValueError("this network has other cells than a single LSTM")
        return cell

    @property
    def is_plain(self) -> bool:
        """Whether there is a single layer, read in one direction, of which the last state counts.

        This is the papers' network, or the same with a GRU.
        """
        return len(self.layers) == len(self.layers[0]) == 1 and self.pooling == "last"


@dataclass(frozen=True)
class CompactLanguageModel:
    """Everything that is needed to go on from a raw text, token by token.

    Attributes
    ----------
    encoder
        Text to token ids and back.
    inputs
        Rising ids of the tokens that the network reads: token ``inputs[k]`` adds column k of
        ``lstm.weight_ih``. Any other token takes a time step and adds nothing.
    lstm
        The recurrent layer; its input is one-hot.
    output_weight, output_bias
        Logits of the next token for a softmax, shapes ``(tokens, H)`` and ``(tokens,)``: every
        token can be predicted, also those that are not read.
    window
        The model was trained on windows of so many tokens, each with a state of zeros at its
        beginning, and is measured so; None where the state is carried through the whole text.
    info
        Facts that do not change a prediction (JSON types only).
    """

    encoder: TokenEncoder
    inputs: NDArray[np.int64]
    lstm: CompactLSTM
    output_weight: FloatArray
    output_bias: FloatArray
    window: int | None = None
    info: Mapping[str, Any] = field(default_factory=dict)


CompactModel = CompactClassifier | CompactLanguageModel
