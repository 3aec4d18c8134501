"""Finished models as programs in other languages: each takes a compact model, never torch."""

from bayespress.export.c import write_c
from bayespress.export.html import write_html
from bayespress.export.javascript import write_js

__all__ = ["write_c", "write_html", "write_js"]
