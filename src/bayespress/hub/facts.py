"""What a card says of a model beyond what its file holds: figures, settings, licence."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayespress import data, runtime
from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel
from bayespress.config import Config
from bayespress.errors import ConfigError, DataError
from bayespress.history import EpochRecord, perplexity
from bayespress.report import ReportedRun

ACCURACY, F1, PERPLEXITY, BITS = "accuracy", "f1", "perplexity", "bits_per_character"
HUB_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "imdb": "stanfordnlp/imdb",
        "ag-news": "fancyzhx/ag_news",
        "ptb-word": "ptb-text-only/ptb_text_only",
        "ptb-char": "ptb-text-only/ptb_text_only",
    }
)
"""What sources that have a name here are called on the hub."""
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*|multilingual|code")
_HUB_SOURCE = re.compile(r"hf:([\w.-]+(?:/[\w.-]+)?)(?::[\w.-]+)?")
_PATHS = ("source", "validation_source", "test_source")
_NAMED = frozenset({"demo", *HUB_NAMES})


@dataclass(frozen=True)
class Figure:
    """How good a model is on a part of its data.

    Attributes
    ----------
    split
        ``test`` or ``validation``.
    measure
        ``accuracy`` (1 is 100 %), ``f1`` (micro-F1 of several labels), ``perplexity`` or
        ``bits_per_character``.
    value
        The figure.
    count
        Texts or tokens that it was measured on, if that is known.
    """

    split: str
    measure: str
    value: float
    count: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is told of a model.

    Attributes
    ----------
    name
        What the run or the file is called.
    settings
        The run's, by table and key; of paths the file's name alone.
    figures
        How good it is.
    epoch, epochs
        The epoch that is published, and how many there were.
    command
        What repeats the run.
    versions
        Of the programs that trained it.
    license
        The hub's identifier: ``apache-2.0``, ``mit`` …
    languages
        Codes of the texts' languages: ``en`` …

    Raises
    ------
    ConfigError
        If the licence or a language has not the form that the hub takes.
    """

    name: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    epoch: int | None = None
    epochs: int | None = None
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    license: str | None = None
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.license is not None and not _LICENSE.fullmatch(self.license):
            raise ConfigError(
                "a licence is one of the hub's identifiers, such as apache-2.0, mit, cc-by-4.0 or "
                f"other, got {self.license!r}"
            )
        strange = next((one for one in self.languages if not _LANGUAGE.fullmatch(one)), None)
        if strange is not None:
            raise ConfigError(
                f"a language is a code of ISO 639, such as en, de or nds, got {strange!r}"
            )
        # Neither JSON nor YAML has numbers that are none.
        whole = tuple(figure for figure in self.figures if math.isfinite(figure.value))
        object.__setattr__(self, "figures", whole)

    @property
    def source(self) -> str | None:
        """Where the data came from."""
        source = self.settings.get("data", {}).get("source")
        return source if isinstance(source, str) else None

    @property
    def dataset(self) -> str | None:
        """The data set's name on the hub, if it is there."""
        source = self.source or ""
        match = _HUB_SOURCE.fullmatch(source)
        return match[1] if match else HUB_NAMES.get(source)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; what is not known is left out."""
        known = {key: value for key, value in asdict(self).items() if value not in (None, {}, ())}
        for figure in known.get("figures", ()):
            if figure["count"] is None:
                del figure["count"]
        return known

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Facts:
        """Read what :meth:`to_dict` returned; a stranger may have written it.

        What has another type than it should is left out.
        """
        get = _Reader(values)
        licence = get.text("license")
        return cls(
            get.text("name"),
            {key: one for key, one in get.mapping("settings").items() if isinstance(one, dict)},
            tuple(_figures_of(get.sequence("figures"))),
            get.number("epoch"),
            get.number("epochs"),
            get.text("command"),
            {key: one for key, one in get.mapping("versions").items() if isinstance(one, str)},
            licence if licence and _LICENSE.fullmatch(licence) else None,
            tuple(
                one
                for one in get.sequence("languages")
                if isinstance(one, str) and _LANGUAGE.fullmatch(one)
            ),
        )


@dataclass(frozen=True)
class _Reader:
    """Reads values that may have any type."""

    values: Mapping[str, Any]

    def text(self, key: str) -> str | None:
        return value if isinstance(value := self.values.get(key), str) else None

    def number(self, key: str) -> int | None:
        return value if isinstance(value := self.values.get(key), int) else None

    def mapping(self, key: str) -> dict[str, Any]:
        return value if isinstance(value := self.values.get(key), dict) else {}

    def sequence(self, key: str) -> list[Any]:
        return value if isinstance(value := self.values.get(key), list) else []


def _figures_of(values: Sequence[Any]) -> Iterator[Figure]:
    for one in values:
        try:
            count = one.get("count")
            yield Figure(
                str(one["split"]),
                str(one["measure"]),
                float(one["value"]),
                count if isinstance(count, int) else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            continue


def public(config: Config) -> Config:
    """Leave of paths the name alone: where a file lies is nobody's business.

    Examples
    --------
    >>> public(Config.from_flat({"source": "/home/me/reviews.csv"})).data.source
    'reviews.csv'
    """
    given: dict[str, Any] = {key: getattr(config.data, key) for key in _PATHS}
    named: dict[str, Any] = {
        key: None if value is None else _file_names(value) for key, value in given.items()
    }
    vectors = config.model.embeddings
    return replace(
        config,
        data=replace(config.data, **named),
        model=replace(config.model, embeddings=None if vectors is None else Path(vectors).name),
    )


def _file_names(source: str) -> str:
    if source in _NAMED or _HUB_SOURCE.fullmatch(source):
        return source
    if source.startswith("hf:"):  # the library takes folders, too
        return Path(source).name
    return os.pathsep.join(Path(part).name for part in source.split(os.pathsep))


def tables_of(config: Config) -> dict[str, dict[str, Any]]:
    """Give all settings that have a value, by table."""
    return {
        name: {key: value for key, value in table.items() if value is not None}
        for name, table in public(config).tables().items()
    }


def facts_of_run(run: ReportedRun) -> Facts:
    """Collect what is known of a run, or of a model file alone."""
    result = run.result or {}
    versions = result.get("versions")
    return Facts(
        run.name.removesuffix(".bpr"),
        {} if run.config is None else tables_of(run.config),
        tuple(figures_of_run(run)),
        run.best_epoch,
        len(run.history) or None,
        versions=versions if isinstance(versions, dict) else {},
    )


def figures_of_run(run: ReportedRun) -> Iterator[Figure]:
    """Give what training measured: on test data with the file, on validation data before."""
    result = run.result or {}
    if isinstance(share := result.get("test_accuracy_file"), float):
        yield Figure("test", ACCURACY, share, result.get("test_texts"))
    elif isinstance(f1 := result.get("test_micro_f1_file"), float):
        yield Figure("test", F1, f1, result.get("test_texts"))
    elif isinstance(nll := result.get("test_nll_file"), float):
        yield _likelihood("test", nll, run.kind, result.get("test_tokens"))
    if run.best is not None:
        yield from validation_figures(run.best, run.kind)


def validation_figures(record: EpochRecord, level: str = "word") -> Iterator[Figure]:
    """Give what an epoch's record has."""
    if record.validation_accuracy is not None:
        yield Figure("validation", ACCURACY, record.validation_accuracy)
    elif record.validation_micro_f1 is not None:
        yield Figure("validation", F1, record.validation_micro_f1)
    elif record.validation_nll is not None:
        yield _likelihood("validation", record.validation_nll, level)


