"""Histories as TensorBoard's event files; needs the extra ``tensorboard``, but no torch."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bayespress.errors import MissingExtraError
from bayespress.history import EpochRecord
from bayespress.storage import StorageError

_PREFIX = "events.out.tfevents."
_KIND = ".bayespress"
_COUNTS = ("words", "dims", "neurons", "gates")
_PLAIN = ("loss", "nll", "kl", "kl_weight", "learning_rate", "score", "seconds")
_QUALITY = (
    *("train_accuracy", "validation_accuracy", "train_micro_f1", "validation_micro_f1"),
    *("validation_nll", "validation_perplexity"),
)
_RATIOS = ("compression_ratio", "stored_compression_ratio", "dense_ratio")


def scalars_of(record: EpochRecord) -> Iterator[tuple[str, float]]:
    """Give a record's numbers by their tags; what it lacks and what is not finite is left out."""
    for group, names in (("training", _PLAIN), ("quality", _QUALITY), ("ratios", _RATIOS)):
        for name in names:
            value = getattr(record, name)
            if value is not None and math.isfinite(value):
                yield f"{group}/{name}", float(value)
    counts = {name: getattr(record, name) for name in _COUNTS} | record.weights
    for name, count in counts.items():
        if count is not None:
            yield f"kept/{name}", float(count[0])


class EventWriter:
    """Writes one event file of a history, epoch by epoch; a listener of training.

    The file holds the whole history: with the first record that it writes, what an earlier writer
    left in the folder goes, so that no epoch is there twice however often a run was resumed.

    Parameters
    ----------
    folder
        Where the file goes; made with the first record.
    ended
        When the earlier records were made, in seconds since 1970; now if None.

    Raises
    ------
    MissingExtraError
        If tensorboard is not installed.
    """

    def __init__(self, folder: Path, ended: float | None = None) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: PLC0415
            from tensorboard.summary.writer.record_writer import RecordWriter  # noqa: PLC0415
        except ModuleNotFoundError:
            raise MissingExtraError("tensorboard", "writing TensorBoard's event files") from None
        self._events, self._summaries, self._records = event_pb2, summary_pb2, RecordWriter
        self._folder = folder
        self._file: Path | None = None
        self._ended = time.time() if ended is None else ended

    def write_earlier(self, records: Sequence[EpochRecord]) -> None:
        """Write the records that are there already, with the times that their lengths tell.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        moment = self._ended - math.fsum(record.seconds for record in records)
        for record in records:
            moment += record.seconds
            self._write(record, moment)

    def _write(self, record: EpochRecord, moment: float) -> None:
        values = [
            self._summaries.Summary.Value(tag=tag, simple_value=value)
            for tag, value in scalars_of(record)
        ]
        summary = self._summaries.Summary(value=values)
        self._append([self._events.Event(wall_time=moment, step=record.epoch, summary=summary)])

    def on_note(self, text: str) -> None:
        """Ignore it."""

    def on_epoch_begin(self, epoch: int, steps: int) -> None:
        """Ignore it."""

    def on_step(self, step: int, loss: float) -> None:
        """Ignore it."""

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:  # noqa: ARG002
        """Write the epoch."""
        self._write(record, time.time())

    def _append(self, events: Iterable[Any]) -> None:
        try:
            if self._file is None:
                self._file = self._new_file()
                events = [*self._begin(), *events]
            with self._file.open("ab") as file:
                writer = self._records(file)
                for event in events:
                    writer.write(event.SerializeToString())
        except OSError as error:
            raise StorageError(
                f"cannot write {self._folder}: {error.strerror or error}; free some space, or go "
                "on without --tensorboard"
            ) from error

    def _new_file(self) -> Path:
        """Make room for a file; its name is new, so that a TensorBoard that is looking finds it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob(f"{_PREFIX}*{_KIND}"):
            old.unlink()
        return self._folder / f"{_PREFIX}{time.time_ns()}{_KIND}"

    def _begin(self) -> Iterator[Any]:
        yield self._events.Event(wall_time=self._ended, file_version="brain.Event:2")
        # A TensorBoard that is looking forgets what it has seen from the first epoch on.
        begin = self._events.SessionLog(status=self._events.SessionLog.START)
        yield self._events.Event(wall_time=self._ended, step=1, session_log=begin)


def convert(history: Sequence[EpochRecord], file: Path, folder: Path) -> None:
    """Write the event file of a finished history.

    Parameters
    ----------
    history
        The records.
    file
        Where they were read: its age tells when they were made.
    folder
        Where the event file goes; one that was there is replaced.

    Raises
    ------
    MissingExtraError
        If tensorboard is not installed.
    StorageError
        If it cannot be written.
    """
    writer = EventWriter(folder, file.stat().st_mtime if file.exists() else None)
    writer.write_earlier(history)
