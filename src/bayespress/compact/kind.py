"""What the file needs to know of a kind of model, and what all kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import check
from bayespress.compact.bits import ByteReader, read_flags
from bayespress.compact.blocks import read_array
from bayespress.compact.header import Fields
from bayespress.compact.layout import CellSizes, Sizes, array_names, suffix
from bayespress.compact.model import CompactCell, CompactModel, FloatArray

ModelT = TypeVar("ModelT", bound=CompactModel)
CellT = TypeVar("CellT", bound=CompactCell)


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

    def first_problem(self, model: ModelT) -> str | None:
        """Say what is wrong with a model, if anything is, or with the information that it has."""
        found = chain(self.problems(model), check.problems_of_info(model.info))
        return next(found, None)

    @abstractmethod
    def read(self, fields: Fields, words: Sequence[str], reader: ByteReader) -> ModelT:
        """Make the model of the text part and the bytes behind it.

        Raises
        ------
        DamageError
            If they do not fit.
        """


def live_flags(cell: CompactCell) -> NDArray[np.bool_]:
    """Tell which gates have weights."""
    return to_flags(cell.live_gates, len(cell.bias))


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


@dataclass(frozen=True)
class CellFrames(Generic[CellT]):
    """The cells as header and bitmaps describe them, before their arrays are read.

    Attributes
    ----------
    kind, gate_activation
        Of all cells.
    hidden, live
        Neurons and live gates of each cell, layer by layer.
    """

    kind: type[CellT]
    gate_activation: str
    hidden: Sequence[Sequence[int]]
    live: Sequence[Sequence[NDArray[np.int64]]]

    @classmethod
    def read(
        cls,
        reader: ByteReader,
        kind: type[CellT],
        gate_activation: str,
        hidden: Sequence[Sequence[int]],
    ) -> CellFrames[CellT]:
        """Read the bitmaps of the live gates.

        Raises
        ------
        DamageError
            As :func:`read_numbers` does.
        """
        gates = len(kind.gates)
        live = [[read_numbers(reader, gates * count) for count in layer] for layer in hidden]
        return cls(kind, gate_activation, hidden, live)

    @property
    def sizes(self) -> tuple[tuple[CellSizes, ...], ...]:
        """The sizes of their arrays."""
        return tuple(
            tuple(
                CellSizes(self.kind, count, len(gates))
                for count, gates in zip(counts, numbers, strict=True)
            )
            for counts, numbers in zip(self.hidden, self.live, strict=True)
        )

    def filled(self, arrays: Mapping[str, FloatArray]) -> tuple[tuple[CellT, ...], ...]:
        """Put the cells together."""
        return tuple(
            tuple(self._cell(arrays, suffix(k, d), gates) for d, gates in enumerate(layer))
            for k, layer in enumerate(self.live)
        )

    def _cell(self, arrays: Mapping[str, FloatArray], end: str, live: NDArray[np.int64]) -> CellT:
        own: dict[str, Any] = {name: arrays[name + end] for name in array_names(self.kind)}
        cell: CellT = self.kind(**own, live_gates=live, gate_activation=self.gate_activation)
        return cell
