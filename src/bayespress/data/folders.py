"""Read folders of labelled texts: one folder a class, one file a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bayespress.data.files import decode, read_bytes
from bayespress.data.model import RawSource, Row, checked
from bayespress.errors import DataError

_VALIDATION_NAMES = ("validation", "valid", "val", "dev")
_UNLABELLED = "unsup"
_LAYOUT = "a folder must hold CLASS/*.txt, or train/CLASS/*.txt and test/CLASS/*.txt"


def read_folder(folder: Path) -> RawSource:
    """Read ``CLASS/*.txt`` or ``{train,test,validation}/CLASS/*.txt``.

    Raises
    ------
    DataError
        If the folder holds no such files, or one of them is empty or not UTF-8.
    """
    train = folder / "train"
    if not (train.is_dir() and _subfolders(train)):
        return RawSource(checked_classes(folder))
    found = [folder / name for name in _VALIDATION_NAMES if (folder / name).is_dir()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{folder} has more than one validation folder, {names}; keep one")
    test = folder / "test"
    return RawSource(
        checked_classes(train),
        validation=checked_classes(found[0]) if found else None,
        test=checked_classes(test) if test.is_dir() else None,
    )


def checked_classes(folder: Path) -> Sequence[Row]:
    """Read the texts of one folder a class, classes and files in the order of their names.

    Raises
    ------
    DataError
        If there are none, or one is empty or not UTF-8.
    """
    classes = _subfolders(folder)
    if {"pos", "neg"} <= {path.name for path in classes}:
        # The IMDB archive keeps reviews without a label beside those with one.
        classes = [path for path in classes if path.name != _UNLABELLED]
    rows = [_read_one(path, kind.name) for kind in classes for path in sorted(kind.glob("*.txt"))]
    if not rows:
        raise DataError(f"{folder} holds no texts; {_LAYOUT}")
    return checked(rows, str(folder))


def _read_one(path: Path, label: str) -> Row:
    return Row(decode(read_bytes(path), str(path)), label, str(path))


def _subfolders(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror or error}") from error
    return [path for path in entries if path.is_dir() and not path.name.startswith(".")]
