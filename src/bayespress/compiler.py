"""Compile C sources for this machine once, and keep the library in the user's cache folder."""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bayespress.errors import BayespressError, MissingExtraError
from bayespress.storage import (
    CACHE_VARIABLE,
    StorageError,
    alone,
    cache_folder,
    clear_place,
    write_bytes,
)

# Not all compilers know all of these: the first list that works is taken.
_TARGETS: tuple[tuple[str, ...], ...] = (
    ("-march=native", "-mprefer-vector-width=512"),
    ("-march=native",),
    ("-mcpu=native",),
    (),
)
_LIBRARY = ("-fPIC", "-shared")
_BUILD = "build-"
_VERSION_SECONDS = 10


class BuildError(BayespressError):
    """A library cannot be built here; the text says why."""


class _DoesNotRunError(BuildError):
    """What is called a compiler is no program, or does not end."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """C sources that make one shared library.

    Attributes
    ----------
    files
        Text of each source and header by its name.
    sources
        Names of those that are given to the compiler.
    flags, libraries
        What it is told before and after the sources.
    seconds
        After which it is given up.
    """

    files: dict[str, str]
    sources: Sequence[str]
    flags: Sequence[str]
    libraries: Sequence[str] = ()
    seconds: float = 120

    def built(self, folder: Path) -> Path:
        """Build it, unless the folder has it; return its path.

        Raises
        ------
        BuildError
            If there is no compiler, or it fails.
        """
        compiler = _compiler()
        target = folder / f"{self._key(compiler)}.so"
        if not _is_whole(target):
            try:
                self._compile(compiler, target)
            except (OSError, StorageError) as error:
                reason = getattr(error, "strerror", None) or error
                raise BuildError(
                    f"compiled code cannot be kept in {folder}: {reason}; mend that, or set "
                    f"{CACHE_VARIABLE} to another folder"
                ) from error
        return target

    def _key(self, compiler: str) -> str:
        """Digest of all that the result depends on: a home folder may serve several machines."""
        version = _run([compiler, "--version"], min(self.seconds, _VERSION_SECONDS))
        options = repr((self.flags, _LIBRARY, self.libraries, _TARGETS))
        parts = [*self.files.values(), version, options, _processor()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def _compile(self, compiler: str, target: Path) -> None:
        with alone(target.parent / ".lock") as is_alone:
            if _is_whole(target):  # by now: another process has built it
                return
            if is_alone:
                _clear_abandoned(target.parent)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=_BUILD) as name:
                digest = self._compile_in(Path(name), compiler, target)
            # At the very end: killed before, it is built again, and what is left here cleared.
            checksum = target.with_suffix(".sha256")
            clear_place(checksum)
            write_bytes(checksum, digest.encode())

    def _compile_in(self, folder: Path, compiler: str, target: Path) -> str:
        for source, text in self.files.items():
            (folder / source).write_text(text, encoding="utf-8")
        result = folder / "library.so"
        self._call(compiler, folder, result)
        digest = _digest(result)
        clear_place(target)
        result.replace(target)
        return digest

    def _call(self, compiler: str, folder: Path, result: Path) -> None:
        inputs = [str(folder / source) for source in self.sources]
        for number, target in enumerate(_TARGETS):
            options = [*self.flags, *_LIBRARY, *target]
            command = [compiler, *options, *inputs, "-o", str(result), *self.libraries]
            try:
                _run(command, self.seconds, folder)
            except _DoesNotRunError:
                raise
            except BuildError:
                if number == len(_TARGETS) - 1:
                    raise
            else:
                break
        if not result.is_file():
            raise BuildError(f"the C compiler {compiler} made no library: set CC to another one")


def load(file: Path) -> ctypes.CDLL:
    """Load a library that was built.

    Raises
    ------
    BuildError
        If the system does not take what the compiler made.
    """
    try:
        return ctypes.CDLL(str(file))
    except OSError as error:
        raise BuildError(f"what the C compiler made cannot be loaded: {error}") from error


def build_folder(name: str) -> Path:
    """Give the folder of the cache where libraries of this name stand.

    One of this process's own, removed at its end, is made where the cache cannot be written to, or
    where the base install does not know where it is.

    Raises
    ------
    BuildError
        If that cannot be made either.
    """
    try:
        folder = cache_folder() / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, MissingExtraError, StorageError):
        try:
            own = Path(tempfile.mkdtemp(prefix="bayespress-"))
        except OSError as error:
            raise BuildError(
                f"there is no folder for compiled code ({error.strerror or error}): set "
                f"{CACHE_VARIABLE} to one that can be written to"
            ) from error
        atexit.register(shutil.rmtree, own, ignore_errors=True)
        return own


def _clear_abandoned(folder: Path) -> None:
    """Remove what was left where a process was killed that compiled here."""
    for left in folder.glob(f"{_BUILD}*"):
        shutil.rmtree(left, ignore_errors=True)


def _is_whole(target: Path) -> bool:
    """Tell whether the cache holds what was built: a process dies that loads half a library."""
    try:
        return target.with_suffix(".sha256").read_text() == _digest(target)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def compiler_version() -> str:
    """Name the C compiler and its version.

    Raises
    ------
    BuildError
        If there is none, or it does not run.
    """
    compiler = _compiler()
    lines = _run([compiler, "--version"], _VERSION_SECONDS).splitlines()
    return f"{compiler}, {lines[0] if lines else 'no version told'}"


def _compiler() -> str:
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise BuildError("there is no C compiler: install gcc or clang")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return " ".join([platform.machine(), platform.processor(), *sorted(set(told))])


def _run(command: Sequence[str], seconds: float, temporary: Path | None = None) -> str:
    """Run the compiler, whose own temporary files are among ours where we clear them."""
    environment = {**os.environ, **({"TMPDIR": str(temporary)} if temporary else {})}
    try:
        done = subprocess.run(  # noqa: S603 - the compiler that the user's PATH or CC names
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=seconds,
            check=False, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _DoesNotRunError(f"the C compiler {command[0]} does not run: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BuildError(f"the C compiler {command[0]} failed: {lines[0]}")
    return done.stdout
