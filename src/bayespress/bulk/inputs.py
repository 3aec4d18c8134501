"""Which files are read, and where the answers to each are written."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bayespress.data.files import kind_of
from bayespress.errors import DataError
from bayespress.storage import StorageError

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".txt", ".parquet")
"""Endings of files that are read; all but the last also with ``.gz`` behind."""


@dataclass(frozen=True)
class Item:
    """A file of texts and the file of its answers.

    Attributes
    ----------
    source
        What is read.
    name
        Where answers are written, below the output folder.
    """

    source: Path
    name: Path

    @property
    def kind(self) -> str:
        """Its ending, without that of compression."""
        return kind_of(self.source)[0]

    @property
    def is_compressed(self) -> bool:
        """Whether it is read, and its answers are written, as gzip."""
        return kind_of(self.source)[1]


@dataclass(frozen=True)
class _Found:
    """What one argument stands for: files, and the folder that they were looked for in."""

    root: Path
    files: tuple[Path, ...]


def find(words: Sequence[str], output: Path) -> list[Item]:
    """Find all files that are meant, and name the answers of each.

    Answers keep their path below the folder that all inputs share, so that files of the same name
    do not replace one another.

    Parameters
    ----------
    words
        Files, folders (all below them is read) and patterns with ``*``, ``?``, ``[`` or ``**``.
    output
        The folder of the answers; what is in it is no input of a folder around it.

    Raises
    ------
    DataError
        If nothing is there, or a file's ending is not supported.
    StorageError
        If answers would replace an input, or one another.
    """
    found = [_found(word, _absolute(output)) for word in words]
    root = Path(os.path.commonpath([one.root for one in found]))
    files = dict.fromkeys(file for one in found for file in one.files)
    items = [Item(file, _renamed(file.relative_to(root))) for file in files]
    _check_places(items, _absolute(output))
    return items


def _found(word: str, output: Path) -> _Found:
    path = Path(word).expanduser()
    if path.is_dir():
        return _in_folder(_absolute(path), output)
    if path.exists():
        return _Found(_absolute(path).parent, (_checked(path),))
    if glob.has_magic(word):
        return _matching(path, output)
    raise DataError(f"--input {word}: there is no such file or folder; check the path")


def _in_folder(folder: Path, output: Path) -> _Found:
    visible = (
        file
        for file in sorted(folder.rglob("*"))
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    files = [file for file in _outside(visible, folder, output) if _is_supported(file)]
    if not files:
        raise DataError(f"--input {folder} holds no files that can be read: {_supported()}")
    return _Found(folder, tuple(files))


def _matching(pattern: Path, output: Path) -> _Found:
    parts = _absolute(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    matches = sorted(root.glob(str(Path(*parts[fixed:]))))
    files = [_checked(file) for file in _outside(matches, root, output)]
    if not files:
        raise DataError(f"--input {pattern}: no file matches; check the pattern")
    return _Found(root, tuple(files))


def _outside(files: Iterable[Path], root: Path, output: Path) -> Iterator[Path]:
    """Leave answers out where they are kept below the folder that is read."""
    has_answers = output != root and output.is_relative_to(root)
    for file in files:
        if file.is_file() and not (has_answers and file.is_relative_to(output)):
            yield file


def _absolute(path: Path) -> Path:
    # Links stay links: answers are named by what the user sees.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - as said


def _is_supported(file: Path) -> bool:
    kind, compressed = kind_of(file)
    return kind in KINDS and not (kind == ".parquet" and compressed)


def _checked(file: Path) -> Path:
    if not _is_supported(file):
        raise DataError(f"{file}: files of this ending cannot be read; {_supported()}")
    return _absolute(file)


def _supported() -> str:
    return f"supported are {', '.join(KINDS)}, and .gz behind all but .parquet"


def _renamed(name: Path) -> Path:
    """Lines of text have no room for columns: their answers are JSON lines."""
    kind, compressed = kind_of(name)
    if kind != ".txt":
        return name
    whole = name.with_suffix("") if compressed else name
    return whole.with_suffix(".jsonl.gz" if compressed else ".jsonl")


def _check_places(items: Sequence[Item], output: Path) -> None:
    if output.is_file():
        raise StorageError(f"{output} is a file: give --output the name of a folder")
    sources = {item.source.resolve() for item in items}
    for item in items:
        if (output / item.name).resolve() in sources:
            raise StorageError(
                f"answers to {item.source} would replace an input: choose another --output"
            )
    name, count = Counter(item.name for item in items).most_common(1)[0]
    if count > 1:
        both = " and ".join(str(item.source) for item in items if item.name == name)
        raise StorageError(f"answers to {both} would both be {output / name}: rename one of them")
