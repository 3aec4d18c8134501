"""The table at the end of a run."""

from __future__ import annotations

import math
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayespress.errors import RunError
from bayespress.history import perplexity


def times(ratio: float) -> str:
    """Write a ratio, with a decimal as long as it says something.

    Examples
    --------
    >>> times(1.44), times(1234.5)
    ('1.4x', '1,234x')
    """
    return f"{ratio:,.1f}x" if ratio < 100 else f"{ratio:,.0f}x"


def say(console: Console, text: str) -> None:
    """Print a line as it is: no markup, no colours, no breaks that would spoil a command."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_result(console: Console, output: Path, result: dict[str, Any]) -> None:
    """Print accuracy or F1, the three ratios and the bytes of a finished run.

    Raises
    ------
    RunError
        If the result, which was perhaps read from a file, lacks something.
    """
    try:
        title, rows = f"{output}, epoch {result['best_epoch']}", _rows(result)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{output / 'result.json'} is damaged ({error!r}); remove it and run the same command "
            "again"
        ) from None
    table = Table(title=Text(title), show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(justify="left", style="dim")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def print_next(console: Console, output: Path, task: str = "classify") -> None:
    """Say what to do with a finished run."""
    use = '--prompt "The"' if task == "lm" else '"a text of yours"'
    command = "generate" if task == "lm" else "predict"
    say(console, f"next: bayespress {command} {shlex.quote(str(output))} {use}")


def _rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = _language_rows(result) if "test_tokens" in result else _classifier_rows(result)
    kept, total = result["words"]
    return [
        *rows,
        ("words read" if "test_tokens" in result else "words kept", f"{kept:,}", f"of {total:,}"),
        ("compression_ratio", times(result["compression_ratio"]), "weights, the papers' count"),
        ("dense_ratio", times(result["dense_ratio"]), "whole rows and columns"),
        ("size_ratio", times(result["size_ratio"]), f"of {result['dense_bytes']:,} bytes"),
        ("shipped file", f"{result['file_bytes']:,} bytes", "model.bpr, all included"),
    ]


def _classifier_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    if not result["test_texts"]:
        return []
    texts = f"{result['test_texts']:,} texts"
    if "test_micro_f1_file" in result:
        return [
            ("test micro-F1, masked network", f"{result['test_micro_f1_masked']:.4f}", texts),
            ("test micro-F1, shipped file", f"{result['test_micro_f1_file']:.4f}", texts),
            ("test macro-F1, shipped file", f"{result['test_macro_f1_file']:.4f}", texts),
            ("all labels of a text right", f"{result['test_exact_match_file']:.2%}", texts),
        ]
    return [
        ("test accuracy, masked network", f"{result['test_accuracy_masked']:.2%}", texts),
        ("test accuracy, shipped file", f"{result['test_accuracy_file']:.2%}", texts),
    ]


def _language_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    if not result["test_tokens"]:
        return []
    tokens = f"{result['test_tokens']:,} tokens"
    nats = (result["test_nll_masked"], result["test_nll_file"])
    if result["level"] == "char":
        name, figures = "bits/char", [f"{nll / math.log(2):.4f}" for nll in nats]
    else:
        name, figures = "perplexity", [f"{perplexity(nll):,.2f}" for nll in nats]
    return [
        (f"test {name}, masked network", figures[0], tokens),
        (f"test {name}, shipped file", figures[1], tokens),
    ]
