"""Numbers, texts and arrays of C99."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from string import Template

import numpy as np
from numpy.typing import NDArray

_FLOATS, _INTEGERS = 6, 16
"""Numbers a line."""
_TYPES = (("uint8_t", 2**8), ("uint16_t", 2**16), ("uint32_t", 2**32))


def template(file: str, /, **values: object) -> str:
    """Read a piece of C from the folder `source` and fill in its gaps."""
    text = (resources.files("bayespress.export.c") / "source" / file).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def floats(values: NDArray[np.float32]) -> list[str]:
    """Write floats so that they read back bit for bit: C99 is exact for hexadecimal ones alone.

    Examples
    --------
    >>> floats(np.array([0, 1, -0.75, 0.1], np.float32))
    ['0', '0x1p0f', '-0x3p-2f', '0xcccccdp-27f']
    """
    mantissas, exponents = np.frexp(values.astype(np.float64))
    whole = (mantissas * 2**24).astype(np.int64)
    return list(map(_float, whole.tolist(), (exponents - 24).tolist()))


def _float(mantissa: int, exponent: int) -> str:
    if mantissa == 0:
        return "0"
    zeros = (mantissa & -mantissa).bit_length() - 1
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{abs(mantissa) >> zeros:#x}p{exponent + zeros}f"


def integer_type(largest: int) -> str:
    """Name the smallest unsigned type that holds numbers up to this one."""
    return next(name for name, end in _TYPES if largest < end)


def width(largest: int) -> int:
    """Tell the bytes of that type."""
    return int(integer_type(largest).strip("uint_")) // 8


def float_array(name: str, values: NDArray[np.float32]) -> str:
    """Define a constant array of floats, which must not be empty."""
    flat = values.reshape(-1)
    return _array("float", name, floats(flat), _FLOATS)


def integer_array(name: str, values: Iterable[int], kind: str | None = None) -> str:
    """Define a constant array of the smallest unsigned type; an empty one gets a zero."""
    numbers = [*values] or [0]
    return _array(kind or integer_type(max(numbers)), name, [*map(str, numbers)], _INTEGERS)


def byte_array(name: str, content: bytes) -> str:
    """Define a constant array of bytes, its letters and digits readable."""
    return _array("unsigned char", name, [*map(_byte, content)] or ["0"], _INTEGERS)


def _byte(byte: int) -> str:
    character = chr(byte)
    return f"'{character}'" if character.isascii() and character.isalnum() else str(byte)


def _array(kind: str, name: str, items: Sequence[str], per_line: int) -> str:
    lines = (
        "    " + ", ".join(items[first : first + per_line]) + ",\n"
        for first in range(0, len(items), per_line)
    )
    return f"static const {kind} {name}[{len(items)}] = {{\n{''.join(lines)}}};\n\n"


def constants(**values: int) -> str:
    """Define named integers."""
    lines = "".join(f"    {name} = {value},\n" for name, value in values.items())
    return f"enum {{\n{lines}}};\n\n"


def text(value: str) -> str:
    r"""Write a string literal; what is not plain is octal, which cannot run into what follows.

    Examples
    --------
    >>> print(text('so "bad"? é'))
    "so \042bad\042\077 \303\251"
    """
    plain = set(range(32, 127)) - set(b'"\\?')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in value.encode()) + '"'
