"""A folder of generated files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bayespress.storage import StorageError, write_bytes


def write_files(folder: Path, files: Mapping[str, bytes | str], *, replace: bool) -> list[Path]:
    """Write files into a folder, each whole or not at all.

    Parameters
    ----------
    folder
        Made if it is absent.
    files
        Content of each file by its name; text becomes UTF-8.
    replace
        Write into a folder that is not empty; files of the same names are replaced.

    Raises
    ------
    StorageError
        If `folder` is a file, is not empty, or cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file: give --output the name of a folder")
    if not replace and folder.is_dir() and any(folder.iterdir()):
        raise StorageError(f"{folder} is not empty: choose another --output, or add --force")
    paths = [folder / name for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        write_bytes(path, content.encode() if isinstance(content, str) else content)
    return paths
