"""A classifier in C: a text in, probabilities out."""

from __future__ import annotations

import re

from bayespress.compact import CompactClassifier
from bayespress.errors import ArtifactError
from bayespress.export import unicode
from bayespress.export.c import characters, layered, network
from bayespress.export.c.literals import constants, integer_array, template, text
from bayespress.export.c.words import word_table

_WORD = re.compile(r"\w+")
_GROW_MEMORY = """longer = realloc(memory, {NAME}_TOKENS_OF(room) * sizeof *memory);
    if (longer == NULL)
        return 0;
    memory = longer;
    """
_NO_ROW = -1
_MAX_INT = 2**31 - 1
_SEVERAL = """
   A text may have several of them, or none: each probability is for itself."""


def header(model: CompactClassifier, name: str, summary: str) -> str:
    """Write the header file."""
    longest = max((len(word.encode()) for word in _found(model)), default=1)
    return template(
        "classifier.h",
        **_names(model, name),
        **_memory(model, name),
        summary=summary,
        stack=network.stack_bytes(model, longest + 4 * model.embedding.shape[1]),
        ids=len(model.embedding) + 1,
        tokens=_tokens(model, name) if layered.needs_tokens(model) else "",
        several=_SEVERAL if model.multi_label else "",
    )


def source(model: CompactClassifier, name: str, *, fast: bool = False) -> str:
    """Write the source file, without its head; a larger one if it should be `fast`.

    Raises
    ------
    ArtifactError
        If a label holds a character that C takes for its end.
    """
    words, normalise = _found(model), "sigmoids" if model.multi_label else "softmax"
    # One output is the log odds of the second class: the first one's logit is zero.
    is_odds = len(model.output_bias) < len(model.labels)
    before, at = ("probabilities[0] = 0;\n    ", " + 1") if is_odds else ("", "")
    is_papers = network.is_papers(model)
    reader = (
        network.papers(model, fast=fast) if is_papers else layered.layered(model, name, fast=fast)
    )
    return "".join([
        _labels(model, name),
        characters.scanner(
            name, _lowering(model, words), tells_apart=True, puts_back=False
        ),
        characters.ranges("letter", unicode.word_ranges()),
        template("is_word.c"),
        _rows(model, words),
        reader.source,
        network.output(model),
        template(f"{normalise}.c"),
        template(
            "classifier.c",
            **_names(model, name), **_memory(model, name), **vars(reader),
            before=before, at=at, normalise=normalise,
        ),
    ])  # fmt: skip


def example(model: CompactClassifier, name: str) -> str:
    """Write a program that classifies lines."""
    form = "several" if model.multi_label else "best"
    names = _names(model, name)
    return template(
        "classifier_main.c",
        **names,
        **_memory(model, name),
        what=_PRINTED[form],
        print=template(f"print_{form}.c", **names),
    )


_PRINTED = {
    "best": "the class, a tab, its probability.",
    "several": "each class of a probability of 0.5 or\n"
    "   more, a tab, its probability, and so on; an empty line where there is none.",
}


def _names(model: CompactClassifier, name: str) -> dict[str, str]:
    return {"name": name, "NAME": name.upper(), "classes": str(len(model.labels))}


def _memory(model: CompactClassifier, name: str) -> dict[str, str]:
    """Say in each place that memory of the caller's is needed, or nothing."""
    struct, needed = f"struct {name}_token", layered.needs_tokens(model)
    words = {
        "memory": "memory, ",
        "memory_parameter": f"{struct} *memory,\n        ",
        "memory_example": f"       {struct} memory[{name.upper()}_TOKENS];\n",
        "memory_of_line": f"static {struct} *memory;\n",
        "grow_memory": _GROW_MEMORY.format(NAME=name.upper()),
        "memory_of_ids": "\n   The memory is that of as many words as there are ids.",
    }
    return words if needed else dict.fromkeys(words, "")


def _tokens(model: CompactClassifier, name: str) -> str:
    members = layered.token_members(model).items()
    arrays = ", ".join(f"{member}[{size}]" for member, size in members)
    return template(
        "tokens.h",
        **_names(model, name),
        bytes=layered.token_bytes(model),
        members=f"    float {arrays};\n" if arrays else "",
        most=_max_length(model),
    )


def _max_length(model: CompactClassifier) -> int:
    return min(model.encoder.max_length, _MAX_INT)


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
            MAX_LENGTH=_max_length(model),
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
