"""Read plain text for language models: files, folders, the Penn Treebank, and texts of tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from bayespress.data.downloads import fetch, user_folder
from bayespress.data.files import (
    TEXT_READERS,
    Columns,
    decode,
    kind_of,
    read_bytes,
    read_file,
    unpacked,
)
from bayespress.data.hub import PREFIX
from bayespress.data.model import RawSource, RawText, Row
from bayespress.data.sources import NAMED_SOURCES, PLAIN_SOURCES, read_source, unknown
from bayespress.errors import DataError

_FOLDER_ENDINGS = (".txt", ".txt.gz", ".md")
_TABLES = frozenset({*TEXT_READERS, ".parquet"} - {".txt"})
_LINE_BREAKS = re.compile(r"[\r\n]+")


def read_plain(source: str, text_column: str, *, streaming: bool = False) -> RawText:
    """Read the text of a source, with the splits that it has itself.

    Parameters
    ----------
    source
        A name, a file, a folder, or several of these two joined with :data:`os.pathsep`.
    text_column
        Which column of a table is text; its rows become lines. Labels do not matter.
    streaming
        Of the Hugging Face hub: hold no rows in memory, but the text that they make.

    Raises
    ------
    DataError
        If the source is unknown, is empty, or its content breaks a rule.
    """
    if source in PLAIN_SOURCES:
        return _read_ptb()
    columns = Columns(text_column, label=None)
    if source in NAMED_SOURCES or source.startswith(PREFIX):
        return _of_rows(read_source(source, columns, streaming=streaming))
    return RawText("".join(_read_path(path, columns) for path in _paths(source)))


def _paths(source: str) -> list[Path]:
    whole = Path(source).expanduser()
    if whole.exists():  # even if its name looks like a list
        return [whole]
    paths = [Path(part).expanduser() for part in source.split(os.pathsep) if part]
    if len(paths) < 2:
        raise DataError(unknown(source, whole))
    for path in paths:
        if not path.exists():
            raise DataError(
                f"source {source}: there is no file or folder {path}; check the path, or what "
                f"stands between the signs {os.pathsep!r}"
            )
    return paths


def _read_path(path: Path, columns: Columns) -> str:
    files = _files_below(path) if path.is_dir() else [path]
    text = "".join(_read_file(file, columns) for file in files)
    if not text.strip():
        raise DataError(f"{path} is empty; a language model needs text to learn from")
    return text


def _files_below(folder: Path) -> list[Path]:
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.name.lower().endswith(_FOLDER_ENDINGS)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        endings = ", ".join(_FOLDER_ENDINGS)
        raise DataError(
            f"{folder} holds no text: of a folder, files that end in {endings} are read; "
            "name another folder, or the files themselves"
        )
    return files


def _read_file(path: Path, columns: Columns) -> str:
    if kind_of(path)[0] in _TABLES:
        return _lines(read_file(path, columns))
    return _whole_lines(decode(unpacked(path), str(path)))


def _whole_lines(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") or not text else f"{text}\n"


def _of_rows(source: RawSource) -> RawText:
    return RawText(
        _lines(source.train),
        None if source.validation is None else _lines(source.validation),
        None if source.test is None else _lines(source.test),
        source.notes,
    )


def _lines(rows: Iterable[Row]) -> str:
    return "".join(f"{_LINE_BREAKS.sub(' ', row.text.strip())}\n" for row in rows)


def _read_ptb() -> RawText:
    own = user_folder()
    names = [f"ptb/ptb.{part}.txt" for part in ("train", "valid", "test")]
    if own is not None and all((own / name).is_file() for name in names):
        paths = [own / name for name in names]
    else:
        paths = [fetch(name) for name in names]
    train, validation, test = (_read_ptb_file(path) for path in paths)
    return RawText(train, validation, test)


def _read_ptb_file(path: Path) -> str:
    # Each line of these files stands between two spaces.
    lines = _whole_lines(decode(read_bytes(path), str(path))).split("\n")
    return "\n".join(line.strip() for line in lines)
