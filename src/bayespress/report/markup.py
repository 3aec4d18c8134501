"""Elements of HTML and SVG: what is no element already is escaped, so that data stay data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

# XML has no way to write these; nor has UTF-8 one for lone surrogates.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Markup(str):
    """A text that is HTML and SVG as it stands."""

    __slots__ = ()


def text(value: object) -> Markup:
    r"""Escape a text, unless it is markup; characters that XML lacks become U+FFFD.

    Examples
    --------
    >>> text("<b> & \x00"), text(text("<b>"))
    ('&lt;b&gt; &amp; �', '&lt;b&gt;')
    """
    if isinstance(value, Markup):
        return value
    return Markup(escape(_IMPOSSIBLE.sub("\ufffd", str(value))))


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Make an element; an attribute that is None is left out.

    In attributes' names ``_`` stands for ``-``, and the one at the end of ``class_`` for nothing.

    Examples
    --------
    >>> print(tag("p", "a < b", tag("b", 1), class_="note", data_x='"', hidden=None))
    <p class="note" data-x="&quot;">a &lt; b<b>1</b></p>
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Put elements and texts one behind the other."""
    return Markup(str(text(between)).join(text(part) for part in parts))
