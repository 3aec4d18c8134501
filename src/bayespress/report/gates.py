"""The gates of every neuron: which are computed, and at what value the others stand."""

from __future__ import annotations

from collections.abc import Sequence

from bayespress.report import svg
from bayespress.report.markup import Markup, join, tag
from bayespress.report.svg import WIDTH, Figure
from bayespress.runtime.structure import CellStructure, Gates, Structure

_ROW, _CELL, _NAME, _BLOCKS = 20, 41, 30, 2
_TOP, _MOST_SHADE = 76, 0.42
NEURONS = 64
"""How many neurons a picture shows."""
_MEANINGS = {
    "lstm": {"i": "input", "f": "forget", "g": "candidate", "o": "output"},
    "gru": {"r": "reset", "z": "update", "n": "new"},
}


def gate_charts(name: str, structure: Structure) -> list[Figure]:
    """Draw the gates of all neurons, so many in a picture, each of a single cell."""
    return [
        chart
        for cell, gates in structure.gates_by_cell()
        for chart in cell_charts(name, cell, gates, structure.name_of(cell))
    ]


def cell_charts(
    name: str, cell: CellStructure, gates: Sequence[Gates], called: str
) -> list[Figure]:
    """Draw the gates of the neurons of a cell, so many in a picture.

    Parameters
    ----------
    name
        What the figures' names begin with.
    cell
        The cell.
    gates
        The gates of its neurons.
    called
        Which cell it is, nothing if it is the only one.
    """
    name += cell.suffix
    starts = range(0, len(gates), NEURONS)
    return [_chart(f"{name}-{start}" if start else name, gates, start, called) for start in starts]


def _chart(name: str, gates: Sequence[Gates], start: int, called: str) -> Figure:
    shown = gates[start : start + NEURONS]
    rows = -(-len(shown) // _BLOCKS) if len(shown) > 6 else len(shown)
    parts = [_head(start, len(shown), len(gates), called)]
    parts += _names(tuple(shown[0]), 2 if len(shown) > rows else 1)
    for k, neuron in enumerate(shown):
        block, row = divmod(k, rows)
        parts.append(_neuron(start + k, neuron, block * (WIDTH / _BLOCKS + 6), _TOP + _ROW * row))
    said = (f"neuron {start + k}: {_told(neuron)}" for k, neuron in enumerate(shown))
    title = "Gates of every neuron" if start == 0 else f"Gates of neurons from {start} on"
    title += f" of {called}" if called else ""
    return Figure(name, title, "; ".join(said), _TOP + _ROW * rows + 6, join(parts))


def _told(neuron: Gates) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in neuron.items())


def _shown(value: float | None) -> str:
    return "computed" if value is None else f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")


def _head(start: int, count: int, total: int, called: str) -> Markup:
    title = "Gates" if count == total else f"Gates of neurons {start} to {start + count - 1}"
    sample = [
        svg.rectangle(0, 24, _CELL - 3, _ROW - 3, "computed"),
        svg.words(19, 37, "~", class_="middle"),
        svg.words(_CELL + 4, 37, "computed", class_="muted"),
        svg.rectangle(120, 24, _CELL - 3, _ROW - 3, "shade", fill_opacity=f"{_MOST_SHADE}"),
        svg.words(139, 37, "1.00", class_="middle"),
        svg.words(164, 37, "constant at this value", class_="muted"),
    ]
    return join([svg.heading(f"{title}: {called}" if called else title), *sample])


def _names(names: Sequence[str], blocks: int) -> list[Markup]:
    return [
        svg.words(_place(block, k) + (_CELL - 3) / 2, _TOP - 8, gate, class_="middle title")
        for block in range(blocks)
        for k, gate in enumerate(names)
    ]


def _place(block: int, gate: int) -> float:
    return block * (WIDTH / _BLOCKS + 6) + _NAME + _CELL * gate


def _neuron(number: int, gates: Gates, x: float, y: float) -> Markup:
    parts = [svg.words(x + _NAME - 7, y + 13, number, class_="tick end")]
    for k, (gate, value) in enumerate(gates.items()):
        parts.append(_cell(x + _NAME + _CELL * k, y, value, f"neuron {number}, {gate}"))
    return join(parts)


def _cell(x: float, y: float, value: float | None, name: str) -> Markup:
    middle, wide, high = x + (_CELL - 3) / 2, _CELL - 3, _ROW - 3
    hint = tag("title", f"{name}: {_shown(value)}")
    if value is None:
        box = svg.rectangle(x, y, wide, high, "computed", hint)
        return join([box, svg.words(middle, y + 13, "~", class_="middle")])
    shade = f"{_MOST_SHADE * min(abs(value), 1):.3f}"
    box = svg.rectangle(x, y, wide, high, "shade", hint, fill_opacity=shade)
    frame = svg.rectangle(x, y, wide, high, "grid", fill="none")
    return join([box, frame, svg.words(middle, y + 13, _shown(value), class_="middle")])


def gate_table(cell: CellStructure, gates: Sequence[Gates], called: str) -> Markup:
    """Write for each kind of gate how many are computed, and where the constant ones stand.

    Parameters
    ----------
    cell, gates, called
        As in :func:`cell_charts`.
    """
    columns = ("gate", "computed", "constant", "constant at")
    head = tag("tr", *(tag("th", name, scope="col") for name in columns))
    rows = [
        _kind(name, meaning, [neuron[name] for neuron in gates])
        for name, meaning in _MEANINGS[cell.kind].items()
    ]
    caption = (tag("caption", called),) if called else ()
    parts = (*caption, tag("thead", head), tag("tbody", *rows))
    return tag("table", *parts, class_="figures-table")


def _kind(name: str, meaning: str, values: Sequence[float | None]) -> Markup:
    constant = sorted(value for value in values if value is not None)
    if not constant:
        where = "–"
    elif constant[-1] - constant[0] < 0.005:
        where = _shown(constant[0])
    else:
        where = f"{_shown(constant[0])} to {_shown(constant[-1])}"
    cells = (len(values) - len(constant), len(constant), where)
    head = tag("th", tag("b", name), f" {meaning}", scope="row")
    return tag("tr", head, *(tag("td", cell) for cell in cells))
