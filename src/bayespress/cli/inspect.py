"""``bayespress inspect``: what a model consists of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from bayespress import runtime
from bayespress.cli.options import MODEL, model_file
from bayespress.cli.shown import to_json
from bayespress.runtime import Inspection, LanguageInspection
from bayespress.runtime.structure import Structure, visible

_COUNT = click.IntRange(min=0)


@click.command("inspect", short_help="Show what a model consists of.")
@click.argument("model", type=MODEL)
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
@click.option("--words", type=_COUNT, default=20, help="how many kept words to list  [20]")
@click.option("--neurons", type=_COUNT, default=32, help="how many neurons to list  [32]")
def command(model: Path | str, *, as_json: bool, words: int, neurons: int) -> None:
    """Show a model's three ratios, its bytes, kept words by weight, neurons and gates.

    MODEL is a model file, the folder of a finished run, or hf://owner/name, which is fetched from
    the Hugging Face hub. A language model's kept words are the tokens that it reads.

    \b
    Example:
      bayespress inspect model.bpr
      bayespress inspect model.bpr --json | jq '.words[].word'
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    path = model_file(model)
    inspection = runtime.inspect(runtime.load(path).model, path.stat().st_size)
    if as_json:
        click.echo(to_json(inspection.to_dict()))
        return
    parts = (_sizes(inspection), _words(inspection, words), _gates(inspection, neurons))
    for lines in parts:
        click.echo("\n".join(lines))


def _sizes(inspection: Inspection | LanguageInspection) -> Iterator[str]:
    info = inspection.info
    yield f"file                {inspection.file_bytes:,} bytes, {inspection.weights:,} weights"
    yield from _purpose(inspection)
    yield f"weights             {info.get('precision', 'float32')}"
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
        if info.get(name):  # a language model has no dims
            kept, total = info[name]
            yield f"{name:<20}{kept:,} of {total:,}"


def _purpose(inspection: Inspection | LanguageInspection) -> Iterator[str]:
    if isinstance(inspection, Inspection):
        several = " (a text may have several, or none)" if inspection.multi_label else ""
        name = "labels" if inspection.multi_label else "classes"
        yield f"{name:<20}{', '.join(map(visible, inspection.labels))}{several}"
        return
    unit = "words" if inspection.level == "word" else "characters"
    window = f", windows of {inspection.window}" if inspection.window else ""
    yield f"language model      of {unit}{window}"
    read, tokens = len(inspection.words), inspection.tokens
    yield f"tokens              {tokens:,} can be predicted, {read:,} of them are read"


def _words(inspection: Inspection | LanguageInspection, most: int) -> Iterator[str]:
    shown = [visible(word.word) for word in inspection.words[:most]]
    if isinstance(inspection, LanguageInspection):
        width = max(map(len, ["kept token", *shown]))
        yield f"\n{'kept token':<{width}} {'weight':>8}"
        for name, token in zip(shown, inspection.words, strict=False):
            yield f"{name:<{width}} {token.weight:>8.3f}"
    else:
        width = max(map(len, ["kept word", *shown]))
        about = "on" if inspection.multi_label else "speaks for"
        yield f"\n{'kept word':<{width}} {'weight':>8} {'effect':>8}  {about}"
        for name, word in zip(shown, inspection.words, strict=False):
            toward = visible(word.toward)
            yield f"{name:<{width}} {word.weight:>8.3f} {word.effect:>+8.3f}  {toward}"
    yield from _more(len(inspection.words), most, "--words")


def _gates(inspection: Structure, most: int) -> Iterator[str]:
    total = sum(map(len, inspection.gates))
    yield f"\n{inspection.live_gates} of {total} gates are computed (~), the others are constant:"
    room = most
    for cell, neurons in inspection.gates_by_cell():
        if name := inspection.name_of(cell):
            count = cell.neurons * len(cell.gate_names)
            yield f"{name}: {cell.live_gates} of {count}"
        if room or not name:
            yield "neuron  " + "".join(f"{gate:>8}" for gate in cell.gate_names)
        for number, gates in enumerate(neurons[:room]):
            values = (gates[gate] for gate in cell.gate_names)
            yield f"{number:<8}" + "".join(f"{'~' if v is None else f'{v:.3f}':>8}" for v in values)
        room = max(0, room - len(neurons))
    yield from _more(inspection.neurons, most, "--neurons")


def _more(total: int, shown: int, flag: str) -> Iterator[str]:
    if total > shown:
        yield f"… and {total - shown:,} more ({flag} {total})"
