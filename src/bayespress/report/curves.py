"""Which figures of histories are drawn, and how they are called."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bayespress.history import EpochRecord, perplexity
from bayespress.report.lines import Series, line_chart
from bayespress.report.run import ReportedRun
from bayespress.report.svg import Figure
from bayespress.report.wording import cut, fraction, number, percent, times

Show = Callable[[float], str]


@dataclass(frozen=True)
class Measure:
    """A figure of an epoch.

    Attributes
    ----------
    name
        Of the chart's file.
    title
        Of the chart.
    of
        Reads a record's figure; None where it has none.
    show
        Writes it.
    scale
        What the axis is in, compared with the record.
    """

    name: str
    title: str
    of: Callable[[EpochRecord], float | None]
    show: Show
    scale: float = 1.0


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _hundredths(value: float) -> str:
    return percent(value / 100)


def _bits(value: float) -> str:
    return f"{value:.3f}"


_ACCURACY = (
    Measure(
        "validation", "Validation accuracy, %", lambda r: r.validation_accuracy, _hundredths, 100
    ),
    Measure("train", "Training accuracy, %", lambda r: r.train_accuracy, _hundredths, 100),
)
_F1 = (
    Measure("validation", "Validation micro-F1", lambda r: r.validation_micro_f1, fraction),
    Measure("train", "Training micro-F1", lambda r: r.train_micro_f1, fraction),
)
_PERPLEXITY = (
    Measure("validation", "Validation perplexity", lambda r: r.validation_perplexity, number),
    Measure("train", "Training perplexity", lambda r: perplexity(r.nll), number),
)
_BITS = (
    Measure("validation", "Validation bits per character", lambda r: r.validation_bits, _bits),
    Measure("train", "Training bits per character", lambda r: r.nll / math.log(2), _bits),
)
_QUALITY = {
    "classify": (*_ACCURACY, "Accuracy, %"),
    "labels": (*_F1, "Micro-F1"),
    "word": (*_PERPLEXITY, "Perplexity"),
    "char": (*_BITS, "Bits per character"),
}
_RATIOS = (
    Measure("compression", "compression_ratio", lambda r: r.compression_ratio, times),
    Measure("stored", "stored_compression_ratio", lambda r: r.stored_compression_ratio, times),
    Measure("dense", "dense_ratio", lambda r: r.dense_ratio, times),
)


def _kept(name: str) -> Callable[[EpochRecord], float | None]:
    def of(record: EpochRecord) -> float | None:
        count = getattr(record, name)
        return None if count is None else float(count[0])

    return of


_STRUCTURES = tuple(
    Measure(name, f"Kept {title}", _kept(name), _whole)
    for name, title in (
        ("words", "words"),
        ("dims", "embedding dimensions"),
        ("neurons", "neurons"),
        ("gates", "gates"),
    )
)


def quality_charts(runs: Sequence[ReportedRun]) -> Iterator[Figure]:
    """Draw what each kind of run is measured by: one run's in one chart, several runs' in two."""
    for kind, (validation, train, title) in _QUALITY.items():
        alike = [run for run in runs if run.kind == kind and run.history]
        if len(alike) == 1:
            lines = [
                _line(alike[0], validation, "validation", 0),
                _line(alike[0], train, "training, with noise", 1),
            ]
            of = f" of {cut(alike[0].name, 24)}" if len(runs) > 1 else ""
            yield line_chart(f"{kind}-quality", f"{title}{of} by epoch", lines, validation.show)
        elif alike:
            for measure in (validation, train):
                yield _chart(f"{kind}-{measure.name}", measure, runs, alike)


def compression_charts(runs: Sequence[ReportedRun]) -> Iterator[Figure]:
    """Draw the ratios by epoch: one run's in one chart, several runs' each in its own."""
    known = [run for run in runs if run.history]
    if len(known) == 1:
        lines = [_line(known[0], ratio, ratio.title, k) for k, ratio in enumerate(_RATIOS)]
        yield line_chart("compression", "Compression by epoch", lines, times)
    elif known:
        for ratio in _RATIOS:
            yield _chart(f"{ratio.name}-ratio", ratio, runs, known)


def structure_charts(runs: Sequence[ReportedRun]) -> Iterator[Figure]:
    """Draw what was pruned when: words, dimensions, neurons, gates."""
    for measure in _STRUCTURES:
        known = [run for run in runs if any(measure.of(r) is not None for r in run.history)]
        if known:
            yield _chart(f"kept-{measure.name}", measure, runs, known)


def _chart(
    name: str, measure: Measure, runs: Sequence[ReportedRun], known: Sequence[ReportedRun]
) -> Figure:
    # A run has the same colour in every chart.
    lines = [_line(run, measure, run.name, runs.index(run)) for run in known]
    return line_chart(name, measure.title, lines, measure.show)


def _line(run: ReportedRun, measure: Measure, label: str, style: int) -> Series:
    values = ((record.epoch, measure.of(record)) for record in run.history)
    points = [(epoch, value * measure.scale) for epoch, value in values if value is not None]
    return Series(label, points, style, run.best_epoch)