def _likelihood(split: str, nll: float, level: str, count: int | None = None) -> Figure:
    if level == "char":
        return Figure(split, BITS, nll / math.log(2), count)
    return Figure(split, PERPLEXITY, perplexity(nll), count)


def measured(model: CompactModel, config: Config) -> Iterator[Figure]:
    """Measure a model on a run's test and validation data, if they need no download."""
    if not data.is_at_hand(config.data.source):
        return
    for split in ("test", "validation"):
        try:
            yield _measure(model, config, split)
        except DataError:  # there is no such part
            continue


def _measure(model: CompactModel, config: Config, split: str) -> Figure:
    ready = runtime.ready(model)
    if isinstance(ready, runtime.LanguageModel):
        result = ready.evaluate(data.load_text_split(config.data, split))
        return _likelihood(split, result.nll, result.level, result.tokens)
    texts = data.load_split(config.data, split)
    if ready.model.multi_label:
        found = runtime.evaluate_labels(ready, texts.texts, texts.labels)
        return Figure(split, F1, found.micro_f1, len(texts))
    accuracy = runtime.evaluate(ready, texts.texts, texts.labels).accuracy
    return Figure(split, ACCURACY, accuracy, len(texts))


def task_of(model: CompactModel) -> str:
    """Name what a model does, as the hub calls it."""
    kinds = {CompactClassifier: "text-classification", CompactLanguageModel: "text-generation"}
    return kinds[type(model)]
