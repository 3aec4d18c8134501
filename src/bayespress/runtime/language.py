"""From a raw text to the probability of what comes next, and to texts that go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bayespress.compact import CompactLanguageModel
from bayespress.compact.model import FloatArray
from bayespress.errors import ConfigError, DataError
from bayespress.runtime.evaluation import LanguageEvaluation
from bayespress.runtime.lstm import LSTMState, NumpyLSTM
from bayespress.runtime.predictor import softmax
from bayespress.runtime.sampling import Sampler
from bayespress.text import TokenEncoder
from bayespress.text.tokens import END, UNKNOWN

_MAX_LOGITS = 2**20
"""Logits that are there at once; so few that they stay in the processor's cache."""
_MAX_HIDDEN = 2**22
"""Numbers of hidden states that are there at once."""
_WINDOWS = 256
"""Windows that are read side by side."""
_NAMED = 10
"""Unknown tokens that an error names."""


class LanguageModel:
    r"""A language model that is ready to use.

    Parameters
    ----------
    model
        The model, as :func:`bayespress.compact.load` reads it.

    Notes
    -----
    The logits of the token after :math:`x_1 … x_t` are :math:`W_{out} h_t + b_{out}`. A token adds
    its column of ``weight_ih`` to the gates, or nothing if it is not one of the model's inputs.
    """

    def __init__(self, model: CompactLanguageModel) -> None:
        self.model = model
        self._lstm = NumpyLSTM(model.lstm)
        self._table = self._lstm.project_one_hot()
        # Tokens that are not read share the last row, which is for no input.
        self._row = np.full(len(model.encoder.tokens), len(model.inputs))
        self._row[model.inputs] = np.arange(len(model.inputs))

    @property
    def encoder(self) -> TokenEncoder:
        """What turns texts into ids and back."""
        return self.model.encoder

    def evaluate(self, text: str) -> LanguageEvaluation:
        """Measure how well the model predicts a text.

        Raises
        ------
        DataError
            If the text has fewer than two tokens: the first one is not predicted.
        """
        ids = self.encoder.encode(text)
        if len(ids) < 2:
            raise DataError(
                f"the text has {len(ids)} tokens that the model knows; "
                "at least two are needed, as the first one is not predicted"
            )
        known = self.encoder.ids
        unknown = sum(token not in known for line in self.encoder.lines(text) for token in line)
        return LanguageEvaluation.of(self.nll(ids)[0], unknown, self.encoder.level)

    def nll(
        self, ids: NDArray[np.integer] | Sequence[int], state: LSTMState | None = None
    ) -> tuple[NDArray[np.float64], LSTMState]:
        r"""Give each token's negative log probability, :math:`-\log p(x_t | x_1 … x_{t-1})`.

        Where the model has no windows, the ids are one sequence; the first one is not predicted.
        Where it has, the ids are cut into windows, each of which begins anew with a state of zeros
        and an unpredicted first token; a rest of at least two tokens is a window too.

        Parameters
        ----------
        ids
            Token ids, shape ``(length,)``.
        state
            What was read before the first id; nothing if None. Windows leave it out.

        Returns
        -------
        nll, state
            In nats, shape ``(tokens predicted,)``, and the state before the last id, which was
            predicted but not read: a stream goes on with ids that begin with that one. After
            windows it is the state of zeros.
        """
        stream, zero = np.asarray(ids, dtype=np.int64), self._lstm.zero_state(1)
        if self.model.window is not None:
            return self._nll_of_windows(stream, self.model.window), zero
        nll, state = self._nll_of_sequences(stream[None], zero if state is None else state)
        return nll[0], state

    def next_token_probabilities(self, text: str) -> FloatArray:
        """Give every token's probability to come after a text, which may be empty.

        Parameters
        ----------
        text
            Raw text; read as :meth:`generate` reads its prompt.

        Returns
        -------
        ndarray
            Probabilities by token id, shape ``(tokens,)``.

        Raises
        ------
        DataError
            If the text has tokens that the model does not know, and has no ``<unk>`` for.
        """
        state = self._read(self._start(self._encode(text)), self._lstm.zero_state(1))
        probabilities: FloatArray = softmax(self._logits(state)[None])[0]
        return probabilities

    def generate(
        self, prompt: str, length: int, temperature: float = 1.0, seed: int = 0
    ) -> Iterator[str]:
        """Go on with a text, token by token, as :class:`~bayespress.runtime.sampling.Sampler` says.

        The prompt is read from a state of zeros; an empty one counts as the end of a line, where
        the model has a token for that. The state is carried on without end, also by models that
        were trained on windows. ``<unk>`` is never written: its probability is taken out.

        Parameters
        ----------
        prompt
            The text to go on with, which may be empty.
        length
            How many tokens to write.
        temperature
            0 takes the most probable token (of equal ones the lowest id), 1 follows the model's
            probabilities.
        seed
            Equal seeds give equal texts.

        Returns
        -------
        iterator
            Pieces of text, one for each token, each made when it is asked for. The prompt is not
            among them; joined behind it they are the whole text.

        Raises
        ------
        ConfigError
            If the temperature is not finite, or it, the length or the seed is negative.
        DataError
            If the prompt has tokens that the model does not know and has no ``<unk>`` for, or if
            the model knows no token but that.
        """
        if length < 0:
            raise ConfigError(f"length must be at least 0, got {length}")
        if set(self.encoder.tokens) == {UNKNOWN}:
            raise DataError(f"the model knows no token but {UNKNOWN}: it cannot write")
        sampler = Sampler(temperature, seed, never=self._unknown)
        ids = self._encode(prompt)
        written = self._written(self._start(ids), length, sampler)
        return self.encoder.decode(written, previous=int(ids[-1]) if len(ids) else None)

    def _written(
        self, pending: Sequence[int] | NDArray[np.integer], length: int, sampler: Sampler
    ) -> Iterator[int]:
        """Read what is pending, choose a token, and so on with that one."""
        state = self._lstm.zero_state(1)
        for _ in range(length):
            state = self._read(pending, state)
            chosen = sampler.choose(self._logits(state))
            yield chosen
            pending = [chosen]

    def _encode(self, prompt: str) -> NDArray[np.int32]:
        if self._unknown is None and (strange := self.encoder.unknown(prompt)):
            named = ", ".join(map(repr, strange[:_NAMED]))
            more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
            raise DataError(
                f"the model does not know {named}{more} and has no {UNKNOWN}: "
                "take that out of the prompt"
            )
        return self.encoder.encode(prompt)

    def _start(self, ids: NDArray[np.int32]) -> Sequence[int] | NDArray[np.integer]:
        """Give what is read before the first choice."""
        if len(ids):
            return ids
        end = self.encoder.ids.get("\n" if self.encoder.level == "char" else END)
        return [] if end is None else [end]

    @property
    def _unknown(self) -> int | None:
        """Id of the token that stands for unknown ones."""
        # At character level no token has more than one character.
        return self.encoder.ids.get(UNKNOWN)

    def _read(self, ids: Sequence[int] | NDArray[np.integer], state: LSTMState) -> LSTMState:
        rows = self._row[np.asarray(ids, dtype=np.int64)][:, None]
        steps = self._steps(1)
        for start in range(0, len(rows), steps):
            _, state = self._lstm.all_hidden(self._table, rows[start : start + steps], state)
        return state

    def _logits(self, state: LSTMState) -> FloatArray:
        logits: FloatArray = self.model.output_weight @ state.hidden[0] + self.model.output_bias
        return logits

    def _nll_of_windows(self, ids: NDArray[np.int64], window: int) -> NDArray[np.float64]:
        whole = len(ids) // window
        windows = ids[: whole * window].reshape(whole, window)
        batches = [windows[start : start + _WINDOWS] for start in range(0, whole, _WINDOWS)]
        rest = ids[whole * window :]
        if len(rest) >= 2:
            batches.append(rest[None])
        found = [
            self._nll_of_sequences(batch, self._lstm.zero_state(len(batch)))[0].reshape(-1)
            for batch in batches
        ]
        return np.concatenate([*found, np.zeros(0)])

    def _nll_of_sequences(
        self, ids: NDArray[np.int64], state: LSTMState
    ) -> tuple[NDArray[np.float64], LSTMState]:
        """Give the figures of sequences of one length, shape ``(N, length)``, side by side."""
        count, length = ids.shape
        nll = np.empty((count, max(length - 1, 0)))
        steps = self._steps(count)
        for start in range(0, length - 1, steps):
            chunk = ids[:, start : start + steps + 1].T
            hidden, state = self._lstm.all_hidden(self._table, self._row[chunk[:-1]], state)
            targets = chunk[1:].reshape(-1)
            found = self._nll_of_targets(hidden.reshape(len(targets), -1), targets)
            nll[:, start : start + steps] = found.reshape(-1, count).T
        return nll, state

    def _steps(self, count: int) -> int:
        """Tell how many steps of so many sequences may be in memory."""
        return max(1, _MAX_HIDDEN // (count * max(1, self.model.lstm.hidden_size)))

    def _nll_of_targets(
        self, hidden: FloatArray, targets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Give each target's figure by the state before it, shape ``(N, hidden)``, in chunks."""
        nll = np.empty(len(targets))
        size = max(1, _MAX_LOGITS // len(self.encoder.tokens))
        weight, bias = self.model.output_weight.T, self.model.output_bias
        for start in range(0, len(targets), size):
            logits = hidden[start : start + size] @ weight
            logits += bias
            nll[start : start + size] = _surprise(logits, targets[start : start + size])
        return nll


def _surprise(logits: FloatArray, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give minus the log of a softmax at the targets; the logits are used up."""
    largest = logits.max(axis=1)
    of_target = logits[np.arange(len(targets)), targets].astype(np.float64)
    with np.errstate(over="ignore"):  # a difference of minus infinity is right
        logits -= largest[:, None]
    np.exp(logits, out=logits)
    surprise: NDArray[np.float64] = np.log(logits.sum(axis=1, dtype=np.float64))
    surprise += largest
    surprise -= of_target
    return surprise
