"""Corpora as they are kept: for each target one text, a line of base64 for each input.

Small ones first: a line that is new is an input that is new.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "tests" / "fixtures" / "corpus"
_MOST_FILES, _MOST_BYTES = 60, 12_000


def kept(name: str, folder: Path = FOLDER) -> list[bytes]:
    """Read a target's corpus; one that does not exist is empty."""
    file = folder / f"{name}.b64"
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    return [base64.b64decode(line, validate=True) for line in lines]


def keep(name: str, inputs: Iterable[bytes], folder: Path = FOLDER) -> list[bytes]:
    """Write a target's corpus; give the inputs in its order."""
    order = sorted(set(inputs), key=lambda data: (len(data), data))
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(base64.b64encode(data).decode() + "\n" for data in order)
    (folder / f"{name}.b64").write_text(lines, encoding="ascii")
    return order


def spread(
    inputs: Iterable[bytes], files: int = _MOST_FILES, size: int = _MOST_BYTES
) -> set[bytes]:
    """Choose a few inputs, of all lengths, that take little room together."""
    order = sorted(set(inputs), key=lambda data: (len(data), data))
    step = max(len(order) / files, 1.0)
    chosen = [order[int(k * step)] for k in range(int(len(order) / step))]
    while chosen and sum(map(len, chosen)) > size:
        chosen.pop()
    return set(chosen)


def unpack(inputs: Iterable[bytes], folder: Path) -> None:
    """Write inputs as files, for a fuzzer."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / hashlib.sha256(data).hexdigest()[:24]).write_bytes(data)


def packed(folder: Path) -> set[bytes]:
    """Read the files that a fuzzer left."""
    return {file.read_bytes() for file in folder.iterdir() if file.is_file()}


def write_dictionary(words: Iterable[bytes], file: Path) -> None:
    """Write words as libFuzzer and AFL++ read them."""
    lines = (f'"{"".join(f"{chr(92)}x{byte:02x}" for byte in word)}"\n' for word in words if word)
    file.write_text("".join(lines), encoding="ascii")
