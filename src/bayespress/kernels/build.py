"""Compile the C sources once for a machine and keep the result in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from importlib import resources
from pathlib import Path

from bayespress.storage import cache_folder

SWITCH = "BAYESPRESS_KERNELS"
"""Environment variable: 0 trains without compiled kernels."""

_SOURCES = ("lstm.c", "linear.c", "rows.c", "adam.c", "output.c")
_HEADERS = ("vector.h", "gemm.h")
_FLAGS = ("-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
# Not all compilers know all of these: the first list that works is taken.
_TARGETS: tuple[tuple[str, ...], ...] = (
    ("-march=native", "-mprefer-vector-width=512"),
    ("-march=native",),
    ("-mcpu=native",),
    (),
)
_SECONDS = 120  # after which a compiler is given up


class BuildError(Exception):
    """The kernels cannot be built here; the text says why."""


def built() -> Path:
    """Build the shared library, unless the cache has it; return its path.

    Raises
    ------
    BuildError
        If there is no compiler, or it fails.
    """
    if os.environ.get(SWITCH) == "0":
        raise BuildError(f"switched off by {SWITCH}=0")
    compiler = _compiler()
    folder = _writable(cache_folder() / "kernels")
    target = folder / f"{_key(compiler)}.so"
    if not _is_whole(target):
        _compile(compiler, target)
    return target


def _is_whole(target: Path) -> bool:
    """Tell whether the cache holds what was built: a process dies that loads half a library."""
    try:
        return target.with_suffix(".sha256").read_text() == _digest(target)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _compiler() -> str:
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise BuildError("there is no C compiler: install gcc or clang")


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="bayespress-"))


def _key(compiler: str) -> str:
    """Digest of all that the result depends on: a home folder may serve several machines."""
    version = _run([compiler, "--version"])
    parts = [*_source_texts().values(), version, repr((_FLAGS, _TARGETS)), _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return " ".join([platform.machine(), platform.processor(), *sorted(set(told))])


def _source_texts() -> dict[str, str]:
    folder = resources.files("bayespress.kernels") / "source"
    return {name: (folder / name).read_text(encoding="utf-8") for name in _HEADERS + _SOURCES}


def _compile(compiler: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as name:
        folder = Path(name)
        for source, text in _source_texts().items():
            (folder / source).write_text(text, encoding="utf-8")
        inputs = [str(folder / source) for source in _SOURCES]
        result = folder / "kernels.so"
        for number, flags in enumerate(_TARGETS):
            try:
                _run([compiler, *_FLAGS, *flags, *inputs, "-o", str(result)])
                break
            except BuildError:
                if number == len(_TARGETS) - 1:
                    raise
        checksum = folder / "checksum"
        checksum.write_text(_digest(result))
        # Each whole or not at all, whoever else builds the same at the same time.
        result.replace(target)
        checksum.replace(target.with_suffix(".sha256"))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the compiler that the user's PATH or CC names
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"the C compiler {command[0]} does not run: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BuildError(f"the C compiler {command[0]} failed: {lines[0]}")
    return done.stdout
