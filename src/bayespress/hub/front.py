"""The front matter of a card, as YAML; and texts of strangers, made harmless for Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bayespress.runtime.structure import visible

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NO_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""Words that a reader of YAML may take for something else than a text."""

_HARMLESS = frozenset(" ,/+-%")
"""What means nothing within a line, where neither ``:`` nor ``.`` can make an address of it."""


def scalar(value: object) -> str:
    r"""Write a value so that every reader of YAML reads the same.

    Examples
    --------
    >>> print(scalar("mit"), scalar("no"), scalar("a: b\n"), scalar(0.5), scalar(True))
    mit "no" "a: b\u000a" 0.5 true
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT:
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    if one.isprintable():
        return one
    code = ord(one)
    if 0xD800 <= code < 0xE000:  # half of a character
        return "\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def to_yaml(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Write a mapping of scalars, lists and mappings, line by line."""
    for key, one in value.items():
        if isinstance(one, Mapping):
            yield f"{indent}{key}:"
            yield from to_yaml(one, indent + "  ")
        elif isinstance(one, (list, tuple)):
            yield f"{indent}{key}:"
            for item in one:
                yield from _item(item, indent)
        else:
            yield f"{indent}{key}: {scalar(one)}"


def _item(item: object, indent: str) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f"{indent}- {scalar(item)}"
        return
    first, *rest = to_yaml(item, indent + "  ")
    yield f"{indent}- {first.lstrip()}"
    yield from rest


def escaped(text: str) -> str:
    r"""Write a text so that Markdown shows it as it is, in a table too.

    Examples
    --------
    >>> escaped("film"), escaped("<b>|"), escaped("\n")
    ('film', '&#60;b&#62;&#124;', '&#39;&#92;n&#39;')
    """
    shown = visible(text)
    return "".join(one if one.isalnum() or one in _HARMLESS else f"&#{ord(one)};" for one in shown)


def fenced(kind: str, content: str) -> str:
    r"""Write a block of code, with a fence that its content cannot end.

    Examples
    --------
    >>> print(fenced("sh", "ls"))
    ```sh
    ls
    ```
    """
    content = "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in content)
    longest = max(map(len, re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{content}\n{fence}"
