"""Answer all texts of many files, whatever their size, and go on where a run was ended."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bayespress import runtime
from bayespress.bulk import cutting, workers
from bayespress.bulk.columns import Columns
from bayespress.bulk.inputs import Item, find
from bayespress.bulk.memory import Memory, Stamp
from bayespress.bulk.parquet import ParquetFile
from bayespress.bulk.textfile import TextFile
from bayespress.bulk.workers import Engine, Pool, SourceFile
from bayespress.errors import BayespressError, DataError

_AHEAD = 2
"""Parts for each process that are read before their turn: what memory holds at most."""

_UNPACKED = 8
"""Times that text which was compressed may be larger."""


class BulkListener(Protocol):
    """Is told of the progress."""

    def on_note(self, text: str) -> None:
        """Hear a fact that a user should know."""

    def on_begin(self, size: int) -> None:
        """Hear how many bytes are to be read."""

    def on_part(self, rows: int, read: int) -> None:
        """Hear that so many more rows have answers, and so many more bytes are dealt with."""


@dataclass(frozen=True)
class Summary:
    """What was done.

    Attributes
    ----------
    files
        Files that were written.
    before
        Files whose answers were there already.
    rows
        Texts that were answered.
    """

    files: int
    before: int
    rows: int


@dataclass(frozen=True)
class Job:
    """Files to read, and how: looked at, but nothing is written yet.

    Attributes
    ----------
    files
        What is read.
    engine
        What answers.
    memory
        What the output folder remembers.
    """

    files: tuple[SourceFile, ...]
    engine: Engine
    memory: Memory

    @classmethod
    def plan(
        cls,
        model: Path,
        inputs: Sequence[str],
        output: Path,
        *,
        text_column: str = "text",
        prefix: str = "",
        probabilities: bool = False,
    ) -> Job:
        """Find the files, and look at the columns of each.

        Parameters
        ----------
        model
            A classifier's file.
        inputs
            Files, folders and patterns.
        output
            Folder of the answers, a file for each that is read.
        text_column
            Column that holds the text.
        prefix
            Stands before the names of new columns.
        probabilities
            Whether to write the probability of each class too.

        Raises
        ------
        ArtifactError
            If the model cannot be used.
        DataError
            If there are no files, or the columns of one do not suit.
        StorageError
            If answers would replace an input, or one another.
        """
        ready = runtime.load_classifier(model)
        columns = Columns(text_column, ready.labels, prefix, probabilities, ready.model.multi_label)
        files = tuple(_open(item, columns) for item in find(inputs, output))
        content = model.read_bytes()
        settings = {
            "model": hashlib.sha256(content).hexdigest(),
            "text_column": text_column,
            "prefix": prefix,
            "probabilities": probabilities,
        }
        engine = Engine(content, columns, workers.can_compile(ready.model))
        return cls(files, engine, Memory(output, settings))

    def run(
        self, listener: BulkListener, processes: int | None = None, *, force: bool = False
    ) -> Summary:
        """Answer what has no answers yet.

        Parameters
        ----------
        listener
            Is told of the progress.
        processes
            How many work at the same time; as many as there are processors by default.
        force
            Make all answers anew, and replace what is in the way.

        Raises
        ------
        RunError
            If the output folder holds other answers.
        DataError
            If a record breaks a rule of its kind, or a file changes while it is read.
        StorageError
            If answers cannot be written; what was done is not lost.
        """
        with self.memory.locked():
            waiting = self._waiting(listener, force=force)
            size, rows = sum(file.item.source.stat().st_size for file in waiting), 0
            # No more than there are parts, of which a compressed file has some more.
            parts = len(waiting) + _UNPACKED * size // cutting.PART_BYTES
            count = min(processes or processors(), parts)
            listener.on_begin(size)
            if waiting:
                with Pool(self.engine, count) as pool:
                    rows = _Run(self, pool, listener, _AHEAD * count).answer(waiting)
            self.memory.tidy()
        return Summary(len(waiting), len(self.files) - len(waiting), rows)

    def _waiting(self, listener: BulkListener, *, force: bool) -> list[SourceFile]:
        """Find the files without answers, or with answers to what they were before."""
        memory = self.memory
        waiting = [file for file in self.files if force or not memory.is_done(file.item)]
        for file in waiting:
            if memory.has_answers(file.item):
                reason = "is made anew" if force else "is out of date: its input has changed"
                listener.on_note(f"{memory.output / file.item.name} {reason}")
        return waiting


def processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(item: Item, columns: Columns) -> SourceFile:
    kind = ParquetFile if item.kind == ".parquet" else TextFile
    return kind.open(item, columns)


@dataclass
class _Open:
    """A file that is being answered."""

    file: SourceFile
    stamp: Stamp
    parts: list[Path] = field(default_factory=list)
    unanswered: int = 0
    is_cut: bool = False

    @property
    def is_answered(self) -> bool:
        return self.is_cut and not self.unanswered


class _Run:
    """Hands parts to processes, in order, and puts together what comes back, in any order."""

    def __init__(self, job: Job, pool: Pool, listener: BulkListener, limit: int) -> None:
        self._memory, self._way = job.memory, f"{job.engine.is_compiled}"
        self._pool, self._listener, self._limit = pool, listener, limit
        self._working: dict[Future[Any], Callable[[Any], None]] = {}
        self._rows = 0

    def answer(self, files: Sequence[SourceFile]) -> int:
        """Answer all texts of these files; tell how many there are."""
        try:
            for file in files:
                self._cut(_Open(file, Stamp.of(file.item.source)))
            while self._working:
                self._settle()
        except BrokenProcessPool:
            raise BayespressError(
                "a process that answers texts was ended from outside, for instance because memory "
                "ran out: lower --workers and run the same command again"
            ) from None
        return self._rows

    def _cut(self, this: _Open) -> None:
        for number, part in enumerate(this.file.parts()):
            target = self._memory.part(
                this.file.item, number, f"{self._way} {this.file!r}", part.content
            )
            this.parts.append(target)
            if target.exists():
                self._listener.on_part(0, part.read)
                continue
            while len(self._working) >= self._limit:
                self._settle()
            this.unanswered += 1
            work = self._pool.submit(workers.answer, this.file, part, target)
            self._working[work] = partial(self._on_answered, this, part.read)
        this.is_cut = True
        self._join_if_answered(this)

    def _settle(self) -> None:
        done, _ = wait(self._working, return_when=FIRST_COMPLETED)
        for work in done:
            self._working.pop(work)(work.result())

    def _on_answered(self, this: _Open, read: int, rows: int) -> None:
        self._rows += rows
        this.unanswered -= 1
        self._listener.on_part(rows, read)
        self._join_if_answered(this)

    def _join_if_answered(self, this: _Open) -> None:
        if this.is_answered:
            whole = self._memory.whole(this.file.item)
            work = self._pool.submit(workers.join, this.file, this.parts, whole)
            self._working[work] = partial(self._on_joined, this)

    def _on_joined(self, this: _Open, _: None) -> None:
        item = this.file.item
        if Stamp.of(item.source) != this.stamp:
            raise DataError(f"{item.source} changed while it was read: run the same command again")
        self._memory.finish(item, this.stamp)
