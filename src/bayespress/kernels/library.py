"""The compiled library's functions and structures."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator, Sequence
from ctypes import POINTER, Structure, c_double, c_float, c_int, c_long, c_void_p

import torch
from torch import Tensor

from bayespress.compiler import load
from bayespress.kernels.build import BuildError, built

Library = ctypes.CDLL

# ctypes keeps numbers, not tensors: whoever fills a structure keeps its tensors alive.


class Recurrence(Structure):
    """``struct lstm`` of lstm.c."""

    _fields_ = (
        *((name, c_long) for name in ("steps", "batch", "hidden", "hard")),
        *((name, c_long) for name in ("z_gates_stride", "z_hidden_stride")),
        *((name, c_void_p) for name in ("projection", "row", "real", "weight", "bias")),
        *((name, c_void_p) for name in ("z_gates", "z_hidden", "h0", "c0")),
        *((name, c_void_p) for name in ("raw", "outputs", "cells")),
    )


class Gradients(Structure):
    """``struct lstm_gradients`` of lstm.c."""

    _fields_ = tuple(
        (name, c_void_p)
        for name in (
            "d_outputs", "dh", "dc", "d_z_gates", "d_z_hidden",
            "worker_projection", "worker_weight", "worker_bias",
        )
    )  # fmt: skip


class GruRecurrence(Structure):
    """``struct gru`` of gru.c."""

    _fields_ = (
        *((name, c_long) for name in ("steps", "batch", "hidden", "hard")),
        *((name, c_long) for name in ("z_gates_stride", "z_hidden_stride")),
        *((name, c_void_p) for name in ("projection", "row", "real", "weight", "bias")),
        *((name, c_void_p) for name in ("hidden_bias", "z_gates", "z_hidden", "h0")),
        *((name, c_void_p) for name in ("raw", "outputs")),
    )


class GruGradients(Structure):
    """``struct gru_gradients`` of gru.c."""

    _fields_ = tuple(
        (name, c_void_p)
        for name in (
            "d_outputs", "dh", "d_z_gates", "d_z_hidden",
            "worker_projection", "worker_weight", "worker_bias", "worker_hidden_bias",
        )
    )  # fmt: skip


class Rows(Structure):
    """``struct rows`` of rows.c."""

    _fields_ = (
        ("size", c_long),
        *((name, c_void_p) for name in ("vectors", "word", "sequence", "z_vocab", "z_input")),
    )


class OutputLoss(Structure):
    """``struct output_loss`` of output.c."""

    _fields_ = (
        *((name, c_long) for name in ("hidden", "tokens")),
        *((name, c_void_p) for name in ("h", "target", "packed", "packed_back", "bias")),
        ("scale", c_float),
        ("d_h", c_void_p),
    )


class Approximation(Structure):
    """``struct approximation`` of adam.c."""

    _fields_ = tuple((name, c_float) for name in ("offset", "scale", "shift", "rate", "clip"))


class Adam(Structure):
    """``struct adam`` of adam.c."""

    _fields_ = (
        *((name, c_float) for name in ("beta1", "beta2", "kl_weight", "grad_scale")),
        ("prior", c_long),
        ("approximation", Approximation),
        ("columns", c_long),
        ("slot", c_void_p),
    )


class Moments(Structure):
    """``struct slot`` of adam.c."""

    _fields_ = (
        *((name, c_void_p) for name in ("value", "grad", "first", "second")),
        *((name, c_float) for name in ("rate", "correction", "epsilon")),
    )


_SIGNATURES: dict[str, tuple[object, Sequence[object]]] = {
    "lstm_forward": (c_int, (POINTER(Recurrence), c_long, c_long)),
    "lstm_backward": (c_int, (POINTER(Recurrence), POINTER(Gradients), c_long, c_long)),
    "gru_forward": (c_int, (POINTER(GruRecurrence), c_long, c_long)),
    "gru_backward": (c_int, (POINTER(GruRecurrence), POINTER(GruGradients), c_long, c_long)),
    "packed_size": (c_long, (c_long, c_long)),
    "pack": (None, (c_long, c_long, c_void_p, c_long, c_long, c_void_p)),
    "gemm": (None, (c_long, c_long, c_void_p, c_void_p, c_void_p, c_long, c_long)),
    "gemm_outer": (c_int, (c_long, c_long, c_void_p, c_void_p, c_void_p, c_long, c_long)),
    "rows_forward": (None, (POINTER(Rows), c_void_p, c_long, c_long)),
    "rows_backward_z": (None, (POINTER(Rows), c_void_p, c_void_p, c_void_p, c_long, c_long)),
    "rows_backward_vectors": (
        None,
        (POINTER(Rows), c_void_p, c_void_p, c_void_p, c_void_p, c_long, c_long),
    ),
    "pack_back": (None, (c_long, c_long, c_void_p, c_void_p, c_long, c_long)),
    "output_loss": (c_double, (POINTER(OutputLoss), c_void_p, c_void_p, c_long, c_long)),
    "kl": (
        c_double,
        (POINTER(Approximation), c_void_p, c_void_p, c_void_p, c_void_p, c_long, c_long),
    ),
    "square_norm": (c_double, (POINTER(Adam), POINTER(Moments), POINTER(Moments), c_long, c_long)),
    "adam": (c_double, (POINTER(Adam), POINTER(Moments), POINTER(Moments), c_long, c_long)),
}

_enabled = True


def library(*tensors: Tensor | None) -> Library | None:
    """Give the library, if it can be had and can work on these tensors: float32 on the CPU."""
    fit = all(
        tensor is None or (tensor.dtype is torch.float32 and tensor.device.type == "cpu")
        for tensor in tensors
    )
    return _loaded()[0] if fit and _enabled else None


def needed(*tensors: Tensor | None) -> Library:
    """Give the library where it was there a moment ago.

    Raises
    ------
    RuntimeError
        If it is not there any more: only :func:`use` between forward and backward does that.
    """
    code = library(*tensors)
    if code is None:
        raise RuntimeError(f"compiled kernels went away between two calls: {problem()}")
    return code


def problem() -> str | None:
    """Say why there are no compiled kernels; None where there are."""
    return _loaded()[1] if _enabled else "switched off"


@contextlib.contextmanager
def use(enabled: bool) -> Iterator[None]:
    """Use compiled kernels, or not, while the context lasts. For tests and comparisons."""
    global _enabled  # noqa: PLW0603 - a switch of the process, as torch.backends has them
    before, _enabled = _enabled, enabled
    try:
        yield
    finally:
        _enabled = before


@functools.cache
def _loaded() -> tuple[Library | None, str | None]:
    try:
        loaded = load(built())
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, f"bayespress_{name}")
            function.restype, function.argtypes = result, arguments
            if result is c_int:
                function.errcheck = _raise_without_memory
            elif name == "output_loss":
                function.errcheck = _raise_if_negative
            setattr(loaded, name, function)
    except BuildError as error:
        return None, str(error)
    except AttributeError as error:
        return None, f"what the C compiler made lacks a function: {error}"
    return loaded, None


def _raise_without_memory(failed: int, *_: object) -> None:
    if failed:
        raise MemoryError("a compiled kernel found no memory for its scratch space")


def _raise_if_negative(loss: float, *_: object) -> float:
    _raise_without_memory(loss < 0)
    return loss


def address(tensor: Tensor | None) -> int | None:
    """Address of a tensor's numbers, which must lie one after another; None for NULL."""
    if tensor is None:
        return None
    if not tensor.is_contiguous():
        raise ValueError("a kernel's tensor must be contiguous")
    return tensor.data_ptr()
