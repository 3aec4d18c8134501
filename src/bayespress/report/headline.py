"""The figures at the top, side by side for all runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayespress.history import perplexity
from bayespress.report.markup import Markup, join, tag
from bayespress.report.run import ReportedRun
from bayespress.report.wording import counted, duration, fraction, kept_of, number, percent, times


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    name
        What it is.
    meaning
        What that means.
    of
        Writes a run's figure; None where it has none.
    """

    name: str
    meaning: str
    of: Callable[[ReportedRun], str | None]


def headline(runs: Sequence[ReportedRun]) -> Markup:
    """Write the table: a column for each run, a row for each figure that any of them has."""
    head = tag("tr", tag("th", "figure", scope="col"), *(_name(run) for run in runs))
    rows = []
    for row in _ROWS:
        cells = [row.of(run) for run in runs]
        if any(cell is not None for cell in cells):
            rows.append(_row(row, cells))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="headline")
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Figures")


def _name(run: ReportedRun) -> Markup:
    return tag("th", tag("bdi", run.name), scope="col")


def _row(row: Row, cells: Sequence[str | None]) -> Markup:
    name = tag("th", row.name, tag("small", row.meaning), scope="row")
    return tag("tr", name, *(tag("td", "–" if cell is None else cell) for cell in cells))


def _facts(run: ReportedRun) -> Mapping[str, Any]:
    """Give counts and ratios: of the result, or the model's own, or the best epoch's."""
    if run.result is not None:
        return run.result
    if run.model is not None and run.model.info:
        return run.model.info
    return {} if run.best is None else vars(run.best)


def _count(name: str) -> Callable[[ReportedRun], str | None]:
    def of(run: ReportedRun) -> str | None:
        count = _facts(run).get(name)
        is_pair = isinstance(count, (list, tuple)) and [type(n) for n in count] == [int, int]
        return kept_of(count) if is_pair and count is not None else None

    return of


def _ratio(name: str) -> Callable[[ReportedRun], str | None]:
    def of(run: ReportedRun) -> str | None:
        value = _facts(run).get(name)
        return times(value) if isinstance(value, (int, float)) else None

    return of


def _size_ratio(run: ReportedRun) -> str | None:
    dense = _facts(run).get("dense_bytes")
    if not run.file_bytes or not isinstance(dense, int):
        return None
    return times(dense / run.file_bytes)


def _test(key: str, show: Callable[[float], str], kind: str) -> Callable[[ReportedRun], str | None]:
    def of(run: ReportedRun) -> str | None:
        value = (run.result or {}).get(key)
        return show(value) if run.kind == kind and isinstance(value, (int, float)) else None

    return of


def _validation(run: ReportedRun) -> str | None:
    record = run.best
    if record is None:
        return None
    if record.validation_accuracy is not None:
        return percent(record.validation_accuracy)
    if record.validation_micro_f1 is not None:
        return f"micro-F1 {fraction(record.validation_micro_f1)}"
    if record.validation_bits is None or record.validation_perplexity is None:
        return None
    if run.kind == "char":
        return f"{record.validation_bits:.4f} bits/char"
    return f"perplexity {number(record.validation_perplexity)}"


def _tested_on(run: ReportedRun) -> str | None:
    result = run.result or {}
    for key, thing in (("test_texts", "text"), ("test_tokens", "token")):
        if isinstance(result.get(key), int):
            return counted(result[key], thing)
    return None


def _epochs(run: ReportedRun) -> str | None:
    return kept_of((run.best_epoch or 0, len(run.history))) if run.history else None


def _seconds(run: ReportedRun) -> str | None:
    return duration(math.fsum(record.seconds for record in run.history)) if run.history else None


def _code(run: ReportedRun) -> str | None:
    code = (
        run.config.model.code if run.config else (run.model.info if run.model else {}).get("code")
    )
    return code if isinstance(code, str) else None


def _bytes(run: ReportedRun) -> str | None:
    return None if run.file_bytes is None else counted(run.file_bytes, "byte")


def _perplexity(nll: float) -> str:
    return number(perplexity(nll))


def _bits(nll: float) -> str:
    return f"{nll / math.log(2):.4f}"


