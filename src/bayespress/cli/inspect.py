"""``bayespress inspect``: what a model consists of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from bayespress import runtime
from bayespress.cli.options import model_file
from bayespress.runtime import Inspection
from bayespress.runtime.inspection import GATE_NAMES


@click.command("inspect", short_help="Show what a model consists of.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
@click.option("--words", default=20, show_default=True, help="how many kept words to list")
def command(model: Path, *, as_json: bool, words: int) -> None:
    """Show a model's three ratios, its bytes, kept words by weight, neurons and gates.

    \b
    Example:
      bayespress inspect model.bpr
      bayespress inspect model.bpr --json | jq '.words[].word'
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    path = model_file(model)
    predictor = runtime.load(path)
    inspection = runtime.inspect(predictor.model, path.stat().st_size)
    if as_json:
        click.echo(json.dumps(inspection.to_dict(), ensure_ascii=False))
        return
    for line in (*_sizes(inspection), "", *_words(inspection, words), "", *_gates(inspection)):
        click.echo(line)


def _sizes(inspection: Inspection) -> Iterator[str]:
    info = inspection.info
    yield f"file                {inspection.file_bytes:,} bytes, {inspection.weights:,} weights"
    yield f"classes             {', '.join(inspection.labels)}"
    if "code" in info:
        yield f"letter code         {info['code']}"
    for name, meaning in (
        ("compression_ratio", "all / kept matrix weights, the papers' count"),
        ("stored_compression_ratio", "the same, only weights that bear on a prediction"),
        ("dense_ratio", "parameters before / after removing whole rows and columns"),
    ):
        if name in info:
            yield f"{name:<25} {info[name]:>12,.1f}x  {meaning}"
    if inspection.size_ratio:
        meaning = "bytes of the dense model and its words / bytes of this file"
        yield f"{'size_ratio':<25} {inspection.size_ratio:>12,.1f}x  {meaning}"
    for name in ("words", "dims", "neurons", "gates"):
        if name in info:
            kept, total = info[name]
            yield f"{name:<20}{kept:,} of {total:,}"


def _words(inspection: Inspection, most: int) -> Iterator[str]:
    yield f"{'kept word':<20} {'weight':>8} {'effect':>8}  speaks for"
    for word in inspection.words[:most]:
        yield f"{word.word:<20} {word.weight:>8.3f} {word.effect:>+8.3f}  {word.toward}"
    left = len(inspection.words) - most
    if left > 0:
        yield f"… and {left:,} more (--words {len(inspection.words)})"


def _gates(inspection: Inspection) -> Iterator[str]:
    total = len(GATE_NAMES) * inspection.neurons
    yield f"{inspection.live_gates} of {total} gates are computed (~), the others are constant:"
    yield "neuron  " + "".join(f"{name:>8}" for name in GATE_NAMES)
    for number, gates in enumerate(inspection.gates):
        values = (gates[name] for name in GATE_NAMES)
        yield f"{number:<8}" + "".join(f"{'~' if v is None else f'{v:.3f}':>8}" for v in values)
