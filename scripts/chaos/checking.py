"""What must hold after a kill, and when all is done: whole files, the same bytes, nothing left."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import safetensors
from jobs import Job
from killing import TEMPORARY

from bayespress import compact

# What a sweep remembers, without the times.
TABLES = {
    "trials": "select number, state from trials order by number",
    "trial_params": "select trial_id, param_name, param_value from trial_params order by 1, 2",
    "trial_values": "select trial_id, value from trial_values order by 1",
    "epochs": "select trial_id, step, intermediate_value from trial_intermediate_values "
    "order by 1, 2",
    "figures": "select trial_id, key, value_json from trial_user_attributes order by 1, 2",
}
# When an epoch was done or a file was written is another thing each time.
TIMES = re.compile(r'"(seconds|changed)": [0-9.]+')
# Python finds a place for temporary files by writing one there.
PROBE = re.compile(r"[a-z0-9_]{8}")


class Broken(Exception):  # noqa: N818 - what the script looks for
    """Something does not hold; `kind` is one word for what."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def files_of(folder: Path) -> Iterator[Path]:
    """All files of a round's three folders, relative to it, but for Python's own."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_pythons = name.parts[0] == "tmp" and PROBE.fullmatch(path.name)
        if path.is_file() and not is_pythons:
            yield name


def is_temporary(name: Path) -> bool:
    """Whether it is in the making, or a bulk prediction's own."""
    return name.name.endswith(TEMPORARY) or {"parts", "tmp"} & set(name.parts) != set()


def check_whole(job: Job, folder: Path, old: Path, new: Path) -> None:
    """Look at each file under its final name: the old content, the new one, or sound.

    Raises
    ------
    Broken
        If one is torn.
    """
    for name in files_of(folder):
        if is_temporary(name) or name.parts[0] == "cache" or name.name.endswith("lock"):
            continue
        try:
            _read(folder / name)
        except Exception as error:
            raise Broken("torn", f"{name}: {error!r}") from error
        if job.has_old and not _is_one_of(name, folder, old, new):
            raise Broken("torn", f"{name} has neither the old nor the new content")
    for name in files_of(old):
        if job.has_old and name.parts[0] == "work" and not (folder / name).exists():
            raise Broken("torn", f"{name} is gone")


def _is_one_of(name: Path, folder: Path, old: Path, new: Path) -> bool:
    content = canonical(folder / name)
    both = [canonical(place / name) for place in (old, new) if (place / name).exists()]
    return content in both


def _read(path: Path) -> None:
    """Read a file as what its name says."""
    match path.suffix:
        case ".bpr":
            compact.load(path)
        case ".safetensors":
            with safetensors.safe_open(path, framework="numpy") as file:
                names = file.keys()
                [file.get_tensor(name) for name in names]
        case ".toml":
            tomllib.loads(path.read_text(encoding="utf-8"))
        case ".json":
            json.loads(path.read_text(encoding="utf-8"))
        case ".jsonl":
            [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        case ".db":
            _database(path)


def _database(path: Path) -> Any:
    """Read a sweep's memory, or rather a copy of it: to open it is to mend it."""
    with tempfile.TemporaryDirectory() as folder:
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder, path.name))) as database:
            if database.execute("pragma integrity_check").fetchone() != ("ok",):
                raise ValueError("the database is damaged")
            there = {name for (name,) in database.execute("select name from sqlite_master")}
            known = {key: text for key, text in TABLES.items() if text.split()[-1] or there}
            if "trial_intermediate_values" not in there:
                return {}
            return {key: database.execute(text).fetchall() for key, text in known.items()}


def canonical(path: Path) -> bytes:
    """Give a file's content without its times."""
    if path.suffix == ".db":
        return json.dumps(_database(path)).encode()
    if path.suffix in (".so", ".sha256") or path.name.endswith("lock"):
        return b""  # whatever the compiler made of it; it is loaded by the next command
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl"):
        return TIMES.sub(r'"\1": 0', content.decode()).encode()
    return content


def check_same(folder: Path, wanted: Path) -> None:
    """Compare a finished round with the uninterrupted one.

    Raises
    ------
    Broken
        If a file is missing, left over, or another one.
    """
    here, there = set(files_of(folder)), set(files_of(wanted))
    if here - there:
        raise Broken("left", f"left behind: {', '.join(map(str, sorted(here - there)))}")
    if there - here:
        raise Broken("missing", f"missing: {', '.join(map(str, sorted(there - here)))}")
    for name in sorted(there):
        if canonical(folder / name) != canonical(wanted / name):
            raise Broken("different", f"{name} is not the uninterrupted one's")
    empty = {path.name for path in folder.rglob("*") if path.is_dir()}
    more = empty - {path.name for path in wanted.rglob("*") if path.is_dir()}
    if more:
        raise Broken("left", f"folders left behind: {', '.join(sorted(more))}")
