"""All figures of a report by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bayespress import compact
from bayespress.report.bars import bytes_chart, word_charts
from bayespress.report.curves import compression_charts, quality_charts, structure_charts
from bayespress.report.gates import gate_charts
from bayespress.report.masks import mask_charts
from bayespress.report.run import ReportedRun
from bayespress.report.svg import Figure


def figures_of(runs: Sequence[ReportedRun]) -> Iterator[Figure]:
    """Draw every figure of the page that :func:`bayespress.report.page_of` writes."""
    yield from quality_charts(runs)
    yield from compression_charts(runs)
    yield from structure_charts(runs)
    for number, run in enumerate(runs, 1):
        yield from words_of(run, number)
        yield from gates_of(run, number)
        yield from mask_charts(f"run{number}", run.model, run.kept)
        yield from bytes_of(run, number)


def words_of(run: ReportedRun, number: int) -> list[Figure]:
    """Draw a run's kept words."""
    return [] if run.inspection is None else word_charts(f"run{number}-words", run.inspection)


def gates_of(run: ReportedRun, number: int) -> list[Figure]:
    """Draw a run's gates."""
    return [] if run.inspection is None else gate_charts(f"run{number}-gates", run.inspection)


def bytes_of(run: ReportedRun, number: int) -> list[Figure]:
    """Draw where the bytes of a run's file go."""
    if run.model is None:
        return []
    return [bytes_chart(f"run{number}-bytes", compact.byte_counts(run.model))]
