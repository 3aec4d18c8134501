"""A model as one ONNX file, which answers rows of numbers: the text step stays outside."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayespress.compact import CompactModel, dumps
from bayespress.errors import MissingExtraError
from bayespress.export.onnx.metadata import metadata_of
from bayespress.storage import write_bytes


def write_onnx(model: CompactModel, path: Path) -> None:
    """Write a model for onnxruntime and whatever else reads ONNX.

    Its inputs and outputs, its metadata and how a text becomes ids are in ``docs/onnx.md``.

    Parameters
    ----------
    model
        A classifier or a language model.
    path
        The file to make or replace, by custom ``.onnx``.

    Raises
    ------
    ArtifactError
        If the model is inconsistent, see :func:`bayespress.compact.dumps`.
    MissingExtraError
        If onnx is not installed.
    StorageError
        If the file cannot be written.
    """
    write_bytes(path, onnx_of(model))


def onnx_of(model: CompactModel) -> bytes:
    """Give the bytes of the file that :func:`write_onnx` writes; equal models give equal ones.

    Raises
    ------
    ArtifactError
        If the model is inconsistent.
    MissingExtraError
        If onnx is not installed.
    """
    dumps(model)  # checks the model
    try:
        with _stops_wait():
            from bayespress.export.onnx.network import graph_of  # noqa: PLC0415 - onnx is an extra
    except ModuleNotFoundError:
        raise MissingExtraError("onnx", "writing ONNX") from None
    return graph_of(model).serialized(metadata_of(model))


@contextmanager
def _stops_wait() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait: what they raise while onnx loads its C++ is a crash there."""
    if threading.current_thread() is not threading.main_thread():  # which hears none
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    for waited in came:
        signal.raise_signal(waited)
