"""The letters: which prior each group of parameters has, and the papers' names for combinations.

References
----------
Chirkova, Lobacheva, Vetrov: *Bayesian Compression for Natural Language Processing*, EMNLP 2018.
Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*, 2018.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bayespress.errors import ConfigError


class Prior(StrEnum):
    """The kind of a parameter: which prior it has, if it is random at all."""

    LOG_UNIFORM = "L"
    """Random, log-uniform prior: sparse variational dropout, the only kind that prunes."""
    NORMAL = "N"
    """Random, standard-normal prior: noise and regularisation, no pruning."""
    DETERMINISTIC = "D"
    """An ordinary learned parameter."""
    CONSTANT = "C"
    """The constant one; for group variables only, where it means that there is none."""

    @property
    def is_random(self) -> bool:
        """Whether the parameter has a posterior with a log sigma."""
        return self in (Prior.LOG_UNIFORM, Prior.NORMAL)


WEIGHT_PRIORS = (Prior.LOG_UNIFORM, Prior.NORMAL, Prior.DETERMINISTIC)
GROUP_PRIORS = (*WEIGHT_PRIORS, Prior.CONSTANT)

POSITIONS = ("embedding", "vocab", "recurrent", "gates", "neurons", "output")
"""What each of a classifier code's six letters speaks of, in order."""

LM_POSITIONS = ("recurrent", "gates", "neurons", "output")
"""What each of a language model code's four letters speaks of, in order."""

_LETTERS = frozenset(prior.value for prior in Prior)
_GROUPS = frozenset(("vocab", "gates", "neurons", "input", "hidden"))

PRESETS = MappingProxyType(
    {
        "dense": "DCDCCD",
        "w": "LCLCCL",
        "w+voc": "LLLCCL",
        "w+n": "LLLCLL",
        "w+g+n": "LLLLLL",
    }
)
"""The papers' names of classifiers and their codes."""

LM_PRESETS = MappingProxyType(
    {"dense": "DCCD", "w": "LCCL", "w+voc": "LCIL", "w+n": "LCRL", "w+g+n": "LLRL"}
)
"""The papers' names of language models and their codes."""


@dataclass(frozen=True)
class SparsityConfig:
    """Priors of a classifier's six parameter groups, in the order of its code.

    Attributes
    ----------
    embedding
        Embedding weights.
    vocab
        Group variables ``z_vocab``, one per word.
    recurrent
        Input and recurrent weights of the LSTM.
    gates
        Group variables ``z_gates``, one per gate preactivation.
    neurons
        Group variables ``z_input`` (embedding dimensions) and ``z_hidden`` (LSTM neurons).
    output
        Weights of the output layer.

    Raises
    ------
    ConfigError
        If a weight is declared constant: weights take L, N or D; group variables also C.

    Examples
    --------
    >>> SparsityConfig.from_code("LLLCCL").vocab
    <Prior.LOG_UNIFORM: 'L'>
    >>> SparsityConfig.from_name("w+voc").code
    'LLLCCL'
    """

    embedding: Prior
    vocab: Prior
    recurrent: Prior
    gates: Prior
    neurons: Prior
    output: Prior

    def __post_init__(self) -> None:
        for number, (position, prior) in enumerate(zip(POSITIONS, self.priors, strict=True), 1):
            _check_weights(position, number, prior)

    @property
    def priors(self) -> tuple[Prior, ...]:
        """The six priors in the order of the code."""
        return tuple(getattr(self, position) for position in POSITIONS)

    @property
    def code(self) -> str:
        """The six letters."""
        return "".join(prior.value for prior in self.priors)

    @classmethod
    def from_code(cls, code: str) -> SparsityConfig:
        """Read six letters such as ``LLLCCL``.

        Raises
        ------
        ConfigError
            If there are not six letters, or a letter is not one of its position's.
        """
        letters = _letters(code, "classifier", POSITIONS, "LLLLLL")
        for number, letter in enumerate(letters, 1):
            if letter not in _LETTERS:
                raise _wrong_letter(letter, number, code, "classifier", POSITIONS)
        return cls(*(Prior(letter) for letter in letters))

    @classmethod
    def from_name(cls, name: str) -> SparsityConfig:
        """Read a preset's name (``w``, ``w+voc``, ``w+n``, ``w+g+n``, ``dense``) or a code.

        Raises
        ------
        ConfigError
            If it is neither.
        """
        return cls.from_code(_code_of(name, PRESETS, len(POSITIONS)))


