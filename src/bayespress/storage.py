"""Files that are whole or absent: atomic writes, and one clear line when the disk is full."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from bayespress.errors import BayespressError, MissingExtraError, RunError

CACHE_VARIABLE = "BAYESPRESS_CACHE"
"""Environment variable: the folder of downloads and of what would take long to make again."""


NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a disk is full."""

_UNFINISHED = ".part"


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
        Fills the temporary file that it is given, which stands beside `path`. Those that killed
        processes left are removed.

    Raises
    ------
    StorageError
        If the disk is full, or the folder cannot be written to. Nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear_abandoned(path)
        with _beside(path) as temporary:
            write(temporary)
            _flush_to_disk(temporary)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    except OSError as error:
        raise StorageError(_explain(path, error)) from error


def is_unfinished(path: Path) -> bool:
    """Tell whether this is a file in the making, or what a killed process left of one."""
    return path.name.startswith(".") and path.name.endswith(_UNFINISHED)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Make a file beside this one for the time of a block; its lock says that it is at work."""
    handle, temporary = _make_beside(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def _make_beside(path: Path) -> tuple[int | None, Path]:
    while True:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent
        )
        if not _lock(handle, waits=True):
            os.close(handle)
            return None, Path(name)
        if Path(name).exists():
            return handle, Path(name)
        os.close(handle)  # another process took it for abandoned before it was locked


def _clear_abandoned(path: Path) -> None:
    """Remove what killed processes left of this file: nobody holds a lock on it any more."""
    with suppress(OSError):
        for other in path.parent.iterdir():
            if other.name.startswith(f".{path.name}.") and is_unfinished(other):
                with suppress(OSError), other.open("r+b") as file:
                    if _lock(file.fileno()):
                        other.unlink()


@contextmanager
def locked(file: Path, user: str) -> Iterator[None]:
    """Keep other processes from the folder of this file; the lock of one that was killed is open.

    At the end the file is removed, and with it the folder if it is empty and was not there before.

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
    absent = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened, _ = _open_locked(file)
    except BlockingIOError:
        raise RunError(
            f"{user} is at work there already: let it end, or choose another --output"
        ) from None
    except OSError as error:
        raise StorageError(_explain(file.parent, error)) from error
    try:
        yield
    finally:
        _unlock(file, opened)
        with suppress(OSError):  # where something came to be
            for folder in absent:
                folder.rmdir()


@contextmanager
def alone(file: Path) -> Iterator[bool]:
    """Wait until no other process is in a block of this file; its folder has to be there.

    The file stays: who finds all done that the block does never comes by to remove it.

    Parameters
    ----------
    file
        Stands for the lock.

    Yields
    ------
    bool
        Whether that is sure: not every system, and not every file system, has locks.
    """
    opened, is_alone = _open_locked(file, waits=True)
    with opened:
        yield is_alone


def _open_locked(file: Path, *, waits: bool = False) -> tuple[IO[bytes], bool]:
    while True:
        opened = file.open("wb")
        try:
            is_locked = _lock(opened.fileno(), waits=waits)
            with suppress(FileNotFoundError):
                if not is_locked or os.path.samestat(os.fstat(opened.fileno()), file.stat()):
                    return opened, is_locked
        except BaseException:
            opened.close()
            raise
        opened.close()  # it was the file of a process that has just removed it


def _unlock(file: Path, opened: IO[bytes]) -> None:
    """Remove the lock's file while nobody else can have it, then open the lock."""
    with opened, suppress(OSError):
        file.unlink()


def _lock(handle: int, *, waits: bool = False) -> bool:
    """Lock an open file; tell whether that can be done here.

    Raises
    ------
    BlockingIOError
        If another process has the lock, and this one does not wait.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ModuleNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return False
    return True


def read_text(path: Path, remedy: str) -> str:
    """Read a file of text.

    Parameters
    ----------
    path
        The file.
    remedy
        What to do if it is damaged.

    Raises
    ------
    RunError
        If it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RunError(
            f"{path} is damaged (the byte at offset {error.start} is not UTF-8); {remedy}"
        ) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None


def parse_object(text: str) -> dict[str, Any]:
    """Read a JSON object; a stranger may have written it.

    Raises
    ------
    ValueError
        If it is none, or has an integer beyond 64 bits; its text is one line.
    """
    try:
        values = json.loads(text, parse_int=_int_of_64_bits)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    return values


def _int_of_64_bits(digits: str) -> int:
    if not -(2**63) <= (number := int(digits)) < 2**63:
        raise ValueError("it has a number of more than 64 bits")
    return number


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically, see :func:`write_atomically`."""
    write_atomically(path, lambda temporary: _write(temporary, content))


def clear_place(target: Path) -> None:
    """Remove the folder that damage left where a file is to stand; a file is left to be replaced.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if target.is_dir():
        shutil.rmtree(target)


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
