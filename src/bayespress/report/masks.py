"""Pictures of matrices: which weights are kept in the network, and which are shipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayespress.compact import CompactCell, CompactLSTM, CompactModel, arrays_of
from bayespress.compact.layout import cells_of
from bayespress.report import raster, svg
from bayespress.report.markup import Markup, join, tag
from bayespress.report.run import KeptWeights, Mask
from bayespress.report.svg import Figure

_LEFT, _WIDE, _HIGH, _LEAST, _CELL = 16, 400, 150, 64, 14
_PLACE = 2
"""Side of the smallest place of a picture: a single weight shall be seen."""
_AXES = {
    "embedding": ("dimensions", "words"),
    "weight_ih": ("gates", "inputs"),
    "weight_hh": ("gates", "neurons"),
    "output": ("outputs", "neurons"),
}


@dataclass(frozen=True)
class _Matrix:
    """A mask as it is drawn: the longer side lies down.

    Attributes
    ----------
    caption
        What it is.
    mask
        True where a weight is.
    borders
        Rows before which the gates begin, and the end; none where rows are no gates.
    gates
        Their names.
    """

    caption: str
    mask: Mask
    borders: Sequence[int] = ()
    gates: Sequence[str] = ()


def mask_charts(
    name: str, model: CompactModel | None, kept: KeptWeights | None
) -> Iterator[Figure]:
    """Draw each matrix as it is in the network, and as it is in the file below."""
    full = kept.masks if kept is not None else {}
    small = {} if model is None else shipped_masks(model)
    cells = {} if model is None else dict(cells_of(model))
    for matrix in dict.fromkeys([*small, *full]):
        kind, end = _kind_of(matrix)
        cell, pictures = cells.get(end), []
        if matrix in full:
            pictures.append(_matrix(kind, full[matrix], "network", cell))
        if matrix in small:
            pictures.append(_matrix(kind, small[matrix], "file", cell))
        down, right = _AXES[kind]
        yield _chart(f"{name}-{matrix}", matrix, f"{down} down, {right} to the right", pictures)


def shipped_masks(model: CompactModel) -> Mapping[str, Mask]:
    """Tell which weights of a model's matrices are not zero."""
    matrices = {name: array != 0 for name, array in arrays_of(model).items() if array.ndim == 2}
    return {"output" if name == "output_weight" else name: mask for name, mask in matrices.items()}


def _kind_of(matrix: str) -> tuple[str, str]:
    """Take a matrix' name apart: its kind, and the end that names the cell it belongs to."""
    kind = next(kind for kind in _AXES if matrix.startswith(kind))
    return kind, matrix.removeprefix(kind)


def _borders_of_all(mask: Mask, gates: int) -> list[int]:
    return [len(mask) // gates * gate for gate in range(gates + 1)]


def _borders_of_live(cell: CompactCell) -> list[int]:
    ends = np.arange(len(cell.gates) + 1) * cell.hidden_size
    borders: list[int] = np.searchsorted(cell.live_gates, ends).tolist()
    return borders


def _matrix(kind: str, mask: Mask, place: str, cell: CompactCell | None) -> _Matrix:
    count = f"{np.count_nonzero(mask):,} of {mask.shape[0]:,} × {mask.shape[1]:,}"
    caption = f"In the {place}: {count} weights"
    if kind == "embedding":
        return _Matrix(caption, mask.T)
    if not kind.startswith("weight"):
        return _Matrix(caption, mask)
    gates = CompactLSTM.gates if cell is None else cell.gates
    if place == "network" or cell is None:
        borders = _borders_of_all(mask, len(gates))
    else:
        borders = _borders_of_live(cell)
    return _Matrix(caption, mask, borders, gates)


def _chart(name: str, matrix: str, axes: str, pictures: Sequence[_Matrix]) -> Figure:
    parts, y = [svg.heading(matrix, axes)], 42.0
    for picture in pictures:
        drawn, height = _drawn(picture, y)
        parts.append(drawn)
        y += height
    description = "; ".join(picture.caption for picture in pictures)
    return Figure(name, f"Kept weights of {matrix}", description, y, join(parts))


def _drawn(picture: _Matrix, top: float) -> tuple[Markup, float]:
    caption = svg.words(0, top + 12, picture.caption)
    rows, columns = picture.mask.shape
    if not rows or not columns:
        return caption, 26
    wide = min(columns * _CELL, _WIDE)
    high = min(max(wide * rows / columns, _LEAST), rows * _CELL, _HIGH)
    image = raster.png(raster.shares(picture.mask, round(high / _PLACE), round(wide / _PLACE)))
    box = {"x": _LEFT, "y": f"{top + 20:g}", "width": f"{wide:g}", "height": f"{high:.5g}"}
    parts = [
        caption,
        tag("rect", class_="ground", **box),
        tag("image", href=raster.data_uri(image), preserveAspectRatio="none", **box),
        *_gates(picture, rows, high, top + 20, wide),
        tag("rect", class_="frame", **box),
    ]
    return join(parts), high + 32


def _gates(picture: _Matrix, rows: int, high: float, top: float, wide: float) -> Iterator[Markup]:
    for gate, (start, end) in zip(picture.gates, pairwise(picture.borders), strict=True):
        first, last = top + high * start / rows, top + high * end / rows
        if start:
            yield svg.line(_LEFT, first, _LEFT + wide, first, "axis")
        if last - first >= 10:
            yield svg.words(_LEFT - 5, (first + last) / 2 + 4, gate, class_="tick end")
