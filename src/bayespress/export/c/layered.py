"""A network of several cells in C, or of one that is a GRU or is pooled.

Where all cells read forwards, a row goes up through all layers before the next one is read, and
what is remembered does not grow with the text. A cell that reads backwards begins at the text's
end, and so does not give the layer above anything before: then rows, and the states of all layers
but the last, stand in memory of the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bayespress.compact import CompactCell, CompactClassifier
from bayespress.compact.layout import suffix
from bayespress.export.c.cell import activations, step
from bayespress.export.c.inputs import vector_input, word_inputs
from bayespress.export.c.literals import constants, template
from bayespress.export.c.network import Network

_PARTS = ("even", "odd")
"""Members of a token: a layer reads the one and writes the other."""


def needs_tokens(model: CompactClassifier) -> bool:
    """Whether a text must be whole before it is read: there are cells that read backwards."""
    return any(len(layer) > 1 for layer in model.layers)


def token_members(model: CompactClassifier) -> dict[str, int]:
    """Give the lengths of the arrays that a token has besides its row.

    The states of the layers 0, 2, 4 … stand in one, those of 1, 3 … in the other; those of the last
    layer are not kept.
    """
    sizes = [max(1, sum(cell.hidden_size for cell in layer)) for layer in model.layers[:-1]]
    return {part: max(sizes[k::2]) for k, part in enumerate(_PARTS) if sizes[k::2]}


def token_bytes(model: CompactClassifier) -> int:
    """Tell the bytes of a token in memory of the caller's."""
    return 4 * (1 + sum(token_members(model).values()))


def layered(model: CompactClassifier, name: str, *, fast: bool) -> Network:
    """Define the network of a model of that name; it may be larger where it should be `fast`."""
    is_whole = needs_tokens(model)
    reading = _whole(model, name) if is_whole else _row_by_row(model)
    return Network(
        source=_cells(model, fast=fast) + _pool(model) + reading,
        begin=f"struct state state = {_start(model)};",
        parameters="struct state *state",
        inner="state",
        outer="&state",
        remembered="struct state *state",
        result="&state",
        features="pooled(state)",
    )


@dataclass(frozen=True)
class _Place:
    """A cell, and where it stands: its layer, whether it reads backwards, and its first column."""

    cell: CompactCell
    layer: int
    direction: int
    first: int

    @property
    def end(self) -> str:
        return suffix(self.layer, self.direction)

    @property
    def variables(self) -> dict[str, str]:
        """Names of the arrays that it remembers, and their sizes."""
        names = ("hidden", "cell") if self.cell.name == "lstm" else ("hidden",)
        return {name: f"MEMORY{self.end.upper()}" for name in names}

    @property
    def neurons(self) -> str:
        return f"NEURONS{self.end.upper()}"


def _places(model: CompactClassifier) -> Iterator[_Place]:
    for number, layer in enumerate(model.layers):
        first = 0
        for direction, cell in enumerate(layer):
            yield _Place(cell, number, direction, first)
            first += cell.hidden_size


def _cells(model: CompactClassifier, *, fast: bool) -> str:
    """Define each cell's step."""
    places = list(_places(model))
    ends = [place.end for place in places if place.layer == 0]
    shared, inputs = word_inputs(model.embedding, model.layers[0], ends, fast=fast)
    inputs += [vector_input(place.cell, place.end, fast=fast) for place in places[len(inputs) :]]
    steps = (
        step(
            place.cell,
            definition,
            name=f"step{place.end}",
            end=place.end,
            type_of_row="const float *" if place.layer else "int ",
            fast=fast,
        )
        for place, definition in zip(places, inputs, strict=True)
    )
    return "".join([activations([place.cell for place in places]), shared, *steps])


def _pool(model: CompactClassifier) -> str:
    features = constants(FEATURES=max(1, model.output_weight.shape[1]))
    return features + (template(f"pool_{model.pooling}.c") if model.pooling != "last" else "")


