"""Read data sets of the Hugging Face hub."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from errno import EACCES, EPERM, EROFS
from typing import Any

from bayespress.data.files import Columns, value_row, value_rows
from bayespress.data.model import RawSource, Row
from bayespress.data.stored import TextStore, labels_of
from bayespress.errors import BayespressError, DataError, DownloadError, MissingExtraError
from bayespress.quiet import quietly
from bayespress.storage import NO_SPACE, StorageError

PREFIX = "hf:"
_NO_LABEL = -1
_SOME_LABEL = "text"
_NAMES = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


def read_hub(source: str, columns: Columns, *, streaming: bool = False) -> RawSource:
    """Read ``hf:owner/name`` or ``hf:owner/name:config`` with the splits that it has.

    Parameters
    ----------
    source, columns
        What to read.
    streaming
        Read row by row, without a copy of the data set on this computer, and keep the texts in a
        file and not in memory, see :mod:`bayespress.data.stored`. The rows are the same.

    Raises
    ------
    DataError
        If the data set has no training split, lacks a column or breaks a rule.
    DownloadError
        If it cannot be loaded.
    StorageError
        If there is no space to keep the texts.
    MissingExtraError
        If the package datasets is not installed.
    """
    splits = _load(source, streaming=streaming)
    if "train" not in splits:
        names = ", ".join(splits) or "none"
        raise DataError(f"{source} must have a split 'train'; it has {names}: choose another")
    store = TextStore() if streaming else None

    def rows(name: str) -> tuple[Sequence[Row], str]:
        origin = f"{source} ({name})"
        if store is None:
            return _rows(splits[name], origin, columns), origin
        return store.store(_streamed(source, splits[name], origin, columns), origin), origin

    train = columns.checked(*rows("train"))
    further: dict[str, Sequence[Row]] = {}
    notes = []
    for kind, known in _NAMES.items():
        name = next((name for name in known if name in splits), None)
        if name is None:
            continue
        found, origin = rows(name)
        if any(labels_of(found)):
            further[kind] = columns.checked(found, origin)
        else:
            notes.append(f"{source}: the split {name!r} has no labels and is left out")
    return RawSource(train, further.get("validation"), further.get("test"), notes=tuple(notes))


def _load(source: str, *, streaming: bool) -> Mapping[str, Any]:
    try:
        import datasets  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("datasets", f"reading {source}") from None
    name, _, config = source.removeprefix(PREFIX).partition(":")
    how = {"streaming": True} if streaming else {}
    with _explained(source):
        return dict(datasets.load_dataset(name, config or None, **how))


@contextmanager
def _explained(source: str) -> Iterator[None]:
    try:
        with quietly(has_bars=True):
            yield
    except BayespressError:
        raise
    except Exception as error:  # the library lets through errors of many others
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if isinstance(error, OSError) and error.errno in (*NO_SPACE, EACCES, EPERM, EROFS):
            raise StorageError(
                f"cannot keep {source}: {reason}; free some space, or set HF_HOME to a folder that "
                "can be written to"
            ) from error
        raise DownloadError(
            f"cannot load {source}: {reason}; check the network and the name, "
            f"which must be {PREFIX}owner/name or {PREFIX}owner/name:config"
        ) from error


def _rows(split: Any, origin: str, columns: Columns) -> Sequence[Row]:
    columns.find(list(split.column_names), origin)
    texts, labels = list(split[columns.text]), list(split[columns.label_or_text])
    names = _class_names(split, columns)
    labels = [_named(label, names) for label in labels]
    return list(value_rows(texts, labels, origin, columns.separator))


def _streamed(source: str, split: Any, origin: str, columns: Columns) -> Iterator[Row]:
    names = _class_names(split, columns)
    if split.column_names is not None:
        columns.find(list(split.column_names), origin)
    records = iter(split)
    for number in itertools.count(1):
        with _explained(source):  # the network may go while rows come
            record = next(records, None)
        if record is None:
            return
        if number == 1:
            columns.find(list(record), origin)
        text = record[columns.text]
        if columns.label is None:  # a label of the text itself would be a copy of all texts
            label = _SOME_LABEL if text else None
        else:
            label = _named(record[columns.label], names)
        yield value_row(text, label, origin, number, columns.separator)


def _class_names(split: Any, columns: Columns) -> Sequence[str] | None:
    """Give the names that numbers of classes have; a stream may not know its columns."""
    feature = (split.features or {}).get(columns.label_or_text)
    # A sequence has those of its elements.
    element = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    return getattr(element, "names", None)


def _named(label: Any, names: Sequence[str] | None) -> Any:
    if names is None:
        return label
    if isinstance(label, (list, tuple)):
        return [_named(one, names) for one in label]
    return None if label in (None, _NO_LABEL) else names[label]
