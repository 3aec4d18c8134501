"""A language model in C: a text in, every token's probability to come next out."""

from __future__ import annotations

import re

from bayespress.compact import CompactLanguageModel
from bayespress.export import unicode
from bayespress.export.c import characters, network
from bayespress.export.c.inputs import one_hot_input
from bayespress.export.c.literals import constants, integer_array, template
from bayespress.export.c.words import word_table
from bayespress.text import TokenEncoder
from bayespress.text.tokens import END, NO_SPACE_AFTER, NO_SPACE_BEFORE, UNKNOWN

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_NONE = -1


def header(model: CompactLanguageModel, name: str, summary: str) -> str:
    """Write the header file."""
    encoder = model.encoder
    longest = max(len(token.encode()) for token in encoder.tokens)
    window = (
        f"\n   The network was trained on windows of {model.window} tokens." if model.window else ""
    )
    return template(
        "language.h",
        name=name,
        NAME=name.upper(),
        summary=summary,
        stack=network.stack_bytes(model, longest),
        tokens=_description(encoder),
        window=window,
        count=len(encoder.tokens),
        line_end=_line_end(encoder),
        unknown=encoder.ids.get(UNKNOWN, _NONE),
        memory=max(model.lstm.hidden_size, 1),
    )


def source(model: CompactLanguageModel, name: str) -> str:
    """Write the source file, without its head."""
    encoder, names = model.encoder, {"name": name, "NAME": name.upper()}
    has_words = encoder.level == "word"
    has_live = len(model.lstm.live_gates) > 0
    inputs = one_hot_input(model.lstm, model.lstm.weight_ih.T) if has_live else ""
    return "".join([
        characters.scanner(
            name, _lowering(encoder), tells_apart=has_words, puts_back=has_words
        ),
        _tokens(encoder),
        _rows(model),
        network.only_cell(model.lstm, inputs),
        network.output(model),
        template("softmax.c"),
        _joins(encoder),
        template("language.c", **names),
    ])  # fmt: skip


def example(name: str) -> str:
    """Write a program that goes on with a text."""
    return template("language_main.c", name=name, NAME=name.upper())


def _line_end(encoder: TokenEncoder) -> int:
    return encoder.ids.get("\n" if encoder.level == "char" else END, _NONE)


def _description(encoder: TokenEncoder) -> str:
    case = ", in lowercase" if encoder.lowercase else ""
    if encoder.level == "char":
        return f"characters{case}"
    if encoder.tokenizer == "spaces":
        return f"what stands between white space, and line breaks{case}"
    return f"words, other marks and line breaks{case}"


def _classes(encoder: TokenEncoder) -> list[tuple[str, re.Pattern[str]]]:
    """Name the kinds of characters that the tokenizer tells apart."""
    if encoder.level == "char":
        return []
    spaces = [("space", re.compile(r"\s"))]
    return spaces if encoder.tokenizer == "spaces" else [*spaces, ("letter", re.compile(r"\w"))]


def _lowering(encoder: TokenEncoder) -> unicode.Lowering | None:
    if not encoder.lowercase:
        return None
    classes = _classes(encoder)

    def class_of(character: str) -> str:
        return next((name for name, members in classes if members.match(character)), "")

    return unicode.lowering("".join(encoder.tokens), class_of)


def _tokens(encoder: TokenEncoder) -> str:
    """Define ``following()``."""
    is_char = encoder.level == "char"
    form = "char" if is_char else encoder.tokenizer
    found = [
        number
        for number, token in enumerate(encoder.tokens)
        if form != "words" or _WORD.fullmatch(token)
    ]
    unknown = encoder.ids.get(UNKNOWN, _NONE)
    line_break = encoder.ids.get(END, unknown)
    parts = [word_table(encoder.tokens, found, gap="" if is_char else " ")]
    parts.append(constants(NO_TOKEN=-2, UNKNOWN=unknown, LINE_BREAK=line_break))
    tables = {"letter": unicode.word_ranges, "space": unicode.space_ranges}
    tests = {"letter": "is_word.c", "space": "is_space.c"}
    for name, _ in _classes(encoder):
        parts += [characters.ranges(name, tables[name]()), template(tests[name])]
    return "".join([*parts, template("known.c"), template(f"tokens_{form}.c")])


def _rows(model: CompactLanguageModel) -> str:
    """Define each token's row in the table of inputs; 0 if it is not read."""
    rows = dict.fromkeys(range(len(model.encoder.tokens)), 0)
    rows |= {token: row for row, token in enumerate(model.inputs.tolist(), 1)}
    return integer_array("token_rows", rows.values())


def _joins(encoder: TokenEncoder) -> str:
    """Define the tokens that are written without a space before or after them."""
    parts = []
    for name, marks in (("before", NO_SPACE_BEFORE), ("after", NO_SPACE_AFTER)):
        is_marked = encoder.level == "word" and encoder.tokenizer == "words"
        tokens = [encoder.ids[mark] for mark in sorted(marks & encoder.ids.keys()) if is_marked]
        # An array must not be empty.
        parts.append(integer_array(f"joins_{name}", tokens, "int"))
        parts.append(constants(**{f"NUM_JOINS_{name.upper()}": len(tokens)}))
    return "".join(parts)
