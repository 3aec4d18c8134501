"""A folder of generated files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bayespress.storage import StorageError, is_unfinished, write_bytes


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
        If `folder` is a file, is not empty, or cannot be written to. One that holds only some of
        these very files is filled: an earlier call was ended there.
    """
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file: give --output the name of a folder")
    contents = {
        folder / name: content.encode() if isinstance(content, str) else content
        for name, content in files.items()
    }
    if not replace and folder.is_dir() and not _is_begun(folder, contents):
        raise StorageError(f"{folder} is not empty: choose another --output, or add --force")
    for path, content in contents.items():
        write_bytes(path, content)
    return list(contents)


def _is_begun(folder: Path, contents: Mapping[Path, bytes]) -> bool:
    """Tell whether a folder has nothing but a part of these files: the writer was ended."""
    there = [path for path in folder.iterdir() if not is_unfinished(path)]
    return len(there) < len(contents) and all(
        path in contents and path.is_file() and path.read_bytes() == contents[path]
        for path in there
    )
