"""What a training run looks like: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from bayespress.cli.result import say, times
from bayespress.history import EpochRecord, perplexity

_ROWS, _BAR = 16, 20


@dataclass(frozen=True)
class Column:
    """A column of the table of epochs.

    Attributes
    ----------
    name
        Its head.
    widest
        The widest cell of plain lines; with the remark on the best epoch they have 80 characters.
    cell
        Writes a record's figure.
    """

    name: str
    widest: str
    cell: Callable[[EpochRecord], str]


def _kept(count: tuple[int, int] | None) -> str:
    return "-" if count is None else f"{count[0]:,}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10_000 else f"{value:.2g}"


_CLASSIFIER = (
    Column("train", "100.00%", lambda r: _percent(r.train_accuracy)),
    Column("valid.", "100.00%", lambda r: _percent(r.validation_accuracy)),
)
_SEVERAL_LABELS = (
    Column("train F1", "train F1", lambda r: _fraction(r.train_micro_f1)),
    Column("val F1", "0.9999", lambda r: _fraction(r.validation_micro_f1)),
)
_QUALITY = {
    None: _CLASSIFIER,
    "labels": _SEVERAL_LABELS,
    "word": (
        Column("train", "9999.99", lambda r: _number(perplexity(r.nll))),
        Column("perplexity", "perplexity", lambda r: _number(r.validation_perplexity)),
    ),
    "char": (
        Column("train", "99.999", lambda r: f"{r.nll / math.log(2):.3f}"),
        Column("bits/char", "bits/char", lambda r: f"{r.validation_bits or 0:.3f}"),
    ),
}
_DIMS = Column("dims", "dims", lambda r: _kept(r.dims))


def columns_for(level: str | None) -> tuple[Column, ...]:
    """Choose the columns, see :class:`LiveDisplay`."""
    is_classifier = level in (None, "labels")
    words = Column(
        "words" if is_classifier else "inputs", "20,000", lambda record: _kept(record.words)
    )
    return (
        Column("epoch", "epoch", lambda record: str(record.epoch)),
        *_QUALITY[level],
        Column("KL weight", "KL weight", lambda record: f"{record.kl_weight:.2f}"),
        Column("compression", "compression", lambda record: times(record.compression_ratio)),
        words,
        *([_DIMS] if is_classifier else []),
        Column("neurons", "neurons", lambda record: _kept(record.neurons)),
        Column("gates", "gates", lambda record: _kept(record.gates)),
        Column("s", "999.9", lambda record: f"{record.seconds:.1f}"),
    )


def cells(record: EpochRecord, level: str | None = None) -> tuple[str, ...]:
    """Write a record's figures as a table row, in the order of the columns."""
    return tuple(column.cell(record) for column in columns_for(level))


def layer_lines(record: EpochRecord) -> str:
    """Write kept / all of every matrix and every group variable, layer by layer."""

    def counts(names: Sequence[str]) -> str:
        both = {**record.weights, **record.groups}
        return ", ".join(f"{name} {both[name][0]:,}/{both[name][1]:,}" for name in names)

    embedding = ""
    if "embedding" in record.weights:
        embedding = f"Embedding: {counts(['embedding', 'z_vocab'])}\n"
    return (
        f"{embedding}Cells: {counts(['weight_ih', 'weight_hh'])},\n"
        f"       {counts(['z_input', 'z_hidden', 'z_gates'])}\n"
        f"Linear: {counts(['output'])}"
    )


class LiveDisplay:
    """A listener that shows epochs as they come; use it as a context.

    Parameters
    ----------
    console
        Where to; if it is no terminal, each epoch is one plain line.
    total_epochs
        How many there will be at most.
    level
        Of a language model, ``word`` or ``char``; None for a classifier, or ``labels`` where texts
        have several labels.
    """

    def __init__(self, console: Console, total_epochs: int, level: str | None = None) -> None:
        self._console = console
        self._level = level
        self._columns = columns_for(level)
        self._total = total_epochs
        self._records: deque[EpochRecord] = deque(maxlen=_ROWS)
        self._best = 0
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            # Narrow, so that the ^C of a terminal does not wrap the line.
            BarColumn(bar_width=_BAR),
            MofNCompleteColumn(),
            TextColumn("steps, loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=None, epoch="", loss=float("nan"))
        self._live = Live(console=console, refresh_per_second=4, transient=False)
        self._is_live = console.is_terminal

    def __enter__(self) -> LiveDisplay:
        if self._is_live:
            self._live.start()
        else:
            self._print_plainly([column.name for column in self._columns])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_live:
            self._bar.update(self._task, visible=False)
            self._refresh()
            self._live.stop()

    def show_earlier(self, records: Sequence[EpochRecord]) -> None:
        """Show the epochs before a resumed run was stopped."""
        self._records.extend(records)
        best = max(records, key=lambda record: record.score, default=None)
        self._best = best.epoch if best else 0

    def on_note(self, text: str) -> None:
        """Print it above the table."""
        say(self._console, text)

    def on_epoch_begin(self, epoch: int, steps: int) -> None:
        """Set the progress bar back."""
        self._bar.reset(self._task, total=steps, epoch=f"{epoch}/{self._total}")
        self._refresh()

    def on_step(self, step: int, loss: float) -> None:
        """Move the progress bar."""
        self._bar.update(self._task, completed=step, loss=loss)
        if step % 8 == 0:
            self._refresh()

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:
        """Add a row."""
        self._records.append(record)
        self._best = record.epoch if is_best else self._best
        if self._is_live:
            self._refresh()
        else:
            self._print_plainly(self._cells(record), "best" if is_best else "")
            say(self._console, layer_lines(record))

    def _cells(self, record: EpochRecord) -> tuple[str, ...]:
        return cells(record, self._level)

    def _print_plainly(self, row: Sequence[str], remark: str = "") -> None:
        line = " ".join(
            cell.rjust(len(column.widest)) for cell, column in zip(row, self._columns, strict=True)
        )
        say(self._console, f"{line} {remark}".rstrip())

    def _refresh(self) -> None:
        if self._is_live:
            self._live.update(Group(self._table(), *self._captions(), self._bar))

    def _table(self) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
        for column in self._columns:
            table.add_column(column.name, justify="right")
        for record in self._records:
            style = "bold green" if record.epoch == self._best else ""
            table.add_row(*self._cells(record), style=style)
        return table

    def _captions(self) -> list[Text]:
        # Not the table's own caption, which is no wider than the table.
        if not self._records:
            return []
        best = f"best so far: epoch {self._best}" if self._best else ""
        return [Text(f"{layer_lines(self._records[-1])}\n{best}", style="table.caption")]
