"""Read data sets of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayespress.data.files import Columns, value_rows
from bayespress.data.model import RawSource, Row
from bayespress.errors import DataError, DownloadError, MissingExtraError

PREFIX = "hf:"
_NO_LABEL = -1
_NAMES = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}


def read_hub(source: str, columns: Columns) -> RawSource:
    """Read ``hf:owner/name`` or ``hf:owner/name:config`` with the splits that it has.

    Raises
    ------
    DataError
        If the data set has no training split, lacks a column or breaks a rule.
    DownloadError
        If it cannot be loaded.
    MissingExtraError
        If the package datasets is not installed.
    """
    splits = _load(source)
    if "train" not in splits:
        names = ", ".join(splits) or "none"
        raise DataError(f"{source} must have a split 'train'; it has {names}: choose another")
    origin = f"{source} (train)"
    train = columns.checked(_rows(splits["train"], origin, columns), origin)
    further: dict[str, Sequence[Row]] = {}
    notes = []
    for kind, known in _NAMES.items():
        name = next((name for name in known if name in splits), None)
        if name is None:
            continue
        rows = _rows(splits[name], f"{source} ({name})", columns)
        if any(row.label for row in rows):
            further[kind] = columns.checked(rows, f"{source} ({name})")
        else:
            notes.append(f"{source}: the split {name!r} has no labels and is left out")
    return RawSource(train, further.get("validation"), further.get("test"), notes=tuple(notes))


def _load(source: str) -> Mapping[str, Any]:
    try:
        import datasets  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("datasets", f"reading {source}") from None
    name, _, config = source.removeprefix(PREFIX).partition(":")
    try:
        loaded = datasets.load_dataset(name, config or None)
    except Exception as error:  # the library lets through errors of many others
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DownloadError(
            f"cannot load {source}: {reason}; check the network and the name, "
            f"which must be {PREFIX}owner/name or {PREFIX}owner/name:config"
        ) from error
    return dict(loaded)


def _rows(split: Any, origin: str, columns: Columns) -> Sequence[Row]:
    columns.find(list(split.column_names), origin)
    labels: list[Any] = list(split[columns.label_or_text])
    names = _class_names(split.features[columns.label_or_text])
    labels = [_named(label, names) for label in labels]
    return list(value_rows(list(split[columns.text]), labels, origin, columns.separator))


def _class_names(feature: Any) -> Sequence[str] | None:
    """Give the names that a column's numbers have; a sequence has those of its elements."""
    element = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    return getattr(element, "names", None)


def _named(label: Any, names: Sequence[str] | None) -> Any:
    if names is None:
        return label
    if isinstance(label, (list, tuple)):
        return [_named(one, names) for one in label]
    return None if label in (None, _NO_LABEL) else names[label]
