"""What a training run looks like: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bayespress.cli.result import say, times
from bayespress.history import EpochRecord

_ROWS, _BAR = 16, 20
_COLUMNS = (
    "epoch",
    "train",
    "valid.",
    "KL weight",
    "compression",
    "words",
    "dims",
    "neurons",
    "gates",
    "s",
)
_PLAIN_COLUMNS = ("epoch", "100.00%", "100.00%", *_COLUMNS[3:5], "20,000", *_COLUMNS[6:9], "999.9")
"""How wide the columns of plain lines are; with the remark on the best epoch, 80 characters."""


def cells(record: EpochRecord) -> tuple[str, ...]:
    """Write a record's figures as a table row, in the order of the columns."""
    return (
        str(record.epoch),
        f"{record.train_accuracy:.2%}",
        f"{record.validation_accuracy:.2%}",
        f"{record.kl_weight:.2f}",
        times(record.compression_ratio),
        *(f"{kept:,}" for kept, _ in (record.words, record.dims, record.neurons, record.gates)),
        f"{record.seconds:.1f}",
    )


def layer_lines(record: EpochRecord) -> str:
    """Write kept / all of every matrix and every group variable, layer by layer."""

    def counts(names: Sequence[str]) -> str:
        both = {**record.weights, **record.groups}
        return ", ".join(f"{name} {both[name][0]:,}/{both[name][1]:,}" for name in names)

    return (
        f"Embedding: {counts(['embedding', 'z_vocab'])}\n"
        f"LSTM: {counts(['weight_ih', 'weight_hh'])},\n"
        f"      {counts(['z_input', 'z_hidden', 'z_gates'])}\n"
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
    """

    def __init__(self, console: Console, total_epochs: int) -> None:
        self._console = console
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
            self._print_plainly(_COLUMNS)
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
            self._print_plainly((*cells(record), "best" if is_best else ""))
            say(self._console, layer_lines(record))

    def _print_plainly(self, row: Sequence[str]) -> None:
        *figures, remark = row if len(row) > len(_COLUMNS) else (*row, "")
        line = " ".join(
            cell.rjust(len(name)) for cell, name in zip(figures, _PLAIN_COLUMNS, strict=True)
        )
        say(self._console, f"{line} {remark}".rstrip())

    def _refresh(self) -> None:
        if self._is_live:
            self._live.update(Group(self._table(), self._bar))

    def _table(self) -> Table:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in _COLUMNS:
            table.add_column(name, justify="right")
        for record in self._records:
            style = "bold green" if record.epoch == self._best else ""
            table.add_row(*cells(record), style=style)
        if self._records:
            best = f"best so far: epoch {self._best}" if self._best else ""
            table.caption = f"{layer_lines(self._records[-1])}\n{best}"
            table.caption_justify = "left"
        return table
