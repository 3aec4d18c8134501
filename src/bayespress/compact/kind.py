"""What the file needs to know of a kind of model, and what all kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bayespress.compact.bits import ByteReader, read_flags
from bayespress.compact.blocks import read_array
from bayespress.compact.header import Fields
from bayespress.compact.layout import Sizes
from bayespress.compact.model import CompactLSTM, CompactModel, FloatArray

ModelT = TypeVar("ModelT", bound=CompactModel)


class Kind(ABC, Generic[ModelT]):
    """How the models of one kind become a file, and a file becomes a model."""

    @abstractmethod
    def text(self, model: ModelT) -> tuple[dict[str, Any], Sequence[str]]:
        """Give the JSON object and the words of the text part."""

    @abstractmethod
    def flags(self, model: ModelT) -> Sequence[NDArray[np.bool_]]:
        """Give what the bitmaps between the text part and the blocks say, in their order."""

    @abstractmethod
    def problems(self, model: ModelT) -> Iterator[str]:
        """Say in a few words what is wrong with a model, one thing after another."""

    @abstractmethod
    def read(self, fields: Fields, words: Sequence[str], reader: ByteReader) -> ModelT:
        """Make the model of the text part and the bytes behind it.

        Raises
        ------
        DamageError
            If they do not fit.
        """


def live_flags(lstm: CompactLSTM) -> NDArray[np.bool_]:
    """Tell which gates have weights."""
    return to_flags(lstm.live_gates, 4 * lstm.hidden_size)


def to_flags(numbers: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Tell of each number below `count` whether it is there."""
    flags = np.zeros(count, bool)
    flags[numbers] = True
    return flags


def read_numbers(reader: ByteReader, count: int) -> NDArray[np.int64]:
    """Read a bitmap; give the places of its ones.

    Raises
    ------
    DamageError
        If bytes are missing or bits are behind the end.
    """
    return np.flatnonzero(read_flags(reader, count)).astype(np.int64)


def read_arrays(reader: ByteReader, sizes: Sizes) -> Mapping[str, FloatArray]:
    """Read all blocks.

    Raises
    ------
    DamageError
        If the arrays would take more memory than the file can vouch for, bytes are missing, or a
        block is of an unknown kind.
    """
    reader.claim(sizes.memory)
    return {name: read_array(reader, shape) for name, shape in sizes.shapes().items()}


def lstm_of(
    arrays: Mapping[str, FloatArray], live: NDArray[np.int64], gate_activation: str
) -> CompactLSTM:
    """Put the recurrent layer together."""
    return CompactLSTM(
        arrays["weight_ih"], arrays["weight_hh"], arrays["bias"], live, gate_activation
    )
