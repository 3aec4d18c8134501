"""Let the rights of files bind the superuser, too."""

from __future__ import annotations

import ctypes
import struct
import sys

_DROP_FROM_BOUNDING_SET = 24  # of prctl
_RIGHTS = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_VERSION = 0x20080522  # of capget and capset


def drop_rights(*, now: bool = False) -> None:
    """Take from this process what the superuser may do more; any other user lacks it.

    Parameters
    ----------
    now
        At once, and not with the next program that the process becomes.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    for right in _RIGHTS:
        libc.prctl(_DROP_FROM_BOUNDING_SET, right, 0, 0, 0)
    if now:
        header = ctypes.create_string_buffer(struct.pack("Ii", _VERSION, 0))
        sets = ctypes.create_string_buffer(24)
        libc.capget(header, sets)
        # Effective, permitted and inheritable rights 0 to 31, then those over 31.
        masks = list(struct.unpack("6I", sets.raw))
        for right in _RIGHTS:
            masks[0] &= ~(1 << right)
        libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", *masks)))
