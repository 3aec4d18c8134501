"""A classifier in C: a text in, probabilities out."""

from __future__ import annotations

import re

from bayespress.compact import CompactClassifier
from bayespress.errors import ArtifactError
from bayespress.export import unicode
from bayespress.export.c import characters, network
from bayespress.export.c.lanes import in_lanes
from bayespress.export.c.literals import constants, integer_array, template, text
from bayespress.export.c.words import word_table

_WORD = re.compile(r"\w+")
_NO_ROW = -1
_MAX_INT = 2**31 - 1


def header(model: CompactClassifier, name: str, summary: str) -> str:
    """Write the header file."""
    longest = max((len(word.encode()) for word in _found(model)), default=1)
    stack = network.stack_bytes(model.lstm, longest + 4 * model.embedding.shape[1])
    return template(
        "classifier.h",
        name=name,
        NAME=name.upper(),
        summary=summary,
        stack=stack,
        classes=len(model.labels),
        ids=len(model.embedding) + 1,
    )


def source(model: CompactClassifier, name: str, *, fast: bool = False) -> str:
    """Write the source file, without its head; a larger one if it should be `fast`.

    Raises
    ------
    ArtifactError
        If a label holds a character that C takes for its end.
    """
    words = _found(model)
    # One output is the log odds of the second class: the first one's logit is zero.
    is_odds = len(model.output_bias) == 1
    before, at = ("probabilities[0] = 0;\n    ", " + 1") if is_odds else ("", "")
    if fast:
        model = in_lanes(model)
    inputs = network.word_input(model.embedding, model.lstm, fast=fast)
    return "".join([
        _labels(model, name),
        characters.scanner(
            name, _lowering(model, words), tells_apart=True, puts_back=False
        ),
        characters.ranges("letter", unicode.word_ranges()),
        template("is_word.c"),
        _rows(model, words),
        network.layers(model, inputs, fast=fast),
        template("classifier.c", name=name, NAME=name.upper(), before=before, at=at),
    ])  # fmt: skip


def _found(model: CompactClassifier) -> list[str]:
    """List the words that a text may have and that have not the default's row."""
    vocabulary = model.encoder.vocabulary
    return [
        word
        for word, row in vocabulary.rows.items()
        if row != vocabulary.default and _WORD.fullmatch(word)
    ]


def _lowering(model: CompactClassifier, words: list[str]) -> unicode.Lowering | None:
    if not model.encoder.tokenizer.lowercase:
        return None
    return unicode.lowering("".join(words), lambda c: "word" if _WORD.match(c) else "other")


def _rows(model: CompactClassifier, words: list[str]) -> str:
    vocabulary = model.encoder.vocabulary
    special = (vocabulary.default, vocabulary.prefix, vocabulary.suffix)
    default, prefix, suffix = (_NO_ROW if row is None else row for row in special)
    return "".join([
        word_table(words, range(len(words))),
        constants(
            MAX_LENGTH=min(model.encoder.max_length, _MAX_INT),
            NO_ROW=_NO_ROW,
            DEFAULT_ROW=default,
            PREFIX_ROW=prefix,
            SUFFIX_ROW=suffix,
        ),
        integer_array("word_rows", (vocabulary.rows[word] for word in words)),
    ])  # fmt: skip


def _labels(model: CompactClassifier, name: str) -> str:
    ended = [label for label in model.labels if "\0" in label]
    if ended:
        raise ArtifactError(
            f"the label {ended[0]!r} has a zero character, where C takes a text to end: "
            "train with another label"
        )
    lines = "".join(f"    {text(label)},\n" for label in model.labels)
    return f"const char *const {name}_labels[{name.upper()}_CLASSES] = {{\n{lines}}};\n\n"
