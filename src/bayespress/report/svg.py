"""Drawings: elements of SVG, styled by one sheet in the page as in files of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from bayespress.report.markup import Markup, join, tag

WIDTH = 420
"""Width of most figures, in their own units: two stand beside each other, one fits a telephone."""
_MARGIN = 12
"""Around a drawing that is a file of its own."""
LINE = 18
"""Height of a line of text."""
_CHARACTER = 6.6
"""Mean width of a character; an upper bound would waste space, and `cut` shortens long words."""


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes
    ----------
    name
        Letters, digits and hyphens; names its file, and its elements within a page.
    title
        What it shows.
    description
        What it says, for those who do not see it.
    height
        In units of which it has `width` from left to right.
    content
        Its elements.
    width
        Of the drawing.
    """

    name: str
    title: str
    description: str
    height: float
    content: Markup
    width: float = WIDTH

    def to_svg(self) -> Markup:
        """Write the element that stands in a page."""
        return self._element(Markup(""), 0)

    def to_file(self) -> str:
        """Write a file of its own, with its styles."""
        style = tag("style", Markup(style_sheet() + "svg { background: var(--sheet); }\n"))
        wide, high = self.width + 2 * _MARGIN, self.height + 2 * _MARGIN
        size = {"width": f"{wide:g}", "height": f"{high:g}"}
        namespace = "http://www.w3.org/2000/svg"
        element = self._element(style, _MARGIN, xmlns=namespace, **size)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{element}\n'

    def _element(self, style: Markup, margin: float, **attributes: str) -> Markup:
        names = f"{self.name}-title", f"{self.name}-desc"
        box = (-margin, -margin, self.width + 2 * margin, self.height + 2 * margin)
        return tag(
            "svg",
            tag("title", self.title, id=names[0]),
            tag("desc", self.description, id=names[1]),
            style,
            self.content,
            class_="drawing",
            viewBox=" ".join(f"{number:g}" for number in box),
            role="img",
            aria_labelledby=" ".join(names),
            **attributes,
        )


def style_sheet() -> str:
    """Give the style sheet of all drawings."""
    return (resources.files("bayespress.report") / "drawing.css").read_text("utf-8")


def words(x: float, y: float, content: object, **attributes: object) -> Markup:
    """Write a text at a place, by custom its base line's left end."""
    return tag("text", content, x=f"{x:.5g}", y=f"{y:.5g}", **attributes)


def heading(title: str, note: str = "") -> Markup:
    """Write a figure's title, and a remark below."""
    below = words(0, 32, note, class_="muted") if note else Markup("")
    return join([words(0, 14, title, class_="title"), below])


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return tag("line", class_=class_, **{key: f"{value:.5g}" for key, value in places.items()})


def rectangle(
    x: float, y: float, width: float, height: float, class_: str, *content: Markup, **more: object
) -> Markup:
    """Draw a rectangle; a ``title`` within is shown to a pointer that rests on it."""
    places = {"x": x, "y": y, "width": width, "height": height}
    written = {key: f"{value:.5g}" for key, value in places.items()}
    return tag("rect", *content, class_=class_, **written, **more)


_MARKS = (
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "M-3 -3h6v6h-6z",
    "M0 -4l4 7h-8z",
    "M0 -4.5l4 4.5l-4 4.5l-4 -4.5z",
    "M-4 -3h8l-4 7z",
)
STYLES, HUES = len(_MARKS), 6


def mark(x: float, y: float, style: int, class_: str = "mark") -> Markup:
    """Draw the mark of a series: circle, square, triangle, diamond, triangle upside down."""
    place = f"translate({x:.5g} {y:.5g})"
    return tag("path", d=_MARKS[style % STYLES], transform=place, class_=f"{class_} {hue(style)}")


def hue(style: int) -> str:
    """Name the class of a series' colour."""
    return f"hue{style % HUES}"


def dashes(style: int) -> str:
    """Name the class of a series' kind of line."""
    return f"dash{style % STYLES}"


def width_of(content: str) -> float:
    """Estimate the width of a text."""
    return _CHARACTER * len(content)


@dataclass(frozen=True)
class LegendItem:
    """A series and its sample."""

    label: str
    style: int


def legend(items: Sequence[LegendItem], top: float, width: float = WIDTH) -> tuple[Markup, float]:
    """Write samples of series and their names, in as many lines as it takes; give the height."""
    parts: list[Markup] = []
    x, y = 0.0, top + 12
    for item in items:
        wide = 38 + width_of(item.label)
        if x and x + wide > width:
            x, y = 0.0, y + LINE
        sample = line(x, y - 4, x + 26, y - 4, f"line {hue(item.style)} {dashes(item.style)}")
        parts += [sample, mark(x + 13, y - 4, item.style), words(x + 31, y, item.label)]
        x += wide + 10
    return join(parts), y + 6 - top


@dataclass(frozen=True)
class Axis:
    """A scale from numbers to places.

    Attributes
    ----------
    low, high
        The numbers at its ends.
    start, end
        The places of these.
    is_log
        Whether equal ratios are equal distances; `low` is positive then.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """Give a number's place."""
        low, high = self.low, self.high
        if self.is_log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Choose round numbers between its ends."""
        if self.is_log and self.high / self.low >= 10:
            found = _decades(self.low, self.high, (1, 2, 5))
            return found if len(found) <= most else _decades(self.low, self.high, (1,))
        return _steps(self.low, self.high, most)


def _decades(low: float, high: float, factors: Sequence[int]) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = (factor * 10.0**exponent for exponent in exponents for factor in factors)
    return [number for number in numbers if low * 0.999 <= number <= high * 1.001]


def _steps(low: float, high: float, most: int) -> list[float]:
    if high <= low:
        return [low]
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{number * step:.10g}") for number in range(first, last + 1)]
