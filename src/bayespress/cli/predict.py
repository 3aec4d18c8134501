"""``bayespress predict``: no torch, a fast start; files are left to ``bulk``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click
import numpy as np

from bayespress import runtime
from bayespress.cli.options import MODEL, model_file
from bayespress.cli.shown import to_json
from bayespress.errors import DataError
from bayespress.runtime.predictor import labels_in

_READ_BYTES = 1 << 15


@click.command("predict", short_help="Classify texts.")
@click.argument("model", type=MODEL)
@click.argument("texts", nargs=-1, metavar="[TEXT]…")
@click.option(
    "--input", "inputs", multiple=True, help="files, folders or patterns to read, in place of TEXT"
)
@click.option("--output", type=click.Path(path_type=Path), help="folder of the answers to files")
@click.option("--text-column", default="text", help="column of files that holds the text  [text]")
@click.option("--prefix", default="", help="put before the names of new columns")
@click.option("--probabilities", is_flag=True, help="add the probability of each class to files")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="processes that answer files  [one a processor]",
)
@click.option("--force", is_flag=True, help="replace answers that the folder has")
def command(
    model: Path | str,
    texts: tuple[str, ...],
    inputs: tuple[str, ...],
    output: Path | None,
    **options: Any,
) -> None:
    """Classify texts, or the lines of standard input; one JSON object a line comes out.

    With --input, classify the rows of files: CSV, TSV, JSON lines, Parquet, lines of text, .gz. For
    each a file of the same name, with columns for label and probability, is written to --output. It
    can be stopped at any moment; the same command goes on.

    MODEL is a model file, the folder of a finished run, or hf://owner/name, which is fetched from
    the Hugging Face hub. Where a text may have several labels, "labels" has those of at least 50%,
    the most probable one first.

    \b
    Example:
      bayespress predict model.bpr "What a lovely evening"
      zcat reviews.txt.gz | bayespress predict model.bpr > answers.jsonl
      bayespress predict model.bpr --input 'data/*.parquet' --output answers/
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if inputs or output:
        _predict_files(model_file(model), (*inputs, *texts), output, options)
        return
    _check_no_options_of_files(options)
    predictor = runtime.load_classifier(model_file(model))
    for batch in [list(texts)] if texts else stdin_texts():
        sys.stdout.writelines(_answers(predictor, batch))
        sys.stdout.flush()


def _check_no_options_of_files(options: dict[str, Any]) -> None:
    usual = {"text_column": "text", "prefix": "", "workers": None}
    for name, value in options.items():
        if value != usual.get(name, False):
            flag = name.replace("_", "-")
            raise DataError(f"--{flag} is for answers to files: name these with --input")


def _predict_files(
    model: Path, inputs: Sequence[str], output: Path | None, options: dict[str, Any]
) -> None:
    """Answer files; a shell that knows patterns puts all files but the first among the texts."""
    if output is None:
        raise DataError("--input needs a folder for the answers: add --output")
    if not inputs:
        raise DataError("--output is for the answers to files: name them with --input")
    from bayespress.cli.bulk import predict_files  # noqa: PLC0415 - texts alone do without

    predict_files(model, inputs, output, **options)


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
        yield to_json(answer) + "\n"


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
