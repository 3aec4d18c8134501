"""Finished models for other programs: each way takes a compact model, never torch."""

from bayespress.export.c import write_c
from bayespress.export.html import write_html
from bayespress.export.javascript import write_js
from bayespress.export.onnx import write_onnx

__all__ = ["write_c", "write_html", "write_js", "write_onnx"]
