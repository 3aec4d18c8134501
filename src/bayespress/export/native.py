"""A classifier compiled on this machine: the same answers as from numpy, faster."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import numpy as np

from bayespress.compact import CompactClassifier
from bayespress.compact.model import FloatArray
from bayespress.compiler import Library, build_folder
from bayespress.export.c import library_files
from bayespress.runtime.predictor import Predictor

_NAME = "model"
_FLAGS = ("-std=c99", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")
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
        self._predict = _function(model)

    def _probabilities(self, texts: Sequence[str]) -> FloatArray:
        rows = np.empty((len(texts), len(self.labels)), np.float32)
        first, step = rows.ctypes.data, rows.strides[0]
        for number, text in enumerate(texts):
            # Half a pair of surrogates is no part of a word, and neither is the mark for it.
            content = text.encode("utf-8", "replace")
            self._predict(content, len(content), first + number * step)
        return rows


def _function(model: CompactClassifier) -> Callable[[bytes, int, int], int]:
    """Compile the model, unless the cache has it."""
    library = Library(
        files=library_files(model, _NAME, fast=True),
        sources=[f"{_NAME}.c"],
        flags=_FLAGS,
        libraries=["-lm"],
        seconds=_SECONDS,
    )
    function = getattr(ctypes.CDLL(str(library.built(build_folder("models")))), f"{_NAME}_predict")
    function.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    function.restype = ctypes.c_int
    result: Callable[[bytes, int, int], int] = function
    return result
