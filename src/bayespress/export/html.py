"""A model as one page that needs no network: type a text and see what the model makes of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel, dumps
from bayespress.export.javascript import fill, module_of, template, to_literal
from bayespress.runtime import Inspection, LanguageInspection, inspect
from bayespress.storage import write_bytes

TITLE = "Try this model"
_TELLING = 2
"""Words for each class in an example that is made up."""
_IN_TURN = "rose when the model, which reads word by word, came to it"
_WITH_IT = "rose from the text that ends before it to the one that ends behind it"


def write_html(
    model: CompactModel, path: Path, title: str = TITLE, example: str | None = None
) -> None:
    """Write a model as one self-contained page, which works from a disk and without a network.

    A classifier's page shows the probability and how each word moved it; where a text may have
    several labels, that of each, with those of at least 0.5 marked. A language model's page writes
    on and names the likeliest next tokens. Behind ``#text=`` in its address a page takes a text.

    Parameters
    ----------
    model
        A classifier or a language model.
    path
        The file to make or replace.
    title
        The page's heading.
    example
        The text that stands there first; made of words that the model knows if None.

    Raises
    ------
    ArtifactError
        If the model is inconsistent, see :func:`bayespress.compact.dumps`.
    StorageError
        If the file cannot be written.
    """
    write_bytes(path, page_of(model, title, example).encode())


def page_of(model: CompactModel, title: str = TITLE, example: str | None = None) -> str:
    """Give the text of the page that :func:`write_html` writes.

    Raises
    ------
    ArtifactError
        If the model is inconsistent.
    """
    size = len(dumps(model))
    if isinstance(model, CompactLanguageModel):
        facts, known = _facts_of_language_model(inspect(model, size)), _example_of_tokens(model)
    else:
        inspection = inspect(model, size)
        facts, known = _facts_of_classifier(inspection), _example_of_words(inspection)
    script = _script_of(model, known if example is None else example)
    values = {
        "TITLE": escape(title),
        "POLICY": f"script-src 'sha256-{_sha256(script)}'",
        "STYLE": template("page.css") + (template("labels.css") if _has_labels(model) else ""),
        "BODY": _body_of(model),
        "FACTS": "\n".join(_fact_as_html(*fact) for fact in facts),
        "SCRIPT": script,
    }
    return fill(template("page.html"), values)


def _has_labels(model: CompactModel) -> bool:
    """Tell whether a text may have several labels."""
    return isinstance(model, CompactClassifier) and model.multi_label


def _body_of(model: CompactModel) -> str:
    if isinstance(model, CompactLanguageModel):
        return template("language_model.html")
    name = "labels.html" if model.multi_label else "classifier.html"
    return fill(template(name), {"ROSE": _IN_TURN if model.is_plain else _WITH_IT})


def _script_of(model: CompactModel, example: str) -> str:
    page = fill(
        "\n".join(template(f"{name}.mjs") for name in _parts_of(model)),
        {"EXAMPLE": to_literal(example), "PAUSE": str(_pause(model))},
    )
    # In a block, so that names of the page are not in the way of the module's.
    return f"\n{module_of(model)}\n{{\n{page}}}\n"


def _parts_of(model: CompactModel) -> Sequence[str]:
    if isinstance(model, CompactLanguageModel):
        return "page", "language_model-page"
    own = "labels-page" if model.multi_label else "classes-page"
    return "page", "classifier-page", own


def _pause(model: CompactModel) -> int:
    """Choose the milliseconds between the last key and the answer.

    Cells that read backwards read a text anew for the effect of each word, which takes longer.
    """
    is_slow = isinstance(model, CompactClassifier) and any(len(la) == 2 for la in model.layers)
    return 250 if is_slow else 30


def _sha256(script: str) -> str:
    """Give what a policy has to name so that this script runs, and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _fact_as_html(name: str, value: str) -> str:
    return f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"


def _facts_of_classifier(inspection: Inspection) -> Iterator[tuple[str, str]]:
    yield "model file", f"{inspection.file_bytes:,} bytes"
    yield "words kept", _of_all(len(inspection.words), inspection.info.get("words"))
    yield from _facts_of_network(inspection)


def _facts_of_language_model(inspection: LanguageInspection) -> Iterator[tuple[str, str]]:
    unit = "characters" if inspection.level == "char" else "words"
    yield "model file", f"{inspection.file_bytes:,} bytes"
    yield f"{unit} it can write", f"{inspection.tokens:,}"
    yield f"{unit} it reads", f"{len(inspection.words):,}"
    yield from _facts_of_network(inspection)


def _facts_of_network(inspection: Inspection | LanguageInspection) -> Iterator[tuple[str, str]]:
    yield "neurons", _of_all(inspection.neurons, inspection.info.get("neurons"))
    yield "weights", f"{inspection.weights:,}"


def _of_all(kept: int, counts: Any) -> str:
    """Write how many are kept, and of how many where the model's notes tell."""
    if isinstance(counts, (list, tuple)) and len(counts) == 2 and isinstance(counts[1], int):
        return f"{kept:,} of {counts[1]:,}"
    return f"{kept:,}"


def _example_of_words(inspection: Inspection) -> str:
    """Make a text of the words that speak most for each class."""
    # Of two classes, words below 0 speak for the first one; of several labels, against one.
    speaking = (word for word in inspection.words if word.effect > 0 or not inspection.multi_label)
    telling = sorted(speaking, key=lambda word: -abs(word.effect))
    classes = [
        [word.word for word in telling if word.toward == label][:_TELLING]
        for label in inspection.labels
    ]
    return ", ".join(word for word in chain(*zip_longest(*classes)) if word is not None)


def _example_of_tokens(model: CompactLanguageModel) -> str:
    """Give the first word: frequent tokens come first, and signs and <unk> are no words."""
    return next((token for token in model.encoder.tokens if token.isalpha()), "")
