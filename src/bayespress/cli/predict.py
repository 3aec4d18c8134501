"""``bayespress predict``: no torch, no tables, a fast start."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import numpy as np

from bayespress import runtime
from bayespress.cli.options import model_file
from bayespress.errors import DataError
from bayespress.runtime.predictor import labels_in

_READ_BYTES = 1 << 15


@click.command("predict", short_help="Classify texts.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("texts", nargs=-1, metavar="[TEXT]…")
def command(model: Path, texts: tuple[str, ...]) -> None:
    """Classify texts, or the lines of standard input; one JSON object a line comes out.

    MODEL is a model file or the folder of a finished run. Where a text may have several labels,
    "labels" has those of at least 50%, the most probable one first.

    \b
    Example:
      bayespress predict model.bpr "What a lovely evening"
      zcat reviews.txt.gz | bayespress predict model.bpr > answers.jsonl
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    predictor = runtime.load_classifier(model_file(model))
    for batch in [list(texts)] if texts else stdin_texts():
        sys.stdout.writelines(_answers(predictor, batch))
        sys.stdout.flush()


def _answers(predictor: runtime.TextPredictor, texts: list[str]) -> Iterator[str]:
    for row in predictor.predict_proba(texts).tolist():
        probabilities = dict(zip(predictor.labels, row, strict=True))
        best = max(probabilities, key=lambda label: probabilities[label])
        answer = {
            "label": best,
            "probability": round(probabilities[best], 6),
            **({"labels": _given(predictor, row)} if predictor.model.multi_label else {}),
            "probabilities": {label: round(p, 6) for label, p in probabilities.items()},
        }
        yield json.dumps(answer, ensure_ascii=False) + "\n"


def _given(predictor: runtime.TextPredictor, row: list[float]) -> dict[str, float]:
    numbers = labels_in(np.array(row, np.float32))
    return {predictor.labels[k]: round(row[k], 6) for k in numbers}


def stdin_texts() -> Iterator[list[str]]:
    """Iterate over the lines of standard input, as many at a time as have arrived.

    Raises
    ------
    DataError
        If a line is not UTF-8; says which one.
    """
    if sys.stdin.isatty():
        click.echo("one text a line, please; Ctrl-D ends", err=True)
    number = 0
    for lines in _arriving(sys.stdin.buffer):
        yield [_decoded(line, number) for number, line in enumerate(lines, number + 1)]
        number += len(lines)


def _arriving(stream: BinaryIO) -> Iterator[list[bytes]]:
    begun: list[bytes] = []  # pieces of a line whose end has not arrived
    while piece := stream.read1(_READ_BYTES):  # type: ignore[attr-defined]
        whole, newline, rest = piece.rpartition(b"\n")
        if newline:
            yield b"".join([*begun, whole]).split(b"\n")
            begun = []
        begun += [rest] if rest else []
    if begun:
        yield [b"".join(begun)]


def _decoded(line: bytes, number: int) -> str:
    try:
        text = line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(
            f"standard input, line {number}: byte {error.start + 1} "
            f"(0x{line[error.start]:02x}) is not UTF-8; convert it, for instance with iconv"
        ) from None
    return text.removeprefix("\ufeff") if number == 1 else text
