"""The letters: which prior each group of parameters has, and the papers' names for combinations.

References
----------
Chirkova, Lobacheva, Vetrov: *Bayesian Compression for Natural Language Processing*, EMNLP 2018.
Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural Networks*, 2018.
"""

from __future__ import annotations

import difflib
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

_LETTERS = frozenset(prior.value for prior in Prior)
_IS_GROUP = (False, True, False, True, True, False)

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
        for position, is_group, prior in zip(POSITIONS, _IS_GROUP, self.priors, strict=True):
            if prior not in (GROUP_PRIORS if is_group else WEIGHT_PRIORS):
                raise ConfigError(
                    f"{position} weights cannot be constant (C): position "
                    f"{POSITIONS.index(position) + 1} of a code takes L, N or D"
                )

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
        if len(code) != len(POSITIONS):
            raise ConfigError(
                f"a classifier code has {len(POSITIONS)} letters ({', '.join(POSITIONS)}), "
                f"for instance LLLLLL; got {code!r} with {len(code)}"
            )
        for number, letter in enumerate(code.upper(), 1):
            if letter not in _LETTERS:
                takes = "L, N, D or C" if _IS_GROUP[number - 1] else "L, N or D"
                raise ConfigError(
                    f"letter {number} ({POSITIONS[number - 1]}) of a classifier code takes "
                    f"{takes}; got {letter!r} in {code!r}"
                )
        return cls(*(Prior(letter) for letter in code.upper()))

    @classmethod
    def from_name(cls, name: str) -> SparsityConfig:
        """Read a preset's name (``w``, ``w+voc``, ``w+n``, ``w+g+n``, ``dense``) or a code.

        Raises
        ------
        ConfigError
            If it is neither.
        """
        code = PRESETS.get(name.lower())
        if code is not None:
            return cls.from_code(code)
        close = difflib.get_close_matches(name.lower(), PRESETS, n=1)
        if close and len(name) != len(POSITIONS):
            raise ConfigError(
                f"unknown preset {name!r}; did you mean {close[0]!r}? "
                f"There are {', '.join(PRESETS)}"
            )
        return cls.from_code(name)
