"""All settings, defined once: the TOML key, the flag and the checkpoint's key are the same word.

A :class:`Config` has four parts, the TOML's tables. Every key is unique over the parts, so that a
flag needs no prefix. Settings come in layers, the later one wins: defaults, the schedule, the
recipe or the source's own defaults, and what the user said.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayespress.errors import ConfigError
from bayespress.schedules import Value, scaled_phases, schedule_of, task_defaults
from bayespress.settings import DataConfig, ModelConfig, TextConfig, TrainingConfig
from bayespress.sparsity import LanguageModelSparsity, SparsityConfig
from bayespress.storage import read_text

__all__ = [
    "FIELDS",
    "Config",
    "DataConfig",
    "ModelConfig",
    "TextConfig",
    "TrainingConfig",
    "flat_from_toml",
    "part_of",
]


@dataclass(frozen=True)
class Config:
    """Everything that decides a run.

    Raises
    ------
    ConfigError
        If any value is out of range; all problems are named at once.

    Examples
    --------
    >>> Config.from_flat({"code": "w+n", "epochs": 3}).model.code
    'LLLCLL'
    >>> Config.from_flat({"epoch": 3})
    Traceback (most recent call last):
    bayespress.errors.ConfigError: unknown setting 'epoch'; did you mean 'epochs'?
    """

    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        problems = list(_problems(self.flat()))
        if problems:
            raise ConfigError("; ".join(problems))

    @property
    def sparsity(self) -> SparsityConfig | LanguageModelSparsity:
        """The priors that the code names."""
        return _SPARSITY[self.data.task].from_code(self.model.code)

    def flat(self) -> dict[str, Value]:
        """All settings by their key."""
        return {key: value for part in self.tables().values() for key, value in part.items()}

    def tables(self) -> dict[str, dict[str, Value]]:
        """All settings by table and key, as a TOML file has them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_flat(cls, *layers: Mapping[str, Value]) -> Config:
        """Merge layers of settings, the later one wins, over the defaults and the schedule.

        Raises
        ------
        ConfigError
            If keys are unknown, types are wrong or values out of range, all named at once.
        """
        said = {key: value for layer in layers for key, value in layer.items()}
        task = _name(said, "task", DataConfig.task)
        schedule = schedule_of(_name(said, "schedule", TrainingConfig.schedule), task)
        usual = {**task_defaults(task, _name(said, "level", TextConfig.level)), **schedule}
        merged = {**usual, **scaled_phases(schedule, said.get("epochs")), **said}
        problems = list(_problems(merged))
        if problems:
            raise ConfigError("; ".join(problems))
        if "code" in merged:
            merged["code"] = _SPARSITY[task].from_name(str(merged["code"])).code
        return cls(
            **{
                part: kind(**{key: _coerce(key, merged[key]) for key in keys if key in merged})
                for part, (kind, keys) in _PARTS.items()
            }
        )

    @classmethod
    def from_toml(cls, text: str, origin: str, *layers: Mapping[str, Value]) -> Config:
        """Read a TOML text, then merge further layers over it.

        Raises
        ------
        ConfigError
            If the text is not TOML, or as in :meth:`from_flat`.
        """
        return cls.from_flat(flat_from_toml(text, origin), *layers)

    @classmethod
    def from_file(cls, path: Path) -> Config:
        """Read the settings of a run.

        Raises
        ------
        RunError
            If the file cannot be read, or is not UTF-8.
        ConfigError
            As in :meth:`from_toml`.
        """
        text = read_text(path, "write its settings anew, or start the run anew")
        return cls.from_toml(text, str(path))


_SPARSITY: Mapping[str, type[SparsityConfig | LanguageModelSparsity]] = MappingProxyType(
    {"classify": SparsityConfig, "lm": LanguageModelSparsity}
)
_LARGEST = 2**63 - 1
_KINDS = {
    "data": DataConfig,
    "text": TextConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}
_PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    name: (kind, tuple(f.name for f in dataclasses.fields(kind))) for name, kind in _KINDS.items()
}
FIELDS: Mapping[str, dataclasses.Field[Any]] = MappingProxyType(
    {f.name: f for kind in _KINDS.values() for f in dataclasses.fields(kind)}
)
"""Every setting's field by its key: its type, default, help text, choices and limits."""


