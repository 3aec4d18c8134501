"""Processes that answer parts of files, one of them a processor.

They are spawned, which is safe beside threads and on every system, and end with the process that
started them, however that ends.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import ParamSpec, TypeVar

from bayespress import compact
from bayespress.bulk.columns import Answer, Columns
from bayespress.bulk.cutting import Part
from bayespress.bulk.parquet import ParquetFile
from bayespress.bulk.textfile import TextFile
from bayespress.compact import CompactClassifier
from bayespress.compiler import BuildError
from bayespress.errors import ArtifactError
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.runtime.predictor import Predictor
from bayespress.storage import StorageError, write_atomically, write_bytes

SourceFile = TextFile | ParquetFile
_P = ParamSpec("_P")
_R = TypeVar("_R")
# A process a processor: each has one thread, whose sums are the same however many there are.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Engine:
    """What answers texts.

    Attributes
    ----------
    model
        The bytes of a model's file.
    columns
        What answers consist of.
    is_compiled
        Whether the model runs as C.
    """

    model: bytes
    columns: Columns
    is_compiled: bool

    def answers(self, texts: Sequence[str]) -> list[Answer]:
        """Answer texts."""
        return self.columns.answers(_predictor(self.model, self.is_compiled).predict_proba(texts))


def can_compile(model: CompactClassifier) -> bool:
    """Compile a model, if there is a compiler; processes find the result in the cache."""
    try:
        NativePredictor(model)
    except BuildError:
        return False
    return True


@functools.cache
def _predictor(content: bytes, is_compiled: bool) -> Predictor:
    model = compact.loads(content)
    if not isinstance(model, CompactClassifier):
        raise ArtifactError("a language model names no classes")
    return NativePredictor(model) if is_compiled else TextPredictor(model)


class Pool:
    """Processes at work; use it as a context.

    Parameters
    ----------
    engine
        What answers texts in each of them.
    count
        How many there are.

    Raises
    ------
    StorageError
        If the system has no room for what they share.
    """

    def __init__(self, engine: Engine, count: int) -> None:
        try:
            self._executor = ProcessPoolExecutor(count, get_context("spawn"), _begin, (engine,))
        except OSError as error:  # of a lock, which Linux keeps as a small file in memory
            raise StorageError(
                "processes cannot be started, there is no room for their locks "
                f"(on Linux in /dev/shm): {error}; make some and run the same command again"
            ) from error

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, function: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs
    ) -> Future[_R]:
        """Have a process call a function of this module; it is started if all others work."""
        with _fit_to_start():
            return self._executor.submit(function, *arguments, **named)


@contextmanager
def _fit_to_start() -> Iterator[None]:
    """Whatever starts meanwhile has one thread and never hears Ctrl-C, which goes to all."""
    outside = dict(os.environ)
    os.environ.update(_ONE_THREAD)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for name in _ONE_THREAD:
            os.environ.pop(name)
        os.environ.update(outside)


_engine: Engine


def _begin(engine: Engine) -> None:
    global _engine  # noqa: PLW0603 - what a process has one of
    _engine = engine
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def answer(file: SourceFile, part: Part, target: Path) -> int:
    """Write the answers to a part; tell how many there are.

    Raises
    ------
    DataError
        If a record breaks a rule of its kind.
    StorageError
        If they cannot be written.
    """
    content, count = file.answer(part, _engine.answers)
    write_bytes(target, content)
    return count


def join(file: SourceFile, parts: Sequence[Path], target: Path) -> None:
    """Put the answers to all parts of a file together.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    write_atomically(target, lambda temporary: file.join(parts, temporary))
