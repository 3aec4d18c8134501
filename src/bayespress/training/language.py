"""Learning to predict the next token of a text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bayespress.compact import CompactLanguageModel
from bayespress.compression import Network
from bayespress.config import Config, TrainingConfig
from bayespress.data import TextSplits
from bayespress.errors import DataError
from bayespress.nn.recurrence import State
from bayespress.runtime import LanguageModel
from bayespress.text import TokenEncoder
from bayespress.training.interfaces import Interface, LanguageInterface
from bayespress.training.seeds import seed_of
from bayespress.training.tasks import Measure
from bayespress.variational import Share


@dataclass
class Carried:
    """The state that one mini-batch leaves to the next; None at the beginning of an epoch."""

    state: State | None = None


@dataclass(frozen=True)
class Segments:
    """Pieces of streams side by side: rows of the table and the tokens that follow them.

    Attributes
    ----------
    rows, following
        Shape ``(batch, time)``.
    carried
        Where the state comes from and goes to; None: it begins with zeros.
    """

    rows: Tensor
    following: Tensor
    carried: Carried | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device) -> Segments:
        """Move it to a device; the carried state is there already."""
        rows, following = (t.to(device, non_blocking=True) for t in (self.rows, self.following))
        return replace(self, rows=rows, following=following)

    def loss(
        self, module: nn.Module, noise: torch.Generator, share: Share | None
    ) -> tuple[Tensor, None]:
        """Mean negative log likelihood of a token; there is no accuracy."""
        before = None if self.carried is None else self.carried.state
        following = self.following if share is None else share.of(self.following)
        loss, state = module(self.rows, before, noise, share, following)
        if self.carried is not None:
            self.carried.state = (state[0].detach(), state[1].detach())
        return loss, None


@dataclass(frozen=True)
class LanguageModelling:
    """Token ids of a training and a validation text.

    Attributes
    ----------
    interface
        Between texts and network.
    segment_length
        Tokens that are read at once.
    train, validation
        Token ids, whatever the network's rows are, shape ``(tokens,)``.
    """

    interface: LanguageInterface
    segment_length: int
    streams: int
    train: NDArray[np.int32]
    validation: NDArray[np.int32]

    @property
    def _is_carried(self) -> bool:
        return self.interface.window is None

    @property
    def num_train(self) -> int:
        """Number of tokens that are predicted in an epoch."""
        if self._is_carried:
            return self.streams * (len(self.train) // self.streams - 1)
        return self._windows * (self.segment_length - 1)

    @property
    def _windows(self) -> int:
        """Windows an epoch, as many as there are for any offset."""
        length = self.segment_length
        return max(1, (len(self.train) - length + 1) // length)

    def steps(self, training: TrainingConfig) -> int:
        """Mini-batches an epoch."""
        if self._is_carried:
            return math.ceil((len(self.train) // self.streams - 1) / self.segment_length)
        return math.ceil(self._windows / training.batch_size)

    def batches(self, training: TrainingConfig, epoch: int) -> Iterator[Segments]:
        """Iterate over one epoch: segments of streams in order, or windows in random order."""
        rows = torch.from_numpy(self.interface.rows)
        if self._is_carried:
            return self._carried_batches(rows)
        return self._windowed_batches(rows, training, seed_of(training.seed, "order", epoch))

    def _carried_batches(self, rows: Tensor) -> Iterator[Segments]:
        carried = Carried()
        length = len(self.train) // self.streams
        stream = torch.from_numpy(self.train[: length * self.streams]).long()
        streams = stream.view(self.streams, length)
        for start in range(0, length - 1, self.segment_length):
            end = min(start + self.segment_length, length - 1)
            following = streams[:, start + 1 : end + 1]
            yield Segments(rows[streams[:, start:end]], following, carried)

    def _windowed_batches(
        self, rows: Tensor, training: TrainingConfig, seed: list[int]
    ) -> Iterator[Segments]:
        random, length = np.random.default_rng(seed), self.segment_length
        used = self._windows * length
        offset = random.integers(min(length, len(self.train) - used + 1))
        windows = torch.from_numpy(self.train[offset : offset + used]).long().view(-1, length)
        order = torch.from_numpy(random.permutation(self._windows))
        for chosen in order.split(training.batch_size):
            ids = windows[chosen]
            yield Segments(rows[ids[:, :-1]], ids[:, 1:])

    def restrict(self, interface: Interface, new_row: NDArray[np.int32]) -> LanguageModelling:  # noqa: ARG002
        """Give the task for fewer input words; the tokens to predict stay."""
        if not isinstance(interface, LanguageInterface):
            raise TypeError(f"a language model's is needed, got {type(interface).__name__}")
        return replace(self, interface=interface)

    def validate(self, net: Network) -> Measure:
        """Mean negative log likelihood over the whole validation text."""
        model = self.interface.to_compact(net, {})
        if not isinstance(model, CompactLanguageModel):
            raise TypeError(f"a language model is needed, got {type(model).__name__}")
        return Measure(nll=float(LanguageModel(model).nll(self.validation)[0].mean()))


def prepare_language_modelling(
    config: Config, splits: TextSplits, restricted: LanguageInterface | None = None
) -> LanguageModelling:
    """Choose the tokens by the training text, and encode texts.

    Parameters
    ----------
    config, splits
        Settings and data.
    restricted
        What live shrinking has made of the interface, in a run that goes on.

    Raises
    ------
    DataError
        If there is no validation text, a text is too short, or there are fewer than two tokens.
    """
    window = None if config.text.carry_state else config.text.segment_length
    encoder = restricted.encoder if restricted else TokenEncoder.fit(splits.train, config.text)
    task = LanguageModelling(
        restricted or LanguageInterface(encoder, window),
        config.text.segment_length,
        config.training.batch_size,
        encoder.encode(splits.train),
        encoder.encode(splits.validation),
    )
    _check(task, config)
    return task


def _check(task: LanguageModelling, config: Config) -> None:
    tokens, kind = len(task.interface.encoder.tokens), config.text.level
    if tokens < 2:
        raise DataError(
            f"the training text has {tokens} distinct tokens at {kind} level, at least two are "
            "needed: take a longer text, or lower --min-documents"
        )
    if len(task.validation) < 2:
        raise DataError(
            "the best epoch is chosen on a validation text and there is none of two tokens: "
            "raise --validation-fraction, take a longer text, or name a --validation-source"
        )
    least = 2 * task.streams if config.text.carry_state else task.segment_length
    if len(task.train) < least:
        setting = "--batch-size" if config.text.carry_state else "--segment-length"
        raise DataError(
            f"the training text has {len(task.train)} tokens and needs {least}: "
            f"take a longer text, or lower {setting}"
        )