def part_of(key: str) -> str:
    """Name the table that a key belongs to."""
    return next(name for name, (_, keys) in _PARTS.items() if key in keys)


def flat_from_toml(text: str, origin: str) -> dict[str, Value]:
    """Read a TOML text's tables ``data``, ``text``, ``model`` and ``training`` as flat settings.

    Raises
    ------
    ConfigError
        If the text is not TOML, or a key stands in another table than its own.
    """
    try:
        tables = tomllib.loads(text)
    except ValueError as error:  # of numbers too long to be read, too
        raise ConfigError(f"{origin} is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{origin} is not valid TOML: it is nested too deeply") from None
    flat: dict[str, Value] = {}
    for name in _PARTS:
        table = tables.get(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{origin}: {name!r} must be a table, written [{name}]")
        for key, value in table.items():
            if key in FIELDS and part_of(key) != name:
                raise ConfigError(f"{origin}: {key!r} belongs into [{part_of(key)}], not [{name}]")
            flat[key] = value
    stray = set(tables) - set(_PARTS) - {"recipe", "paper"}
    if stray:
        raise ConfigError(
            f"{origin}: unknown table or key {min(stray)!r}; there are {', '.join(_PARTS)}"
        )
    return flat


def _name(flat: Mapping[str, Value], key: str, usual: str) -> str:
    """Look up what decides about other settings; a problem is found later."""
    return value if isinstance(value := flat.get(key), str) else usual


def _problems(flat: Mapping[str, Value]) -> Iterator[str]:
    for key, value in flat.items():
        if key not in FIELDS:
            yield _unknown(key, FIELDS)
        else:
            yield from _problems_of_value(key, value)
    yield from _problems_of_network(flat)
    kind = _SPARSITY.get(_name(flat, "task", DataConfig.task))
    if kind is not None and isinstance(code := flat.get("code"), str):
        try:
            kind.from_name(code)
        except ConfigError as error:
            yield str(error)


def _problems_of_network(flat: Mapping[str, Value]) -> Iterator[str]:
    """Look for what only classifiers have, in a language model's settings."""
    for key in ("cell", "layers", "bidirectional", "pooling", "dropout"):
        usual = FIELDS[key].default
        if flat.get("task") == "lm" and flat.get(key, usual) != usual:
            yield f"{key} is a setting of classifiers: a language model has one LSTM ({usual})"
    if flat.get("task") == "lm" and flat.get("label_separator") is not None:
        yield "label_separator is a setting of classifiers: a language model reads no labels"


def _unknown(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown setting {key!r}{hint}"


def _problems_of_value(key: str, value: Value) -> Iterator[str]:
    kind, limits = str(FIELDS[key].type), FIELDS[key].metadata
    if not _has_type(value, kind):
        yield f"{key} must be {kind.replace(' | None', '')}, got {_shown(value)}"
    elif key == "label_separator" and value == "":
        yield "label_separator must be what stands between labels, for instance ';', got ''"
    elif limits["choices"] and value not in limits["choices"]:
        yield f"{key} must be one of {', '.join(limits['choices'])}, got {value!r}"
    elif isinstance(value, int) and abs(value) > _LARGEST:
        yield f"{key} must be at most {_LARGEST}, as numbers in TOML are; got {_shown(value)}"
    elif isinstance(value, (int, float)) and not limits["low"] <= value <= limits["high"]:
        yield f"{key} must be {_range(limits['low'], limits['high'])}, got {value!r}"
    elif value == math.inf and key != "threshold":  # an infinite threshold prunes nothing
        yield f"{key} must be finite, got {value!r}"


def _shown(value: Value) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes so many digits only, though it reads more in hexadecimal
        return "a number of thousands of digits"


def _has_type(value: Value, kind: str) -> bool:
    if value is None:
        return kind.endswith("| None")
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value).__name__ == kind.removesuffix(" | None")


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"between {low:g} and {high:g}" if not math.isinf(low) else f"at most {high:g}"


def _coerce(key: str, value: Value) -> Value:
    return float(value) if FIELDS[key].type == "float" and isinstance(value, int) else value
