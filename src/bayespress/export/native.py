"""A classifier compiled on this machine: the same answers as from numpy, faster."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactClassifier
from bayespress.compact.model import FloatArray
from bayespress.compiler import Library, build_folder, load
from bayespress.export.c import library_files, token_bytes
from bayespress.runtime.predictor import Predictor

_NAME = "model"
_FLAGS = (
    *("-std=c99", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    # gcc would write out the 8 turns of a loop, with branches, before it thinks of vectors.
    "--param=max-completely-peel-times=4",
)
_SECONDS = 600  # for a compiler that reads a large model


class NativePredictor(Predictor):
    """A classifier as a library in C, which the user's cache keeps.

    Its methods are those of :class:`~bayespress.runtime.TextPredictor` and give the same up to
    rounding. Several threads may use it at once; it does not keep others from running.

    Parameters
    ----------
    model
        The model, as :func:`bayespress.compact.load` reads it.

    Raises
    ------
    BuildError
        If there is no C compiler, or it fails.
    """

    def __init__(self, model: CompactClassifier) -> None:
        self.model = model
        library = _library(model)
        self._token_bytes = token_bytes(model, fast=True)
        self._predict = _function(library, "predict", has_memory=self._token_bytes > 0)
        self._predict_ids = _function(library, "predict_ids", has_memory=self._token_bytes > 0)

    def predict_proba_of_ids(  # noqa: D102 - the base class says it
        self, ids: Sequence[NDArray[np.int32]]
    ) -> FloatArray:
        rows, first, step = self._rows(len(ids))
        memory = self._memory(max(map(len, ids), default=0))
        for number, text in enumerate(ids):
            # A copy costs less than to ask numpy for an array's address.
            content = text.astype(np.int32, copy=False).tobytes()
            if self._predict_ids(content, len(text), *memory, first + number * step):
                raise self._strange_id(ids)
        return rows

    def _probabilities(self, texts: Sequence[str]) -> FloatArray:
        rows, first, step = self._rows(len(texts))
        # In lowercase each character may be a word, and there is one before and after the text.
        longest = max(map(len, texts), default=0) + 2
        memory = self._memory(min(longest, self.model.encoder.max_length))
        for number, text in enumerate(texts):
            # Half a pair of surrogates is no part of a word, and neither is the mark for it.
            content = text.encode("utf-8", "replace")
            self._predict(content, len(content), *memory, first + number * step)
        return rows

    def _memory(self, tokens: int) -> list[ctypes.Array[ctypes.c_char]]:
        """Make room for so many tokens, if the network keeps any."""
        size = self._token_bytes * tokens
        return [ctypes.create_string_buffer(max(size, 1))] if self._token_bytes else []

    def _rows(self, count: int) -> tuple[FloatArray, int, int]:
        """Make room for so many answers; give its address and the bytes of each too."""
        rows = np.empty((count, len(self.labels)), np.float32)
        # In half the time of rows.ctypes, which counts for a single text; nothing has no address.
        first = ctypes.addressof(ctypes.c_char.from_buffer(rows.data)) if count else 0
        return rows, first, rows.strides[0]


def _library(model: CompactClassifier) -> ctypes.CDLL:
    """Compile the model, unless the cache has it."""
    library = Library(
        files=library_files(model, _NAME, fast=True),
        sources=[f"{_NAME}.c"],
        flags=_FLAGS,
        libraries=["-lm"],
        seconds=_SECONDS,
    )
    return load(library.built(build_folder("models")))


def _function(library: ctypes.CDLL, name: str, *, has_memory: bool) -> Callable[..., int]:
    """Give a function of what is read, its length, memory if needed, and where the answer goes."""
    function = getattr(library, f"{_NAME}_{name}")
    memory = [ctypes.c_void_p] if has_memory else []
    function.argtypes = (ctypes.c_char_p, ctypes.c_size_t, *memory, ctypes.c_void_p)
    function.restype = ctypes.c_int
    result: Callable[..., int] = function
    return result
