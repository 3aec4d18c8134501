"""Compile the C sources once for a machine and keep the result in the user's cache folder."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from bayespress.compiler import BuildError, Library, build_folder

__all__ = ["SWITCH", "BuildError", "built"]

SWITCH = "BAYESPRESS_KERNELS"
"""Environment variable: 0 trains without compiled kernels."""

_SOURCES = ("lstm.c", "gru.c", "linear.c", "rows.c", "adam.c", "output.c")
_HEADERS = ("vector.h", "gemm.h", "recurrent.h")
_FLAGS = ("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math")
_SECONDS = 120  # after which a compiler is given up


def built() -> Path:
    """Build the shared library, unless the cache has it; return its path.

    Raises
    ------
    BuildError
        If there is no compiler, or it fails.
    """
    if os.environ.get(SWITCH) == "0":
        raise BuildError(f"switched off by {SWITCH}=0")
    folder = resources.files("bayespress.kernels") / "source"
    files = {name: (folder / name).read_text(encoding="utf-8") for name in _HEADERS + _SOURCES}
    library = Library(files=files, sources=_SOURCES, flags=_FLAGS, seconds=_SECONDS)
    return library.built(build_folder("kernels"))
