"""A model as one JavaScript module: its numbers, its words and what reads a text with them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import bayespress
from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel, dumps
from bayespress.compact.bits import pack_flags
from bayespress.compact.classifier import ClassifierKind
from bayespress.compact.language import LanguageModelKind
from bayespress.compact.layout import arrays_of
from bayespress.compact.model import FloatArray
from bayespress.export import characters
from bayespress.storage import write_bytes
from bayespress.text import TokenEncoder

_PLACE = re.compile("@([A-Z]+)@")
_TABLES_OF_LEVEL = {
    ("word", "words"): ("word", "space"),
    ("word", "spaces"): ("space",),
    ("char", "words"): (),
    ("char", "spaces"): (),
}


def write_js(model: CompactModel, path: Path) -> None:
    """Write a model as an ES module without dependencies, for browsers and node.

    Parameters
    ----------
    model
        A classifier or a language model.
    path
        The file to make or replace, by custom ``.mjs``. Its first lines say what it exports.

    Raises
    ------
    ArtifactError
        If the model is inconsistent, see :func:`bayespress.compact.dumps`.
    StorageError
        If the file cannot be written.
    """
    write_bytes(path, module_of(model).encode())


def module_of(model: CompactModel) -> str:
    """Give the text of the module that :func:`write_js` writes.

    Raises
    ------
    ArtifactError
        If the model is inconsistent.
    """
    dumps(model)  # checks the model
    values = {"VERSION": bayespress.__version__, "MODEL": to_literal(_data_of(model))}
    if isinstance(model, CompactClassifier):
        values |= _values_of_classifier(model)
    return fill("\n".join(template(f"{name}.mjs") for name in _parts_of(model)), values)


def _parts_of(model: CompactModel) -> Sequence[str]:
    """Name the templates of what this model needs, and of nothing else."""
    if isinstance(model, CompactLanguageModel):
        return (
            *("head-language_model", "numbers", "texts", "tokens", "lstm", "random"),
            "language_model",
        )
    cell, network = model.layers[0][0].name, "plain" if model.is_plain else "layers"
    answer = "labels" if model.multi_label else "classes"
    return "head-classifier", "numbers", "texts", "words", cell, network, answer, "classifier"


def _values_of_classifier(model: CompactClassifier) -> Mapping[str, str]:
    cell = model.layers[0][0]
    answer = "{ label, labels, probabilities }" if model.multi_label else "{ label, probabilities }"
    return {"CELL": cell.name.upper(), "GATES": str(len(cell.gates)), "ANSWER": answer}


def template(name: str) -> str:
    """Read a file of the folder ``templates``."""
    return (resources.files("bayespress.export") / "templates" / name).read_text("utf-8")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values where their names stand between at signs; what is put in is not looked at again.

    Examples
    --------
    >>> fill("@A@ and @B@", {"A": "@B@", "B": "b"})
    '@B@ and b'
    """
    return _PLACE.sub(lambda match: values[match[1]], text)


def to_literal(value: Any) -> str:
    r"""Write JSON that can stand in JavaScript, and in a page's script whatever texts are in it.

    Examples
    --------
    >>> print(to_literal({"naïve": "</script>"}))
    {"naïve":"\u003c/script>"}
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Line separators, characters that turn the direction of writing, those of private use …
    return "".join(
        character if character.isprintable() and character != "<" else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "<" else "\\u003c"


def _data_of(model: CompactModel) -> dict[str, Any]:
    kind: Any = LanguageModelKind() if isinstance(model, CompactLanguageModel) else ClassifierKind()
    fields, lines = kind.text(model)
    del fields["info"]
    blocks = [*map(pack_flags, kind.flags(model)), *map(_pack_array, arrays_of(model).values())]
    return {
        **fields,
        # A language model's lines are escaped, which JSON does anyway.
        "words": model.encoder.tokens if isinstance(model, CompactLanguageModel) else lines,
        "characters": _tables_of(model),
        "data": base64.b64encode(b"".join(blocks)).decode(),
    }


def _pack_array(array: FloatArray) -> bytes:
    """Write what ``numbers.mjs`` reads: 0 and all values, or 1, a bitmap and those other than 0."""
    values = np.ascontiguousarray(array + np.float32(0.0), "<f4").reshape(-1)
    stored = values != 0
    sparse = b"\1" + pack_flags(stored) + bytes(values[stored])
    return min(b"\0" + bytes(values), sparse, key=len)


def _tables_of(model: CompactModel) -> dict[str, Any]:
    """Give what the model needs to know of characters."""
    encoder = model.encoder
    if isinstance(encoder, TokenEncoder):
        lowercase, names = encoder.lowercase, _TABLES_OF_LEVEL[encoder.level, encoder.tokenizer]
    else:
        lowercase, names = encoder.tokenizer.lowercase, ("word",)
    return characters.tables([*names, *(characters.OF_LOWERCASE if lowercase else ())])
