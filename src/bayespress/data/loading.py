"""Load a source, split it, and check that it can be trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayespress.config import DataConfig
from bayespress.data.files import Columns
from bayespress.data.model import LabelledTexts, RawSource, Row, Splits, names_in, sort_labels
from bayespress.data.sources import SOURCE_DEFAULTS, check_streaming, read_source
from bayespress.data.stored import StoredRows, chosen, joined, labels_of
from bayespress.errors import DataError
from bayespress.schedules import Value

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class _Parts:
    train: Sequence[Row]
    validation: Sequence[Row]
    test: Sequence[Row]


def load(config: DataConfig) -> Splits:
    """Load a data set that can be trained on.

    Raises
    ------
    DataError
        If the source is unknown or broken, has a single class or label, or has labels in its
        validation or test data that its training data lacks. Downloads raise its kind
        DownloadError.
    StorageError
        If a download cannot be written.
    MissingExtraError
        If the source needs a package that is not installed.

    Examples
    --------
    >>> splits = load(DataConfig(source="demo"))
    >>> len(splits.train), len(splits.validation), len(splits.test), splits.labels
    (8421, 1061, 1086, ('negative', 'positive'))
    """
    check_streaming(config)
    source = _read(config.source, config)
    parts = _split(source, config)
    labels = _checked_labels(parts, source, config)
    return Splits(
        _labelled(parts.train),
        _labelled(parts.validation),
        _labelled(parts.test),
        labels,
        (*source.notes, *_doubts(parts, config)),
        multi_label=config.label_separator is not None,
    )


def load_split(config: DataConfig, split: str) -> LabelledTexts:
    """Load one split as :func:`load` makes it, or with ``all`` every row of the source.

    There may be a single class, since nothing is trained.

    Raises
    ------
    DataError
        If `split` is no split's name or has no rows, or the source is unknown or broken.
    StorageError, MissingExtraError
        As in :func:`load`.

    Examples
    --------
    >>> len(load_split(DataConfig(source="demo"), "all"))
    10568
    """
    if split not in (*SPLITS, "all"):
        raise DataError(f"split must be one of {', '.join(SPLITS)}, all, got {split!r}")
    check_streaming(config)
    source = _read(config.source, config)
    rows = joined(source.parts) if split == "all" else getattr(_split(source, config), split)
    if not rows:
        raise DataError(
            f"{config.source} has no {split} rows: set {split}_fraction above 0, "
            "or take another split"
        )
    return _labelled(rows)


def source_defaults(source: str) -> dict[str, Value]:
    """Tell the settings that a source brings along; files and folders bring none.

    Examples
    --------
    >>> source_defaults("demo")["lowercase"], source_defaults("reviews.csv")
    (True, {})
    """
    return dict(SOURCE_DEFAULTS.get(source, {}))


def _read(source: str, config: DataConfig) -> RawSource:
    columns = Columns(config.text_column, config.label_column, config.label_separator)
    return read_source(source, columns, streaming=config.streaming)


def _labelled(rows: Sequence[Row]) -> LabelledTexts:
    if isinstance(rows, StoredRows):
        return LabelledTexts(rows.texts, rows.labels)
    return LabelledTexts.from_rows(rows)


def _split(source: RawSource, config: DataConfig) -> _Parts:
    # A further source gives the split that it is named for, else all that it has.
    validation, test = source.validation, source.test
    if config.validation_source is not None:
        further = _read(config.validation_source, config)
        validation = joined(further.parts) if further.validation is None else further.validation
    if config.test_source is not None:
        further = _read(config.test_source, config)
        test = joined(further.parts) if further.test is None else further.test
    train = source.train
    if validation is None or test is None:
        train = _shuffled(train, config.split_seed)
    if test is None:
        train, test = _cut(train, config.test_fraction)
    if validation is None:
        train, validation = _cut(train, config.validation_fraction)
    return _Parts(train, validation, test)


def _shuffled(rows: Sequence[Row], seed: int) -> Sequence[Row]:
    return chosen(rows, np.random.default_rng(seed).permutation(len(rows)))


def _cut(rows: Sequence[Row], fraction: float) -> tuple[Sequence[Row], Sequence[Row]]:
    kept = len(rows) - round(len(rows) * fraction)
    return rows[:kept], rows[kept:]


def _checked_labels(parts: _Parts, source: RawSource, config: DataConfig) -> tuple[str, ...]:
    if not parts.train:
        raise DataError(
            f"{config.source} has {sum(map(len, source.parts))} rows, none of which is left to "
            "train on; add rows, or lower validation_fraction and test_fraction"
        )
    labels = sort_labels(_names(parts.train), source.label_order)
    if len(labels) < 2:
        raise DataError(_too_few(labels, config))
    for name, rows in (("validation", parts.validation), ("test", parts.test)):
        if _names(rows) <= set(labels):
            continue
        for row in rows:
            strange = next((one for one in names_in(row.label) if one not in labels), None)
            if strange is not None:
                raise DataError(
                    f"{row.place}: the label {strange!r} of the {name} data does not occur "
                    f"in the training data, which has {_some(labels)}; add training texts of it, "
                    "or remove the row"
                )
    return labels


def _names(rows: Sequence[Row]) -> set[str]:
    """Give the name of every label that rows have."""
    return {name for label in set(labels_of(rows)) for name in names_in(label)}


def _too_few(labels: Sequence[str], config: DataConfig) -> str:
    if config.label_separator is None:
        return (
            f"{config.source}: there must be at least two classes to train on, "
            f"but every training text has the label {labels[0]!r}"
        )
    if not labels:
        return f"{config.source}: no training text has a label; write some, or check label_column"
    return (
        f"{config.source}: there must be at least two labels to train on, but {labels[0]!r} is the "
        "only one; give the texts without it one too, and leave label_separator out"
    )


def _doubts(parts: _Parts, config: DataConfig) -> Iterator[str]:
    """Say what looks like a mistake, and may be none."""
    if config.label_separator is None:
        return
    if all(len(names_in(label)) < 2 for label in labels_of(parts.train)):
        yield (
            f"{config.source}: no training text has more than one label; is "
            f"{config.label_separator!r} what stands between labels?"
        )


def _some(labels: Sequence[str], most: int = 10) -> str:
    named = ", ".join(repr(label) for label in labels[:most])
    return named if len(labels) <= most else f"{named} and {len(labels) - most} more"
