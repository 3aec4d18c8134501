"""``bayespress predict``: no torch, no tables, a fast start."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from bayespress import runtime
from bayespress.cli.options import model_file
from bayespress.errors import DataError

_CHUNK = 256


@click.command("predict", short_help="Classify texts.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("texts", nargs=-1, metavar="[TEXT]…")
def command(model: Path, texts: tuple[str, ...]) -> None:
    """Classify texts, or the lines of standard input; one JSON object a line comes out.

    MODEL is a model file or the folder of a finished run.

    \b
    Example:
      bayespress predict model.bpr "What a lovely evening"
      zcat reviews.txt.gz | bayespress predict model.bpr > answers.jsonl
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    predictor = runtime.load(model_file(model))
    # At a prompt every line is answered at once; elsewhere batches are faster.
    size = 1 if not texts and sys.stdin.isatty() else _CHUNK
    lines = iter(texts) if texts else stdin_lines()
    while chunk := list(itertools.islice(lines, size)):
        for answer in _answers(predictor, chunk):
            sys.stdout.write(answer + "\n")
        sys.stdout.flush()


def _answers(predictor: runtime.TextPredictor, texts: list[str]) -> Iterator[str]:
    for row in predictor.predict_proba(texts).tolist():
        probabilities = dict(zip(predictor.labels, row, strict=True))
        best = max(probabilities, key=lambda label: probabilities[label])
        yield json.dumps(
            {
                "label": best,
                "probability": round(probabilities[best], 6),
                "probabilities": {k: round(p, 6) for k, p in probabilities.items()},
            },
            ensure_ascii=False,
        )


def stdin_lines() -> Iterator[str]:
    """Iterate over the lines of standard input.

    Raises
    ------
    DataError
        If a line is not UTF-8.
    """
    return decoded(sys.stdin.buffer)


def decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Decode lines, without their ends.

    Raises
    ------
    DataError
        If a line is not UTF-8; says which one.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise DataError(
                f"standard input, line {number}: byte {error.start + 1} "
                f"(0x{line[error.start]:02x}) is not UTF-8; convert it, for instance with iconv"
            ) from None
