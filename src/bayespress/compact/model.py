"""A finished model as plain arrays and words: what is shipped, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.text import TextEncoder, TokenEncoder

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class CompactLSTM:
    r"""An LSTM from which rows, columns and gates were removed.

    With :math:`H` neurons there are :math:`4H` gate preactivations in the order i, f, g, o. Those
    in `live_gates` are computed, all others are the constant `bias`:

    .. math:: a = b; \quad a_{live} \mathrel{+}= W_{ih} x_t + W_{hh} h_{t-1}

    Attributes
    ----------
    weight_ih
        Input weights of the live gates, shape ``(live, input)``.
    weight_hh
        Recurrent weights of the live gates, shape ``(live, H)``.
    bias
        Biases of all gates, shape ``(4 H,)``.
    live_gates
        Rising numbers in ``0 … 4 H - 1`` of the gates that have weights, shape ``(live,)``.
    gate_activation
        ``hard_sigmoid`` (clip(0.2 x + 0.5, 0, 1)) or ``sigmoid``, for i, f and o.
    """

    weight_ih: FloatArray
    weight_hh: FloatArray
    bias: FloatArray
    live_gates: NDArray[np.int64]
    gate_activation: str

    @property
    def hidden_size(self) -> int:
        """Number of neurons."""
        return len(self.bias) // 4


@dataclass(frozen=True)
class CompactClassifier:
    """Everything that is needed to go from a raw text to class probabilities.

    Attributes
    ----------
    encoder
        Text to row numbers; row 0 is the zero vector, row r is ``embedding[r - 1]``.
    embedding
        Kept rows and dimensions, group variables folded in, shape ``(rows, input)``.
    lstm
        The recurrent layer.
    output_weight, output_bias
        Output layer, shapes ``(outputs, H)`` and ``(outputs,)``. One output is the log odds of
        ``labels[1]``; otherwise the outputs are the classes' logits for a softmax.
    labels
        Names of the classes.
    info
        Facts that do not change a prediction (JSON types only): the letter code, the size before
        anything was removed and the ratios, see :mod:`bayespress.compression.statistics`.
    """

    encoder: TextEncoder
    embedding: FloatArray
    lstm: CompactLSTM
    output_weight: FloatArray
    output_bias: FloatArray
    labels: tuple[str, ...]
    info: Mapping[str, Any] = field(default_factory=dict)


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
