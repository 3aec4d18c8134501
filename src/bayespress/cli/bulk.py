"""``bayespress predict --input``: what answering files looks like."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bayespress import bulk
from bayespress.cli.result import say
from bayespress.cli.stopping import resumable

_QUIET_SECONDS = 2.0
_SECONDS_A_LINE = 30.0
_BAR = 20


def predict_files(
    model: Path,
    inputs: Sequence[str],
    output: Path,
    *,
    text_column: str,
    prefix: str,
    probabilities: bool,
    workers: int | None,
    force: bool,
) -> None:
    """Answer the texts of files, and say what was done.

    Raises
    ------
    BayespressError
        Any of its kinds; no file of answers is half-written.
    Stopped
        If Ctrl-C or SIGTERM came.
    """
    job = bulk.Job.plan(
        model,
        inputs,
        output,
        text_column=text_column,
        prefix=prefix,
        probabilities=probabilities,
    )
    display = BulkDisplay(Console(stderr=True))
    with resumable("the same command"), display:
        summary = job.run(display, workers, force=force)
    say(Console(), _told(summary, output, display.seconds))


def _told(summary: bulk.Summary, output: Path, seconds: float) -> str:
    files = f"{summary.files:,} file{'' if summary.files == 1 else 's'}"
    before = f"; {summary.before:,} done before" if summary.before else ""
    if not summary.files:
        return f"nothing to do: all {summary.before:,} done before, in {output}"
    speed = f"{summary.rows:,} rows in {seconds:,.1f} s, {summary.rows / seconds:,.0f} rows/s"
    return f"{files} written to {output}: {speed}{before}"


class BulkDisplay:
    """A listener that shows progress to whoever waits for over two seconds; use it as a context.

    Parameters
    ----------
    console
        Where to: a bar on a terminal, elsewhere a line now and then.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._said = time.monotonic()
        self._rows = self._read = self._size = 0
        self._bar = Progress(
            BarColumn(bar_width=_BAR),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", said="")

    def __enter__(self) -> BulkDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Time since the beginning."""
        return time.monotonic() - self._began

    def on_note(self, text: str) -> None:
        """Print it."""
        say(self._console, text)

    def on_begin(self, size: int) -> None:
        """Remember what there is to do."""
        self._size = size
        self._bar.update(self._task, total=size)

    def on_part(self, rows: int, read: int) -> None:
        """Count, and show it if it is time."""
        self._rows += rows
        self._read += read
        if self._console.is_terminal:
            self._bar.update(self._task, advance=read, said=self._speed())
            if self.seconds > _QUIET_SECONDS:
                self._bar.start()
        elif self._is_time_for_a_line():
            self._said = time.monotonic()
            left = self.seconds * (self._size - self._read) / max(1, self._read)
            say(self._console, f"{self._speed()}, {_clock(left)} remaining")

    def _is_time_for_a_line(self) -> bool:
        is_first = self._said == self._began
        wanted = _QUIET_SECONDS if is_first else _SECONDS_A_LINE
        return time.monotonic() - self._said > wanted

    def _speed(self) -> str:
        return f"{self._rows:,} rows, {self._rows / max(self.seconds, 1e-9):,.0f} rows/s"


def _clock(seconds: float) -> str:
    """Write a time as hours, minutes and seconds.

    Examples
    --------
    >>> _clock(75), _clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