def _row_by_row(model: CompactClassifier) -> str:
    """Define ``read_row()`` and ``pooled()`` where all cells read forwards."""
    places = list(_places(model))
    members = [_variables(place, place.end) for place in places]
    steps, below = [], "row"
    for place in places:
        state = [f"state->{name}{place.end}" for name in place.variables]
        steps.append(f"step{place.end}({', '.join([below, *state])});")
        below = state[0]
    if model.pooling != "last":
        members += ["float pooled[FEATURES];", *_sums(model), "size_t count;"]
        steps.append(_pooling(model, below, places[-1], "state->count == 0"))
        steps.append("state->count++;")
    return template(
        "row_by_row.c",
        members=_lines(members),
        steps=_lines(steps),
        finish=_lines(_finish(model)),
        pooled="pooled" if model.pooling != "last" else f"hidden{places[-1].end}",
    )


def _whole(model: CompactClassifier, name: str) -> str:
    """Define ``read_row()`` and ``pooled()`` where a text is read whole."""
    places = list(_places(model))
    runs = "".join(_run(model, place) for place in places)
    calls = [f"run{place.end}(state);" for place in places]
    finish = _lines([*calls, *_finish(model)])
    members = _lines(_sums(model))
    return template("whole.c", name=name, members=members, runs=runs, finish=finish)


def _run(model: CompactClassifier, place: _Place) -> str:
    """Define how a cell reads a whole text."""
    last = "state->count - 1" if place.direction else "0"
    each, after = [], []
    below = f"state->tokens[t].{_PARTS[(place.layer - 1) % 2] if place.layer else 'row'}"
    each.append(f"step{place.end}({', '.join([below, *place.variables])});")
    is_last = place.layer == len(model.layers) - 1
    if not is_last:
        each.append(_copy(f"state->tokens[t].{_PARTS[place.layer % 2]}", place))
    elif model.pooling == "last":
        after.append(_copy("state->pooled", place))
    else:
        each.append(_pooling(model, "hidden", place, f"t == {last}"))
    return template(
        "run.c",
        end=place.end,
        way="backwards" if place.direction else "forwards",
        variables=_variables(place, "", " = {0}"),
        loop="t = state->count; t-- > 0;" if place.direction else "t = 0; t < state->count; t++",
        each=_lines(each, 8),
        after=_lines(after),
    )


def _variables(place: _Place, end: str, value: str = "") -> str:
    arrays = (f"{name}{end}[{size}]{value}" for name, size in place.variables.items())
    return f"float {', '.join(arrays)};"


def _copy(to: str, place: _Place) -> str:
    return f"memcpy({_moved(to, place)}, hidden, {place.neurons} * sizeof *hidden);"


def _pooling(model: CompactClassifier, state: str, place: _Place, is_first: str) -> str:
    array, more = ("pooled", f", {is_first}") if model.pooling == "max" else ("sums", "")
    return f"pool({state}, {place.neurons}, {_moved(f'state->{array}', place)}{more});"


def _moved(array: str, place: _Place) -> str:
    """Give the place of a cell's first column."""
    return f"{array} + {place.first}" if place.first else array


def _finish(model: CompactClassifier) -> Sequence[str]:
    is_mean = model.pooling == "mean"
    return ["average(state->sums, state->count, state->pooled);"] if is_mean else []


def _sums(model: CompactClassifier) -> Sequence[str]:
    return ["double sums[FEATURES];"] if model.pooling == "mean" else []


def _start(model: CompactClassifier) -> str:
    """Give the value of a state before the first row."""
    if not needs_tokens(model):
        return "{0}"
    return "{memory, 0, {0}, {0}}" if _sums(model) else "{memory, 0, {0}}"


def _lines(statements: Sequence[str], indent: int = 4) -> str:
    return "".join(f"{' ' * indent}{statement}\n" for statement in statements)
