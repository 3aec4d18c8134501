"""A language model's part of the file: its header, its tokens and what must hold in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import check
from bayespress.compact.blocks import ByteReader
from bayespress.compact.header import Fields
from bayespress.compact.kind import Kind, live_flags, lstm_of, read_arrays, read_numbers, to_flags
from bayespress.compact.layout import DamageError, Sizes
from bayespress.compact.model import CompactLanguageModel
from bayespress.text import TokenEncoder

LANGUAGE_MODEL = "language_model"
"""What the field ``kind`` says."""

_ESCAPED = re.compile(r"\\(.?)")
_MEANING = {"\\": "\\", "n": "\n"}


class LanguageModelKind(Kind[CompactLanguageModel]):
    """The kind whose field ``kind`` says so."""

    def text(self, model: CompactLanguageModel) -> tuple[dict[str, Any], Sequence[str]]:
        """Give the fields; the lines are the tokens by rising id, escaped."""
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
        return fields, [escape(token) for token in encoder.tokens]

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
        self, fields: Fields, lines: Sequence[str], reader: ByteReader
    ) -> CompactLanguageModel:
        """Make the language model; see :meth:`Kind.read`."""
        encoder = TokenEncoder(
            fields.get("level", str),
            fields.get("tokenizer", str),
            fields.get("lowercase", bool),
            tuple(unescape(line) for line in lines),
        )
        hidden, activation = fields.size("hidden"), fields.get("gate_activation", str)
        window, info = fields.get_or_none("window", int), fields.get("info", dict)
        live = read_numbers(reader, 4 * hidden)
        inputs = read_numbers(reader, len(lines))
        arrays = read_arrays(reader, Sizes(None, len(inputs), hidden, len(live), len(lines)))
        return CompactLanguageModel(
            encoder=encoder,
            inputs=inputs,
            lstm=lstm_of(arrays, live, activation),
            output_weight=arrays["output_weight"],
            output_bias=arrays["output_bias"],
            window=window,
            info=info,
        )


def escape(token: str) -> str:
    r"""Write a token as one line: ``\`` becomes ``\\``, a line break ``\n``.

    Examples
    --------
    >>> print(escape("\n"), escape("\\"), escape("n"))
    \n \\ n
    """
    return token.replace("\\", "\\\\").replace("\n", "\\n")


def unescape(line: str) -> str:
    r"""Read what :func:`escape` wrote.

    Raises
    ------
    DamageError
        If anything else than another ``\`` or ``n`` follows a ``\``.
    """
    return _ESCAPED.sub(_unescaped, line) if "\\" in line else line


def _unescaped(match: re.Match[str]) -> str:
    meaning = _MEANING.get(match[1])
    if meaning is None:
        raise DamageError("a token has a backslash that escapes nothing")
    return meaning
