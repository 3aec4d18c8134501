"""Masks as small pictures: PNG, written with what Python has."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR = (61, 139, 208)
"""Is seen on white as well as on black."""
_LEAST = 0.45
"""How opaque a place is of which almost nothing is kept: a single weight shall be seen."""


def shares(mask: NDArray[np.bool_], height: int, width: int) -> NDArray[np.float64]:
    """Tell how much is kept in each place of a picture that is at most so large.

    Parameters
    ----------
    mask
        Shape ``(rows, columns)``, neither of which is 0.
    height, width
        The largest picture.

    Returns
    -------
    ndarray
        Shares from 0 to 1, shape ``(min(rows, height), min(columns, width))``.

    Examples
    --------
    >>> shares(np.array([[1, 0, 0, 1], [1, 0, 0, 0]], bool), 2, 2).tolist()
    [[0.5, 0.5], [0.5, 0.0]]
    """
    sums = mask.astype(np.float64)
    for axis, most in ((0, height), (1, width)):
        length = sums.shape[axis]
        starts = np.arange(min(length, most)) * length // min(length, most)
        sums = np.add.reduceat(sums, starts, axis=axis)
        sizes = np.diff(starts, append=length)
        sums /= sizes[:, None] if axis == 0 else sizes
    return sums


def png(values: NDArray[np.float64]) -> bytes:
    """Write shares as a picture: clear where nothing is kept, opaque where all is."""
    pixels = np.zeros((*values.shape, 4), np.uint8)
    pixels[..., :3] = _COLOUR
    opacity = np.where(values > 0, _LEAST + (1 - _LEAST) * values, 0)
    pixels[..., 3] = np.rint(255 * opacity)
    height, width = values.shape
    # Before each line stands its filter, 0 for none.
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def data_uri(picture: bytes) -> str:
    """Write a picture so that it can stand within a page."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
