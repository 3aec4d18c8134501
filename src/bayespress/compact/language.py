"""A language model's part of the file: its header, its tokens and what must hold in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import check
from bayespress.compact.bits import ByteReader
from bayespress.compact.header import Fields
from bayespress.compact.kind import (
    CellFrames,
    Kind,
    live_flags,
    read_arrays,
    read_numbers,
    to_flags,
)
from bayespress.compact.layout import Sizes
from bayespress.compact.model import CompactLanguageModel, CompactLSTM
from bayespress.text import TokenEncoder

LANGUAGE_MODEL = "language_model"
"""What the field ``kind`` says."""


class LanguageModelKind(Kind[CompactLanguageModel]):
    """The kind whose field ``kind`` says so."""

    def text(self, model: CompactLanguageModel) -> tuple[dict[str, Any], Sequence[str]]:
        """Give the fields, and the tokens by rising id."""
        encoder = model.encoder
        fields = {
            "kind": LANGUAGE_MODEL,
            "level": encoder.level,
            "tokenizer": encoder.tokenizer,
            "lowercase": encoder.lowercase,
            "window": model.window,
            "hidden": model.lstm.hidden_size,
            "gate_activation": model.lstm.gate_activation,
            "info": dict(model.info),
        }
        return fields, encoder.tokens

    def flags(self, model: CompactLanguageModel) -> Sequence[NDArray[np.bool_]]:
        """Give the live gates and the tokens that are read."""
        return [live_flags(model.lstm), to_flags(model.inputs, len(model.encoder.tokens))]

    def problems(self, model: CompactLanguageModel) -> Iterator[str]:
        """Look at the arrays, gates, inputs, tokens and the window."""
        yield from check.problems_of_arrays(model)
        yield from check.problems_of_gates(model.lstm)
        yield from check.problems_of_tokens(model.encoder)
        yield from check.problems_of_numbers("inputs", model.inputs, len(model.encoder.tokens))
        yield from check.problems_of_window(model.window)

    def read(
        self, fields: Fields, words: Sequence[str], reader: ByteReader
    ) -> CompactLanguageModel:
        """Make the language model; see :meth:`Kind.read`."""
        encoder = TokenEncoder(
            fields.get("level", str),
            fields.get("tokenizer", str),
            fields.get("lowercase", bool),
            tuple(words),
        )
        hidden, activation = fields.size("hidden"), fields.get("gate_activation", str)
        window, info = fields.get_or_none("window", int), fields.get("info", dict)
        cells = CellFrames.read(reader, CompactLSTM, activation, [[hidden]])
        inputs = read_numbers(reader, len(words))
        arrays = read_arrays(reader, Sizes(None, len(inputs), cells.sizes, len(words)))
        ((lstm,),) = cells.filled(arrays)
        return CompactLanguageModel(
            encoder=encoder,
            inputs=inputs,
            lstm=lstm,
            output_weight=arrays["output_weight"],
            output_bias=arrays["output_bias"],
            window=window,
            info=info,
        )
