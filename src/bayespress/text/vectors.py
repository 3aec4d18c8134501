"""Pretrained word vectors in the text formats of GloVe and word2vec."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bayespress.errors import DataError

_LARGEST = 1e6
"""Of a vector's numbers. Those of real ones are below 100; far larger ones cannot be trained on."""
_LONGEST_NAME = 40


def read_vectors(
    path: Path, words: Mapping[str, int], dimensions: int
) -> dict[int, NDArray[np.float32]]:
    """Read the vectors of a vocabulary's words.

    Parameters
    ----------
    path
        Lines of a word and its numbers, separated by single spaces; word2vec's first line (count
        and dimensions) is skipped. Compressed if it ends in ``.gz``.
    words
        Row of each word. A word without a vector of its own takes that of its lowercase form.
    dimensions
        Numbers a vector must have.

    Returns
    -------
    dict
        Vector by row, for the words that were found.

    Raises
    ------
    DataError
        If the file is missing or damaged, vectors have another size, have numbers that are not
        finite or far too large, or no word is found.
    """
    lowercase = {word.lower() for word in words}
    found: dict[str, NDArray[np.float32]] = {}
    try:
        with _open(path) as lines:
            for number, word, numbers in _entries(lines):
                if (word in words or word in lowercase) and word not in found:
                    found[word] = _parse(word, numbers, dimensions, f"{path}, line {number}")
    except FileNotFoundError:
        raise DataError(f"there is no file of word vectors at {path}") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as word vectors: {error}") from None
    rows = {
        row: found[form]
        for word, row in words.items()
        if (form := word if word in found else word.lower()) in found
    }
    if not rows:
        raise DataError(f"{path} has a vector for none of the {len(words)} words of the vocabulary")
    return rows


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _entries(lines: IO[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(lines, 1):
        word, _, numbers = line.rstrip().partition(" ")
        if number == 1 and numbers.count(" ") == 0 and word.isdigit():
            continue  # word2vec's header
        yield number, word, numbers


def _parse(word: str, numbers: str, dimensions: int, place: str) -> NDArray[np.float32]:
    written = numbers.split(" ")
    try:
        with np.errstate(over="ignore"):  # too large a number is infinite, hence an error below
            vector = np.array(written, dtype=np.float32)
    except ValueError:
        raise DataError(f"{place} is not a word and numbers separated by spaces") from None
    if len(vector) != dimensions:
        raise DataError(
            f"{place} has {len(vector)} dimensions, the network {dimensions}: "
            f"set --embedding-size {len(vector)}"
        )
    if not (usable := abs(vector) <= _LARGEST).all():
        raise DataError(
            f"{place}: the vector of {word[:_LONGEST_NAME]!r} holds {written[usable.argmin()]}, "
            f"but numbers must lie within ±{_LARGEST:g}: correct it, or take the line out"
        )
    return vector
