"""Settings of the process that training profits from."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator

import torch

from bayespress import kernels
from bayespress.config import Config

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # numbers of glibc's mallopt
_NEVER = 2**31 - 1  # bytes


@contextlib.contextmanager
def tuned() -> Iterator[None]:
    """Speed the process up while training; results do not change beyond rounding.

    Gradients that fade over many steps become denormal numbers, with which processors are a hundred
    times slower: they are taken as zero. And glibc gives the memory of large tensors back to the
    system at once, which then clears it again for the next step: from now on it keeps it.
    """
    _keep_memory()
    # torch cannot tell the setting: a denormal number that comes to nothing does.
    before = torch.full((), 1e-40).mul(1.0).item() == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether products of bfloat16 numbers are made by instructions of their own."""
    if device.type == "cpu":
        known: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.10 on
        return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def missing(config: Config, device: torch.device) -> list[str]:
    """Say what would make training faster and is not there, each in a sentence."""
    notes, training = [], config.training
    if device.type == "cpu" and kernels.problem():
        notes.append(f"training takes about 5 times as long: {kernels.problem()}")
    if training.precision == "bfloat16" and config.data.task == "lm":
        notes.append("a language model's input needs no product: bfloat16 changes nothing")
    elif training.precision == "bfloat16" and not has_bfloat16(device):
        notes.append("this processor has no instructions for bfloat16: float32 is used instead")
    return notes


@functools.cache
def _keep_memory() -> None:
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems' libraries
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _NEVER)
        mallopt(_M_TRIM_THRESHOLD, _NEVER)
