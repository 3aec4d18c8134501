"""Pictures of matrices: which weights are kept in the network, and which are shipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bayespress.compact import CompactModel, arrays_of
from bayespress.report import raster, svg
from bayespress.report.markup import Markup, join, tag
from bayespress.report.run import KeptWeights, Mask
from bayespress.report.svg import Figure
from bayespress.runtime.structure import GATE_NAMES

_LEFT, _WIDE, _HIGH, _LEAST, _CELL = 16, 400, 150, 64, 14
_PLACE = 2
"""Side of the smallest place of a picture: a single weight shall be seen."""
_NAMES = {"embedding": "embedding", "weight_ih": "weight_ih", "weight_hh": "weight_hh",
          "output": "output_weight"}  # fmt: skip
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
        Rows before which the gates i, f, g, o begin, and the end; none where rows are no gates.
    """

    caption: str
    mask: Mask
    borders: Sequence[int] = ()


def mask_charts(
    name: str, model: CompactModel | None, kept: KeptWeights | None
) -> Iterator[Figure]:
    """Draw each matrix as it is in the network, and as it is in the file below."""
    full = kept.masks if kept is not None else {}
    small = {} if model is None else shipped_masks(model)
    for matrix, (down, right) in _AXES.items():
        pictures = []
        if matrix in full:
            pictures.append(_matrix(matrix, full[matrix], "network", _borders_of_all(full[matrix])))
        if matrix in small and model is not None:
            pictures.append(_matrix(matrix, small[matrix], "file", _borders_of_live(model)))
        if pictures:
            yield _chart(f"{name}-{matrix}", matrix, f"{down} down, {right} to the right", pictures)


def shipped_masks(model: CompactModel) -> Mapping[str, Mask]:
    """Tell which weights of a model's matrices are not zero."""
    arrays = arrays_of(model)
    return {name: arrays[array] != 0 for name, array in _NAMES.items() if array in arrays}


def _borders_of_all(mask: Mask) -> list[int]:
    return [len(mask) // 4 * gate for gate in range(5)]


def _borders_of_live(model: CompactModel) -> list[int]:
    ends = np.arange(5) * model.lstm.hidden_size
    borders: list[int] = np.searchsorted(model.lstm.live_gates, ends).tolist()
    return borders


def _matrix(matrix: str, mask: Mask, place: str, borders: Sequence[int]) -> _Matrix:
    count = f"{np.count_nonzero(mask):,} of {mask.shape[0]:,} × {mask.shape[1]:,}"
    caption = f"In the {place}: {count} weights"
    if matrix == "embedding":
        return _Matrix(caption, mask.T)
    return _Matrix(caption, mask, borders if matrix.startswith("weight") else ())


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
        *_gates(picture.borders, rows, high, top + 20, wide),
        tag("rect", class_="frame", **box),
    ]
    return join(parts), high + 32


def _gates(
    borders: Sequence[int], rows: int, high: float, top: float, wide: float
) -> Iterator[Markup]:
    for gate, (start, end) in zip(GATE_NAMES, pairwise(borders), strict=False):
        first, last = top + high * start / rows, top + high * end / rows
        if start:
            yield svg.line(_LEFT, first, _LEFT + wide, first, "axis")
        if last - first >= 10:
            yield svg.words(_LEFT - 5, (first + last) / 2 + 4, gate, class_="tick end")