@dataclass(frozen=True)
class LanguageModelSparsity:
    """Priors of a language model's parameter groups, in the order of its four-letter code.

    The third letter speaks of both neuron groups; I stands for L of the input words alone, R for L
    of the LSTM's neurons alone, the other one being constant.

    Attributes
    ----------
    recurrent
        Input and recurrent weights of the LSTM; its input is one-hot, a row of weights a word.
    gates
        Group variables ``z_gates``, one per gate preactivation.
    input
        Group variables ``z_input``, one per input word.
    hidden
        Group variables ``z_hidden``, one per neuron.
    output
        Weights of the output layer.

    Raises
    ------
    ConfigError
        If a weight is declared constant.

    Examples
    --------
    >>> sparsity = LanguageModelSparsity.from_code("LLRL")
    >>> sparsity.input.value, sparsity.hidden.value, sparsity.code
    ('C', 'L', 'LLRL')

    References
    ----------
    Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*,
    NeurIPS CDNNRIA workshop 2018.
    """

    recurrent: Prior
    gates: Prior
    input: Prior
    hidden: Prior
    output: Prior

    def __post_init__(self) -> None:
        _check_weights("recurrent", 1, self.recurrent)
        _check_weights("output", 4, self.output)
        if (self.input, self.hidden) not in _NEURON_LETTERS:
            raise ConfigError(
                f"a language model's input and hidden groups cannot be {self.input.value} and "
                f"{self.hidden.value}: both alike, or one L and the other C"
            )

    @property
    def code(self) -> str:
        """The four letters."""
        neurons = _NEURON_LETTERS[self.input, self.hidden]
        return f"{self.recurrent.value}{self.gates.value}{neurons}{self.output.value}"

    @classmethod
    def from_code(cls, code: str) -> LanguageModelSparsity:
        """Read four letters such as ``LCIL``.

        Raises
        ------
        ConfigError
            If there are not four letters, or a letter is not one of its position's.
        """
        letters = tuple(_letters(code, "language model", LM_POSITIONS, "LLRL"))
        for number, letter in enumerate(letters, 1):
            if letter not in (_NEURON_LETTERS.values() if number == 3 else _LETTERS):
                raise _wrong_letter(letter, number, code, "language model", LM_POSITIONS)
        groups = {letter: priors for priors, letter in _NEURON_LETTERS.items()}
        recurrent, gates, neurons, output = letters
        return cls(Prior(recurrent), Prior(gates), *groups[neurons], Prior(output))

    @classmethod
    def from_name(cls, name: str) -> LanguageModelSparsity:
        """Read a preset's name (``w``, ``w+voc``, ``w+n``, ``w+g+n``, ``dense``) or a code.

        Raises
        ------
        ConfigError
            If it is neither.
        """
        return cls.from_code(_code_of(name, LM_PRESETS, len(LM_POSITIONS)))


_NEURON_LETTERS: Mapping[tuple[Prior, Prior], str] = MappingProxyType(
    {
        **{(prior, prior): prior.value for prior in GROUP_PRIORS},
        (Prior.LOG_UNIFORM, Prior.CONSTANT): "I",
        (Prior.CONSTANT, Prior.LOG_UNIFORM): "R",
    }
)
"""The third letter of a language model's code, by the priors of z_input and z_hidden."""


def _check_weights(position: str, number: int, prior: Prior) -> None:
    if prior not in (GROUP_PRIORS if position in _GROUPS else WEIGHT_PRIORS):
        raise ConfigError(
            f"{position} weights cannot be constant (C): position {number} of a code takes "
            "L, N or D"
        )


def _letters(code: str, kind: str, positions: Sequence[str], example: str) -> str:
    if len(code) != len(positions):
        raise ConfigError(
            f"a {kind} code has {len(positions)} letters ({', '.join(positions)}), "
            f"for instance {example}; got {code!r} with {len(code)}"
        )
    return code.upper()


def _wrong_letter(
    letter: str, number: int, code: str, kind: str, positions: Sequence[str]
) -> ConfigError:
    position = positions[number - 1]
    takes = "L, N, D or C" if position in _GROUPS else "L, N or D"
    if len(positions) == len(LM_POSITIONS) and position == "neurons":
        takes = "L, N, D, C, I (input words alone) or R (neurons alone)"
    return ConfigError(
        f"letter {number} ({position}) of a {kind} code takes {takes}; got {letter!r} in {code!r}"
    )


def _code_of(name: str, presets: Mapping[str, str], length: int) -> str:
    """Look a preset up; what is none is taken for a code."""
    code = presets.get(name.lower())
    if code is not None:
        return code
    close = difflib.get_close_matches(name.lower(), presets, n=1)
    if close and len(name) != length:
        raise ConfigError(
            f"unknown preset {name!r}; did you mean {close[0]!r}? There are {', '.join(presets)}"
        )
    return name
