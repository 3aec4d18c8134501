"""How a program in C reads characters: UTF-8, lowercase, and what they are."""

from __future__ import annotations

from collections.abc import Sequence

from bayespress.export import unicode
from bayespress.export.c.literals import constants, integer_array, template
from bayespress.export.unicode import Lowering, Range, Step

_NOTHING = 2**32 - 1
"""No character has this number."""


def scanner(name: str, lowering: Lowering | None, *, tells_apart: bool, puts_back: bool) -> str:
    """Define what checks UTF-8 and gives one character after another.

    Parameters
    ----------
    name
        Of the model.
    lowering
        What must be known of lowercase; None where a text stays as it is.
    tells_apart
        Whether a tokenizer tells kinds of characters apart.
    puts_back
        Whether a tokenizer looks ahead.
    """
    parts = [template("utf8.c", name=name), template("scan.c")]
    needs_ranges = tells_apart or (lowering is not None and lowering.sigma)
    parts += [template("ranges.c")] if needs_ranges else []
    parts += [template("put_back.c")] if puts_back else []
    parts += [template("next_plain.c")] if lowering is None else [_lowercase(lowering)]
    return "".join(parts)


def ranges(name: str, of: Sequence[Range]) -> str:
    """Define ``NAME_bounds`` and ``NAME_planes`` for ``lies_in()``."""
    bounds, planes = unicode.bounds(of)
    arrays = (("bounds", bounds), ("planes", planes))
    return "".join(integer_array(f"{name}_{part}", of, "uint16_t") for part, of in arrays)


def _lowercase(lowering: Lowering) -> str:
    sigma = "if (c == 0x3A3)\n        return lower_sigma(scan);\n    " if lowering.sigma else ""
    parts = [_steps(lowering.steps), _several(lowering.several)]
    if lowering.sigma:
        ignored, cased = unicode.sigma_context()
        parts += [ranges("ignored", ignored), ranges("cased", cased), template("sigma.c")]
    return "".join([*parts, template("next_lower.c", sigma=sigma)])


def _steps(steps: Sequence[Step]) -> str:
    # An array must not be empty.
    rows = [(one.first, one.last, one.step, one.add % 2**32) for one in steps]
    lines = _rows(rows or [(_NOTHING, _NOTHING, 1, 0)])
    return (
        "/* Each of first, first + step ... last becomes itself + add, modulo 2^32. */\n"
        "static const struct {\n    uint32_t first, last, step, add;\n"
        f"}} lower[] = {{\n{lines}}};\n\n" + constants(NUM_LOWER=len(steps))
    )


def _several(several: dict[int, str]) -> str:
    rows = [
        (code, len(lower), "{" + ", ".join(f"{ord(c):#x}" for c in lower) + "}")
        for code, lower in several.items()
    ]
    lines = _rows(rows or [(_NOTHING, 1, "{0}")])
    return (
        "/* Characters whose lowercase is several. */\n"
        "static const struct several {\n    uint32_t character;\n    int count;\n"
        f"    uint32_t lower[3];\n}} lower_several[] = {{\n{lines}}};\n\n"
        + constants(NUM_SEVERAL=len(several))
    )


def _rows(rows: Sequence[tuple[object, ...]]) -> str:
    return "".join("    {" + ", ".join(map(_shown, row)) + "},\n" for row in rows)


def _shown(value: object) -> str:
    return f"{value:#x}" if isinstance(value, int) else str(value)
