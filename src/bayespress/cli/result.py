"""The table at the end of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def print_result(console: Console, output: Path, result: dict[str, Any]) -> None:
    """Print accuracy, the three ratios and the bytes of a finished run."""
    table = Table(title=f"{output}, epoch {result['best_epoch']}", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(justify="left", style="dim")
    for row in _rows(result):
        table.add_row(*row)
    console.print(table)


def _rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    if result["test_texts"]:
        texts = f"{result['test_texts']:,} texts"
        rows += [
            ("test accuracy, masked network", f"{result['test_accuracy_masked']:.2%}", texts),
            ("test accuracy, shipped file", f"{result['test_accuracy_file']:.2%}", texts),
        ]
    kept, total = result["words"]
    return [
        *rows,
        ("words kept", f"{kept:,}", f"of {total:,}"),
        ("compression_ratio", f"{result['compression_ratio']:,.0f}x", "weights, the papers' count"),
        ("dense_ratio", f"{result['dense_ratio']:,.0f}x", "whole rows and columns"),
        ("size_ratio", f"{result['size_ratio']:,.0f}x", f"of {result['dense_bytes']:,} bytes"),
        ("shipped file", f"{result['file_bytes']:,} bytes", "model.bpr, all included"),
    ]
