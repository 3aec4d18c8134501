"""The page: all figures, tables and texts about runs in one file that asks nothing of a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources

import numpy as np

from bayespress.export.javascript import template
from bayespress.report import figures
from bayespress.report.bars import strongest
from bayespress.report.curves import compression_charts, quality_charts, structure_charts
from bayespress.report.gates import NEURONS, cell_charts, gate_table
from bayespress.report.headline import epochs_table, headline
from bayespress.report.markup import Markup, join, tag
from bayespress.report.masks import mask_charts
from bayespress.report.run import ReportedRun
from bayespress.report.svg import Figure, style_sheet
from bayespress.report.texts import texts_section
from bayespress.report.wording import counted, signed, times
from bayespress.runtime import Inspection, LanguageInspection
from bayespress.runtime.structure import visible

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_MOST_WORDS = 3000


def page_of(runs: Sequence[ReportedRun], title: str, texts: Sequence[str] = ()) -> str:
    """Write the page.

    Parameters
    ----------
    runs
        One or several.
    title
        Its heading.
    texts
        What classifiers explain and language models go on with; chosen if there are none.
    """
    body = tag("main", tag("h1", title), *_sections(runs, texts))
    return f"<!doctype html>\n{tag('html', _head(title), tag('body', body), lang='en')}\n"


def _head(title: str) -> Markup:
    own = (resources.files("bayespress.report") / "report.css").read_text("utf-8")
    style = template("page.css") + style_sheet() + own
    return tag(
        "head",
        Markup('<meta charset="utf-8">\n'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">\n'),
        Markup('<meta name="color-scheme" content="light dark">\n'),
        Markup('<link rel="icon" href="data:,">\n'),
        tag("title", title),
        tag("style", Markup(style)),
    )


def _sections(runs: Sequence[ReportedRun], texts: Sequence[str]) -> Iterator[Markup]:
    if len(runs) > 1:
        yield _contents(runs)
    yield headline(runs)
    yield from (_notes(run) for run in runs if run.notes)
    trained = [run for run in runs if run.history]
    if trained:
        yield tag("h2", "Quality and compression by epoch")
        yield tag("p", "The ring marks the epoch that is shipped.", class_="note")
        yield _grid([*quality_charts(runs), *compression_charts(runs)])
        yield tag("h2", "What was pruned when")
        yield _grid(structure_charts(runs))
        yield from map(epochs_table, trained)
    for number, run in enumerate(runs, 1):
        yield _run_section(run, number, texts)


def _contents(runs: Sequence[ReportedRun]) -> Markup:
    links = (tag("li", tag("a", tag("bdi", run.name), href=f"#run{number}"))
             for number, run in enumerate(runs, 1))  # fmt: skip
    return tag("nav", tag("ul", *links, class_="legend"), aria_label="Runs")


def _notes(run: ReportedRun) -> Markup:
    lines = (tag("li", tag("bdi", run.name), f": {note}") for note in run.notes)
    return tag("ul", *lines, class_="notes")


def _grid(drawn: Iterable[Figure]) -> Markup:
    return tag("div", *map(_figure, drawn), class_="grid")


def _figure(figure: Figure) -> Markup:
    return tag("figure", figure.to_svg())


def _run_section(run: ReportedRun, number: int, texts: Sequence[str]) -> Markup:
    parts = [tag("h2", tag("bdi", run.name), class_="run", id=f"run{number}")]
    if run.model is not None:
        parts += _model_parts(run, number)
    parts += [tag("h3", "Texts"), texts_section(run, texts)]
    parts += [tag("h3", "The same run again"), *_repeat(run)]
    return tag("section", *parts, aria_labelledby=f"run{number}")


def _model_parts(run: ReportedRun, number: int) -> Iterator[Markup]:
    inspection = run.inspection
    if inspection is None:
        return
    is_language = isinstance(inspection, LanguageInspection)
    yield tag("h3", "Tokens that are read" if is_language else "Kept words")
    yield _grid(figures.words_of(run, number))
    yield _all_words(inspection)
    yield from _gates(inspection, number)
    yield tag("h3", "Weights before and after")
    yield tag("p", _weights_note(run), class_="note")
    yield _grid(mask_charts(f"run{number}", run.model, run.kept))
    yield tag("h3", "Bytes")
    yield _grid(figures.bytes_of(run, number))


def _gates(inspection: Inspection | LanguageInspection, number: int) -> Iterator[Markup]:
    yield tag("h3", "Gates")
    yield tag("p", _gate_note(inspection), class_="note")
    for cell, gates in inspection.gates_by_cell():
        called = inspection.name_of(cell)
        drawn = cell_charts(f"run{number}-gates", cell, gates, called)
        table = tag("div", gate_table(cell, gates, called))
        yield tag("div", *map(_figure, drawn[:1]), table, class_="grid")
        if drawn[1:]:
            more = tag("summary", f"{counted(len(gates) - NEURONS, 'neuron')} more")
            yield tag("details", more, _grid(drawn[1:]))


_MEANING_OF_GATES = {
    "lstm": "A forget gate at 1 keeps the state, an input gate at 0 never lets anything in.",
    "gru": "An update gate z at 1 keeps the state, a reset gate r at 0 lets nothing of it into "
    "the new one.",
}


def _gate_note(inspection: Inspection | LanguageInspection) -> str:
    total = counted(sum(map(len, inspection.gates)), "gate")
    return (
        f"{inspection.live_gates:,} of {total} of {counted(inspection.neurons, 'neuron')} are "
        "computed; the others have no weights left and stand at the value of their bias. "
        f"{_MEANING_OF_GATES[inspection.cells[0].kind]}"
    )


_SHIPPED_ALONE = (
    "Shown are the matrices that are shipped; those of the network (best.safetensors) "
    "were not read."
)
_PICTURES = (
    "The file holds what can bear on an answer, in matrices without empty rows and columns. "
    "Pictures are not to scale where a matrix is large: a place shows that some of its weights "
    "are kept, a darker one that more are."
)
_SLICED = (
    "Rows, dimensions and neurons that were sliced away while training went on are drawn behind "
    "those that stayed; where they had stood is not recorded."
)
_SLICED_OF_LANGUAGE = (
    "Neurons that were sliced away while training went on are drawn behind those that stayed; "
    "where they had stood is not recorded. Tokens stand in their own places, frequent ones first."
)


def _weights_note(run: ReportedRun) -> str:
    if run.kept is None:
        return _SHIPPED_ALONE
    kept = sum(int(np.count_nonzero(mask)) for mask in run.kept.masks.values())
    total = sum(mask.size for mask in run.kept.masks.values())
    count = (
        f"The network of epoch {run.kept.epoch} keeps {kept:,} of {total:,} weights of its "
        f"matrices ({times(total / max(kept, 1))})."
    )
    sliced = _SLICED if "embedding" in run.kept.masks else _SLICED_OF_LANGUAGE
    return " ".join([count, _PICTURES, *([sliced] if run.kept.sliced else [])])


def _all_words(inspection: Inspection | LanguageInspection) -> Markup:
    columns, rows = _word_rows(inspection)
    head = tag("tr", *(tag("th", name, scope="col") for name in columns))
    body = (
        tag(
            "tr",
            tag("th", tag("bdi", visible(word)), scope="row"),
            *(tag("td", one) for one in rest),
        )
        for word, *rest in rows[:_MOST_WORDS]
    )
    table = tag("table", tag("thead", head), tag("tbody", join(body)), class_="figures-table")
    shown = f"The first {_MOST_WORDS:,} of" if len(rows) > _MOST_WORDS else "All"
    summary = tag("summary", f"{shown} {counted(len(rows), columns[0])}")
    return tag("details", summary, tag("div", table, class_="scroll"))


def _word_rows(
    inspection: Inspection | LanguageInspection,
) -> tuple[Sequence[str], Sequence[tuple[str, ...]]]:
    if isinstance(inspection, LanguageInspection):
        return ("token", "weight"), [(one.word, f"{one.weight:.3f}") for one in inspection.words]
    rows = [
        (one.word, signed(one.effect, 3), one.toward, f"{one.weight:.3f}")
        for one in strongest(inspection.words)
    ]
    return ("word", "effect", "on" if inspection.multi_label else "speaks for", "weight"), rows


def _repeat(run: ReportedRun) -> Iterator[Markup]:
    if run.command is not None:
        yield tag("pre", tag("code", run.command), tabindex="0")
    if run.config is None:
        yield tag("p", "The settings are not known.", class_="note")
        return
    versions = (run.result or {}).get("versions")
    named = versions.items() if isinstance(versions, Mapping) else ()
    told = ", ".join(f"{name} {version}" for name, version in named)
    yield tag("p", f"Seed {run.config.training.seed}. ", told and f"Versions: {told}.")
    yield tag(
        "details",
        tag("summary", "All settings (config.toml)"),
        tag("pre", _toml(run), tabindex="0"),
    )


def _toml(run: ReportedRun) -> str:
    """Write all settings; numbers, texts and truth values are written as in JSON."""
    tables = {} if run.config is None else run.config.tables()
    return "\n\n".join(f"[{name}]\n{_table(table)}" for name, table in tables.items())


def _table(table: Mapping[str, object]) -> str:
    said = ((key, value) for key, value in table.items() if value is not None)
    return "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said)
