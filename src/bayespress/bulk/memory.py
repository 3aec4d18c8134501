"""What an output folder remembers: which files are done, and parts of those that are not.

It stands in ``.bayespress`` below the folder: ``done`` has a record for each finished file,
``parts`` the answers to parts of unfinished ones. The name of a part holds a digest of the model,
the settings and the texts that it answers, so that no other answers are ever taken for it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bayespress.bulk.inputs import Item
from bayespress.errors import RunError
from bayespress.storage import locked, parse_object, put, write_bytes

FOLDER = ".bayespress"
_FORMAT = 1


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is the one that it was."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Look at a file."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Record:
    """How a file's answers came about.

    Attributes
    ----------
    settings
        The model's digest, and all else that answers depend on.
    source, answers
        What was read and what was written.
    """

    settings: dict[str, Any]
    source: Stamp
    answers: Stamp

    @classmethod
    def from_json(cls, text: str) -> Record | None:
        """Read a record; None if it is none of this version's."""
        try:
            values = parse_object(text)
            if values.pop("format") != _FORMAT:
                return None
            source, answers = (Stamp(**values.pop(key)) for key in ("source", "answers"))
            record = cls(source=source, answers=answers, **values)
        except (ValueError, KeyError, TypeError):
            return None
        return record if isinstance(record.settings, dict) else None

    def to_json(self) -> str:
        """Write the record."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)


class Memory:
    """The memory of one output folder.

    Parameters
    ----------
    output
        The folder.
    settings
        All that answers depend on besides texts.
    """

    def __init__(self, output: Path, settings: dict[str, Any]) -> None:
        self.output = output
        self._settings = settings
        self._folder = output / FOLDER

    def is_done(self, item: Item) -> bool:
        """Tell whether a file's answers are there, made of the file as it is now.

        Raises
        ------
        RunError
            If a file stands there that has other answers.
        """
        target = self.output / item.name
        record = self._record(item)
        if not target.exists():
            return False
        if record is not None and self._is_between(record, item):
            return False
        if record is None or record.answers != Stamp.of(target):
            raise RunError(
                f"{target} exists already and is none of this command's files: choose another "
                "--output, or add --force to replace it"
            )
        if record.settings != self._settings:
            raise RunError(
                f"{target} was made with {self._difference(record.settings)}: choose another "
                "--output, or add --force to make all answers anew"
            )
        return record.source == Stamp.of(item.source)

    def _is_between(self, record: Record, item: Item) -> bool:
        """Tell whether a run was ended between noting a file and putting it in its place."""
        whole = self.whole(item)
        return whole.exists() and record.answers == Stamp.of(whole)

    def has_answers(self, item: Item) -> bool:
        """Tell whether something stands where a file's answers are written."""
        return (self.output / item.name).exists()

    def part(self, item: Item, number: int, way: str, content: bytes) -> Path:
        """Name the file of the answers to a part, and to no other: `way` is how it is answered."""
        digest = hashlib.sha256(f"{self._settings} {way}".encode())
        digest.update(content)
        return self._parts(item) / f"{number:06}-{digest.hexdigest()[:32]}"

    def whole(self, item: Item) -> Path:
        """Name the file that parts are put together in."""
        return self._parts(item) / "whole"

    def finish(self, item: Item, read: Stamp) -> None:
        """Put a file's answers in their place.

        The record comes first: if the program is killed between both, the file is made of its
        parts again; the other way round, it would be taken for a stranger's. Until then what was
        there before stays.
        """
        whole, target = self.whole(item), self.output / item.name
        record = Record(self._settings, read, Stamp.of(whole))
        write_bytes(self._record_file(item), record.to_json().encode())
        put(whole, target)
        shutil.rmtree(self._parts(item), ignore_errors=True)

    def tidy(self) -> None:
        """Remove all parts: nothing is unfinished."""
        shutil.rmtree(self._folder / "parts", ignore_errors=True)

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from writing here, see :func:`bayespress.storage.locked`."""
        user = f"another 'bayespress predict --output {self.output}'"
        return locked(self._folder / "lock", user)

    def _difference(self, then: dict[str, Any]) -> str:
        key = next(
            key for key in {**then, **self._settings} if then.get(key) != self._settings[key]
        )
        if key == "model":
            return "another model"
        return f"{key} {then.get(key)!r}, now it is {self._settings[key]!r}"

    def _parts(self, item: Item) -> Path:
        return self._folder / "parts" / item.name

    def _record_file(self, item: Item) -> Path:
        return self._folder / "done" / f"{item.name}.json"

    def _record(self, item: Item) -> Record | None:
        try:
            return Record.from_json(self._record_file(item).read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError):
            return None
