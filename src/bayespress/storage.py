"""Files that are whole or absent: atomic writes, and one clear line when the disk is full."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bayespress.errors import BayespressError, MissingExtraError, RunError

CACHE_VARIABLE = "BAYESPRESS_CACHE"
"""Environment variable: the folder of downloads and of what would take long to make again."""


NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a disk is full."""


class StorageError(BayespressError):
    """A file cannot be written."""


def cache_folder() -> Path:
    """Tell the folder of what can be had again: ``BAYESPRESS_CACHE`` or the platform's own.

    Raises
    ------
    MissingExtraError
        If platformdirs, which knows the platform's own folder, is not installed.
    StorageError
        If it is below a home folder, and there is none.
    """
    name = os.environ.get(CACHE_VARIABLE)
    if name:
        return _at_home(Path(name))
    try:
        import platformdirs  # noqa: PLC0415 - training alone needs it
    except ModuleNotFoundError:
        raise MissingExtraError("platformdirs", "a cache folder") from None
    return _at_home(platformdirs.user_cache_path("bayespress"))


def _at_home(folder: Path) -> Path:
    try:
        return folder.expanduser()
    except RuntimeError:
        raise StorageError(
            f"the cache folder {folder} is below a home folder that is not known: set "
            f"{CACHE_VARIABLE} to a folder that can be written to"
        ) from None


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file so that `path` holds the old or the new content, never a part.

    Parameters
    ----------
    path
        The file to make or replace; its folder is made if it is absent.
    write
        Fills the temporary file that it is given, which stands beside `path`.

    Raises
    ------
    StorageError
        If the disk is full, or the folder cannot be written to. Nothing is left behind.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(_explain(path, error)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def locked(file: Path, user: str) -> Iterator[None]:
    """Keep other processes from the folder of this file; the lock of one that was killed is open.

    Parameters
    ----------
    file
        Stands for the lock; its folder is made if it is absent.
    user
        What another process is called that has the lock.

    Raises
    ------
    RunError
        If another process has it.
    StorageError
        If the folder cannot be written to.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("wb")
    except OSError as error:
        raise StorageError(_explain(file.parent, error)) from error
    with opened:
        try:
            _lock(opened.fileno())
        except BlockingIOError:
            raise RunError(
                f"{user} is at work there already: let it end, or choose another --output"
            ) from None
        yield


def _lock(handle: int) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ModuleNotFoundError:
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically, see :func:`write_atomically`."""
    write_atomically(path, lambda temporary: _write(temporary, content))


def put(made: Path, target: Path) -> None:
    """Move a whole file to its place on the same disk, and replace what stands there.

    Raises
    ------
    StorageError
        If the place cannot be written to; nothing has changed then.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
    except OSError as error:
        raise StorageError(_explain(target, error)) from error


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _explain(path: Path, error: OSError) -> str:
    if error.errno in NO_SPACE:
        return f"cannot write {path}: no space left; free some and run the same command again"
    return f"cannot write {path}: {error.strerror or error}; choose another place with --output"
