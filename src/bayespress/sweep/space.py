"""What is searched: for each setting the values that it may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayespress.config import FIELDS, Config
from bayespress.errors import ConfigError
from bayespress.schedules import Value

if TYPE_CHECKING:
    from optuna import Trial

_FIXED = MappingProxyType(
    {
        "source": "a sweep has one source",
        "task": "a sweep has one task",
        "seed": "say how many with --seeds",
        "split_seed": "trials have to be compared on the same data",
        "compression_worth": "it decides what is best",
    }
)
"""Settings that cannot be searched, and why."""
_BOOLEANS = MappingProxyType({"true": True, "yes": True, "false": False, "no": False})
_KINDS: Mapping[str, Callable[[str], Value]] = MappingProxyType(
    {"int": int, "float": float, "bool": lambda word: _BOOLEANS[word.lower()]}
)
"""How values are read, by the kind of their setting."""
_EXAMPLES = "kl_weight=0.5..4:log or hidden_size=64,128"


@dataclass(frozen=True)
class Choices:
    """A setting that takes one of several values.

    Attributes
    ----------
    key
        The setting.
    values
        What it may be.
    """

    key: str
    values: tuple[Value, ...]

    @property
    def bounds(self) -> tuple[Value, ...]:
        """Values that have to be in order for all to be."""
        return self.values

    def suggest(self, trial: Trial) -> Value:
        """Let a trial choose."""
        chosen: Value = trial.suggest_categorical(self.key, self.values)
        return chosen


@dataclass(frozen=True)
class Range:
    """A setting that takes any number between two.

    Attributes
    ----------
    key
        The setting.
    low, high
        The least and the largest number.
    is_log
        Whether numbers are drawn evenly on the logarithmic scale.
    """

    key: str
    low: float
    high: float
    is_log: bool = False

    @property
    def bounds(self) -> tuple[Value, ...]:
        """Values that have to be in order for all to be."""
        return self.low, self.high

    def suggest(self, trial: Trial) -> Value:
        """Let a trial choose."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.key, self.low, self.high, log=self.is_log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.is_log)


Search = Choices | Range


def parse(text: str) -> Search:
    """Read what is to be searched, as the command line has it.

    Raises
    ------
    ConfigError
        If it cannot be understood, or its setting cannot be searched.

    Examples
    --------
    >>> parse("kl_weight=0.5..4:log")
    Range(key='kl_weight', low=0.5, high=4.0, is_log=True)
    >>> parse("hidden-size=64,128")
    Choices(key='hidden_size', values=(64, 128))
    """
    name, equals, values = text.partition("=")
    key = name.strip().removeprefix("--").replace("-", "_")
    if not equals or not values.strip():
        raise ConfigError(f"--search {text}: write KEY=LOW..HIGH, or KEY=A,B, as in {_EXAMPLES}")
    if key not in FIELDS:
        Config.from_flat({key: None})  # says which setting may be meant
    if key in _FIXED:
        raise ConfigError(f"--search {text}: {key} cannot be searched: {_FIXED[key]}")
    if ".." in values:
        return _range(key, values, text)
    return Choices(key, tuple(_value(key, one.strip(), text) for one in values.split(",")))


def _range(key: str, values: str, text: str) -> Range:
    numbers, colon, scale = values.partition(":")
    if colon and scale.strip() != "log":
        raise ConfigError(f"--search {text}: a range may end in :log, not in :{scale}")
    low, _, high = numbers.partition("..")
    if _KINDS.get(_kind(key)) not in (int, float):
        raise ConfigError(f"--search {text}: {key} is no number: write its values as A,B")
    least, most = (_number(key, end.strip(), text) for end in (low, high))
    found = Range(key, least, most, bool(colon))
    if not found.low < found.high or math.isinf(found.high):
        raise ConfigError(f"--search {text}: a range goes from a number to a larger one")
    if found.is_log and found.low <= 0:
        raise ConfigError(f"--search {text}: with :log, the least number must be over 0")
    return found


def _kind(key: str) -> str:
    return str(FIELDS[key].type).removesuffix(" | None")


def _number(key: str, text: str, whole: str) -> float:
    number = _value(key, text, whole)
    return number if isinstance(number, (int, float)) else math.nan


def _value(key: str, text: str, whole: str) -> Value:
    try:
        return _KINDS.get(_kind(key), str)(text)
    except (ValueError, KeyError):
        raise ConfigError(f"--search {whole}: {key} must be {_kind(key)}, got {text!r}") from None


def check(searches: Sequence[Search], config_of: Callable[[Mapping[str, Value]], Config]) -> None:
    """Make sure that each value that a trial may take is in order.

    Parameters
    ----------
    searches
        What is searched.
    config_of
        Makes a run's settings of what a trial changes.

    Raises
    ------
    ConfigError
        If there is nothing to search, a setting is named twice, or a value is wrong.
    """
    if not searches:
        raise ConfigError(f"say what is searched with --search, as in --search {_EXAMPLES}")
    keys = [search.key for search in searches]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ConfigError(f"--search names {twice} twice: write all of its values in one")
    for search in searches:
        for value in search.bounds:
            config_of({search.key: value})


def grid(searches: Sequence[Search]) -> Iterator[dict[str, Any]]:
    """Iterate over all combinations of values.

    Raises
    ------
    ConfigError
        If a setting has a range, which has no end of values.

    Examples
    --------
    >>> list(grid([parse("hidden_size=8,16"), parse("code=w")]))
    [{'hidden_size': 8, 'code': 'w'}, {'hidden_size': 16, 'code': 'w'}]
    """
    ranges = [search.key for search in searches if isinstance(search, Range)]
    if ranges:
        raise ConfigError(
            f"{ranges[0]} is searched in a range, which has no last value: say how many --trials, "
            "or write its values as A,B"
        )
    chosen = [search.values for search in searches if isinstance(search, Choices)]
    for values in itertools.product(*chosen):
        yield dict(zip((search.key for search in searches), values, strict=True))
