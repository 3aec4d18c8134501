"""Line charts: a figure of each epoch, of one run or several."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bayespress.report import svg
from bayespress.report.markup import Markup, join, tag
from bayespress.report.svg import Axis, Figure, LegendItem
from bayespress.report.wording import short

_PLOT, _LEFT, _RIGHT, _BOTTOM = 170, 50, 10, 36
_MARKS = 7
_LOG_FROM = 20
"""Where the largest number is so many times the smallest, equal ratios are equal distances."""


@dataclass(frozen=True)
class Series:
    """A line.

    Attributes
    ----------
    label
        Its name.
    points
        Epoch and number, by rising epoch; numbers that are not finite are left out.
    style
        Number of its colour, its kind of line and its marks.
    best
        The epoch that is ringed, which is the one that is shipped.
    """

    label: str
    points: Sequence[tuple[int, float]]
    style: int
    best: int | None = None

    def at_best(self) -> float | None:
        """Give the number of the ringed epoch."""
        return dict(self.points).get(self.best or 0)


def line_chart(
    name: str, title: str, series: Sequence[Series], show: Callable[[float], str]
) -> Figure:
    """Draw lines over epochs; `show` writes a number in legend and description."""
    lines = [_finite(one) for one in series]
    numbers = [value for one in lines for _, value in one.points]
    is_log = bool(numbers) and min(numbers) > 0 and max(numbers) >= _LOG_FROM * min(numbers)
    items = [LegendItem(_labelled(one, show), one.style) for one in lines]
    legend, height = svg.legend(items, 22)
    top = 22 + height + 8
    x = Axis(1, max((one.points[-1][0] for one in lines if one.points), default=1), _LEFT,
             svg.WIDTH - _RIGHT)  # fmt: skip
    y = Axis(*_limits(numbers, is_log), top + _PLOT, top, is_log)
    scale = " (logarithmic)" if is_log else ""
    parts = [svg.heading(title + scale), legend, _axes(x, y)]
    parts += [_drawn(one, x, y) for one in lines]
    description = "; ".join(_described(one, show) for one in lines) or "no epoch yet"
    return Figure(name, title, description, top + _PLOT + _BOTTOM, join(parts))


def _finite(series: Series) -> Series:
    points = [(epoch, value) for epoch, value in series.points if math.isfinite(value)]
    return Series(series.label, points, series.style, series.best)


def _limits(numbers: Sequence[float], is_log: bool) -> tuple[float, float]:
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    if is_log:
        return low / 1.1, high * 1.1
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    if 0 <= low < 0.6 * high:
        return 0.0, high + room
    return low - room, high + room


def _labelled(series: Series, show: Callable[[float], str]) -> str:
    value = series.at_best()
    return series.label if value is None else f"{series.label}: {show(value)}"


def _described(series: Series, show: Callable[[float], str]) -> str:
    if not series.points:
        return f"{series.label}: no figures"
    (first, begin), (last, end) = series.points[0], series.points[-1]
    value = series.at_best()
    best = "" if value is None else f", {show(value)} in epoch {series.best}, which is shipped"
    return f"{series.label}: {show(begin)} in epoch {first}, {show(end)} in epoch {last}{best}"


def _axes(x: Axis, y: Axis) -> Markup:
    parts = []
    for tick in y.ticks():
        place = y(tick)
        parts += [
            svg.line(x.start, place, x.end, place, "grid"),
            svg.words(x.start - 6, place + 4, short(tick), class_="tick end"),
        ]
    parts.append(svg.line(x.start, y.start, x.end, y.start, "axis"))
    whole = [tick for tick in x.ticks() if tick == int(tick) and tick >= 1]
    for tick in [1.0, *(tick for tick in whole if x(tick) - x(1) > 20)]:
        parts.append(svg.words(x(tick), y.start + 15, short(tick), class_="tick middle"))
    parts.append(svg.words((x.start + x.end) / 2, y.start + 32, "epoch", class_="tick middle"))
    return join(parts)


def _drawn(series: Series, x: Axis, y: Axis) -> Markup:
    places = [(x(epoch), y(value)) for epoch, value in series.points]
    path = "M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in places)
    style = f"line {svg.hue(series.style)} {svg.dashes(series.style)}"
    parts = [tag("path", d=path, class_=style)] if len(places) > 1 else []
    parts += [svg.mark(*places[k], series.style) for k in _marked(len(places), series.style)]
    value = series.at_best()
    if value is not None and series.best is not None:
        ring = {"cx": f"{x(series.best):.2f}", "cy": f"{y(value):.2f}", "r": "7"}
        parts.append(tag("circle", class_=f"best {svg.hue(series.style)}", **ring))
    return join(parts)


def _marked(count: int, style: int) -> Sequence[int]:
    """Choose the points that get a mark; those of another style lie elsewhere."""
    step = max(1, count // _MARKS)
    return range(style * step // svg.STYLES % step if count > _MARKS else 0, count, step)
