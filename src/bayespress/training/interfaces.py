"""What stands between texts and a network: which token is which row, and what outputs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactModel
from bayespress.compression import Network, Size, language_model_to_compact, to_compact
from bayespress.config import Config
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.text import TextEncoder, TokenEncoder
from bayespress.training.seeds import generator


class Interface(Protocol):
    """Between texts and a network; checkpoints hold it beside the network's tensors."""

    @property
    def zero_row(self) -> bool:
        """Whether row 0 of the network's table is the zero vector, which nothing removes."""

    @property
    def vocabulary_bytes(self) -> int:
        """Bytes of the words in UTF-8, each with a separator."""

    def build(self, config: Config, size: Size | None) -> Network:
        """Make the network that a configuration describes, not trained.

        `size` is given where live shrinking made it smaller than that.
        """

    def restrict(self, keep: NDArray[np.bool_]) -> tuple[Interface, NDArray[np.intp]]:
        """Drop rows of the table; give also the old numbers of those that stay, from row 1 on."""

    def to_compact(self, net: Network, info: Mapping[str, Any]) -> CompactModel:
        """Take away what was pruned."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""


@dataclass(frozen=True)
class ClassifierInterface:
    """Between texts and a classifier.

    Attributes
    ----------
    encoder
        Texts to rows.
    labels
        Names of the classes.
    multi_label
        Whether a text may have several of them.
    """

    encoder: TextEncoder
    labels: tuple[str, ...]
    multi_label: bool = False

    zero_row = True

    @property
    def vocabulary_bytes(self) -> int:
        """Bytes of the words in UTF-8, each with a separator."""
        return sum(len(word.encode()) + 1 for word in self.encoder.vocabulary.rows)

    def build(self, config: Config, size: Size | None = None) -> TextClassifierNet:
        """Make the network that a configuration describes, not trained."""
        model = config.model
        if size is not None and size.dims is not None:
            model = replace(model, embedding_size=size.dims)
        all_rows_are_learned = size is None and self.encoder.vocabulary.skips
        return TextClassifierNet(
            self.encoder.vocabulary.num_rows,
            1 if len(self.labels) == 2 and not self.multi_label else len(self.labels),
            model,
            hidden_sizes=None if size is None else size.hidden,
            padding_idx=None if all_rows_are_learned else 0,
            generator=generator(config.training.seed, "initialisation"),
        )

    def restrict(self, keep: NDArray[np.bool_]) -> tuple[ClassifierInterface, NDArray[np.intp]]:
        """Drop rows of the table."""
        encoder, rows = self.encoder.restrict(keep)
        return replace(self, encoder=encoder), rows

    def to_compact(self, net: Network, info: Mapping[str, Any]) -> CompactModel:
        """Take away what was pruned."""
        if not isinstance(net, TextClassifierNet):
            raise TypeError(f"a classifier is needed, got {type(net).__name__}")
        return to_compact(net, self.encoder, self.labels, info, multi_label=self.multi_label)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        labels = {"labels": list(self.labels), "multi_label": self.multi_label}
        return {"encoder": self.encoder.to_dict(), **labels}


@dataclass(frozen=True)
class LanguageInterface:
    """Between texts and a language model.

    Attributes
    ----------
    encoder
        Texts to token ids.
    window
        Length of the windows that it learns, None if its state is carried on.
    inputs
        Rising ids of the tokens that it reads, once live shrinking has removed others: row 0 of
        the table is the zero vector then. None: all tokens, a row for each.
    """

    encoder: TokenEncoder
    window: int | None = None
    inputs: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def zero_row(self) -> bool:
        """Whether row 0 of the network's table is the zero vector, which nothing removes."""
        return self.inputs is not None

    @property
    def vocabulary_bytes(self) -> int:
        """Bytes of the tokens in UTF-8, each with a separator."""
        return sum(len(token.encode()) + 1 for token in self.encoder.tokens)

    @property
    def read(self) -> NDArray[np.int64]:
        """Ids of the tokens that are read."""
        if self.inputs is None:
            return np.arange(len(self.encoder.tokens))
        return np.array(self.inputs, np.int64)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of the table of each token id."""
        if self.inputs is None:
            return np.arange(len(self.encoder.tokens))
        rows = np.zeros(len(self.encoder.tokens), np.int64)
        rows[self.read] = np.arange(1, len(self.inputs) + 1)
        return rows

    def build(self, config: Config, size: Size | None = None) -> LanguageModelNet:
        """Make the network that a configuration describes, not trained."""
        model = config.model
        if size is not None:
            model = replace(model, hidden_size=size.neurons)
        return LanguageModelNet(
            len(self.encoder.tokens),
            model,
            carries_state=config.text.carry_state,
            num_inputs=None if self.inputs is None else len(self.inputs) + 1,
            padding_idx=None if self.inputs is None else 0,
            generator=generator(config.training.seed, "initialisation"),
        )

    def restrict(self, keep: NDArray[np.bool_]) -> tuple[LanguageInterface, NDArray[np.intp]]:
        """Drop rows of the table."""
        rows = np.flatnonzero(keep)
        if self.zero_row:
            rows = rows[rows > 0]
        read = self.read[rows - int(self.zero_row)]
        return replace(self, inputs=tuple(read.tolist())), rows

    def to_compact(self, net: Network, info: Mapping[str, Any]) -> CompactModel:
        """Take away what was pruned."""
        if not isinstance(net, LanguageModelNet):
            raise TypeError(f"a language model is needed, got {type(net).__name__}")
        return language_model_to_compact(net, self.encoder, self.read, self.window, info)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        inputs = None if self.inputs is None else list(self.inputs)
        return {"tokens": self.encoder.to_dict(), "window": self.window, "inputs": inputs}


def interface_of(metadata: Mapping[str, Any]) -> ClassifierInterface | LanguageInterface:
    """Read the interface of a checkpoint's metadata."""
    if "tokens" not in metadata:
        encoder = TextEncoder.from_dict(metadata["encoder"])
        return ClassifierInterface(encoder, tuple(metadata["labels"]), metadata["multi_label"])
    inputs = metadata["inputs"]
    return LanguageInterface(
        TokenEncoder.from_dict(metadata["tokens"]),
        metadata["window"],
        None if inputs is None else tuple(inputs),
    )


def rebuild(config: Config, interface: Interface, metadata: Mapping[str, Any]) -> Network:
    """Make a network of the shape that a checkpoint's metadata tells; without any, of full size."""
    size = Size.from_dict(metadata["size"]) if metadata else None
    shrunk = size is not None and metadata["size"] != metadata["full"]["size"]
    return interface.build(config, size if shrunk else None)