_FILE = "of the shipped file"
_ROWS = (
    Row("letter code", "which parts have a prior that prunes", _code),
    Row("test accuracy", _FILE, _test("test_accuracy_file", percent, "classify")),
    Row("test micro-F1", _FILE, _test("test_micro_f1_file", fraction, "labels")),
    Row("test macro-F1", "mean of the labels", _test("test_macro_f1_file", fraction, "labels")),
    Row(
        "exact match",
        "test texts whose labels are all right",
        _test("test_exact_match_file", percent, "labels"),
    ),
    Row("test perplexity", _FILE, _test("test_nll_file", _perplexity, "word")),
    Row("test bits per character", _FILE, _test("test_nll_file", _bits, "char")),
    Row("tested on", "looked at once, at the end", _tested_on),
    Row("validation", "of the pruned network, in the shipped epoch", _validation),
    Row(
        "compression_ratio",
        "all / kept matrix weights, the papers’ count",
        _ratio("compression_ratio"),
    ),
    Row(
        "dense_ratio",
        "parameters before / after removing whole rows and columns",
        _ratio("dense_ratio"),
    ),
    Row("size_ratio", "bytes of the dense model and its words / bytes of the file", _size_ratio),
    Row("shipped file", "model.bpr, all included", _bytes),
    Row("words", "that are read", _count("words")),
    Row("dims", "embedding dimensions", _count("dims")),
    Row("neurons", "of the recurrent layers", _count("neurons")),
    Row("gates", "that are computed", _count("gates")),
    Row("epoch", "that is shipped, of all", _epochs),
    Row("time", "training and validation", _seconds),
)


def epochs_table(run: ReportedRun) -> Markup:
    """Write all epochs of a run, foldable."""
    columns = _COLUMNS[run.kind] + _SHARED_COLUMNS
    head = tag("tr", *(tag("th", name, scope="col") for name, _ in columns))
    rows = (
        tag(
            "tr",
            tag("th", record.epoch, scope="row"),
            *(tag("td", of(record)) for _, of in columns[1:]),
        )
        for record in run.history
    )
    table = tag("table", tag("thead", head), tag("tbody", join(rows)), class_="epochs")
    return tag(
        "details",
        tag("summary", f"All {counted(len(run.history), 'epoch')} of ", tag("bdi", run.name)),
        tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Epochs"),
    )


def _or_none(value: float | None, show: Callable[[float], str]) -> str:
    return "–" if value is None else show(value)


_Column = tuple[str, Callable[[Any], object]]
_EPOCH: _Column = ("epoch", lambda r: r.epoch)
_COLUMNS: Mapping[str, tuple[_Column, ...]] = {
    "classify": (
        _EPOCH,
        ("training", lambda r: _or_none(r.train_accuracy, percent)),
        ("validation", lambda r: _or_none(r.validation_accuracy, percent)),
    ),
    "labels": (
        _EPOCH,
        ("training micro-F1", lambda r: _or_none(r.train_micro_f1, fraction)),
        ("validation", lambda r: _or_none(r.validation_micro_f1, fraction)),
    ),
    "word": (
        _EPOCH,
        ("training perplexity", lambda r: _perplexity(r.nll)),
        ("validation", lambda r: _or_none(r.validation_perplexity, number)),
    ),
    "char": (
        _EPOCH,
        ("training bits", lambda r: _bits(r.nll)),
        ("validation", lambda r: _or_none(r.validation_bits, lambda bits: f"{bits:.4f}")),
    ),
}
_SHARED_COLUMNS: tuple[_Column, ...] = (
    ("KL weight", lambda r: f"{r.kl_weight:.2f}"),
    ("compression_ratio", lambda r: times(r.compression_ratio)),
    ("dense_ratio", lambda r: times(r.dense_ratio)),
    ("words", lambda r: f"{r.words[0]:,}"),
    ("dims", lambda r: "–" if r.dims is None else f"{r.dims[0]:,}"),
    ("neurons", lambda r: f"{r.neurons[0]:,}"),
    ("gates", lambda r: f"{r.gates[0]:,}"),
    ("seconds", lambda r: f"{r.seconds:.1f}"),
)
