"""Find out what the name of a source stands for, and read it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from bayespress.config import DataConfig
from bayespress.data.downloads import fetch, fetch_archive, user_folder
from bayespress.data.files import (
    Columns,
    check_width,
    csv_records,
    decode,
    decompress,
    read_bytes,
    read_file,
)
from bayespress.data.folders import read_folder
from bayespress.data.hub import PREFIX, read_hub
from bayespress.data.model import RawSource, Row, checked
from bayespress.errors import DataError
from bayespress.schedules import Value
from bayespress.storage import cache_folder

AG_NEWS_LABELS = ("World", "Sports", "Business", "Sci/Tech")
PLAIN_SOURCES = ("ptb-word", "ptb-char")
"""Sources of plain text, for language models alone."""
_IMDB_REVIEWS = "aclImdb/t*/[np]*/*.txt"  # without the 50,000 that have no label

SOURCE_DEFAULTS: Mapping[str, Mapping[str, Value]] = MappingProxyType(
    {
        "demo": {"lowercase": True, "max_length": 60},
        "imdb": {
            "validation_fraction": 0.15,
            "max_length": 200,
            "vocabulary_size": 20_000,
            "lowercase": False,
            "split_seed": 113,
        },
        "ag-news": {
            "max_length": 100,
            "lowercase": True,
            "hidden_size": 512,
            "validation_fraction": 0.05,
        },
        "ptb-word": {
            "task": "lm",
            "level": "word",
            "tokenizer": "spaces",
            "lowercase": False,
            "min_documents": 1,  # rare words are <unk> in the files
        },
        "ptb-char": {"task": "lm", "level": "char", "lowercase": False},
    }
)
"""Settings that a named source brings along."""


def read_source(source: str, columns: Columns, *, streaming: bool = False) -> RawSource:
    """Read all rows of a source, with the splits that it has itself.

    Parameters
    ----------
    source, columns
        What to read.
    streaming
        Of the Hugging Face hub: keep texts in a file and not in memory.

    Raises
    ------
    DataError
        If the source is unknown, or its content breaks a rule.
    """
    path = Path(source).expanduser()
    is_named = source in NAMED_SOURCES
    if columns.separator is not None and (is_named or path.is_dir()):
        raise DataError(f"{source}: each text has one label there; leave label_separator out")
    if is_named:
        return NAMED_SOURCES[source]()
    if source in PLAIN_SOURCES:
        raise DataError(f"{source} is plain text: train a language model on it with --task lm")
    if source.startswith(PREFIX):
        return read_hub(source, columns, streaming=streaming)
    if path.is_dir():
        return read_folder(path)
    if path.exists():
        return RawSource(read_file(path, columns))
    raise DataError(unknown(source, path))


def check_streaming(config: DataConfig) -> None:
    """Make sure that there is something to stream, if that was asked for.

    Raises
    ------
    DataError
        If no source is of the hub.
    """
    sources = (config.source, config.validation_source, config.test_source)
    if config.streaming and not any((source or "").startswith(PREFIX) for source in sources):
        raise DataError(
            f"streaming is for {PREFIX}owner/name alone, got the source {config.source!r}: "
            "leave it out"
        )


def is_at_hand(source: str) -> bool:
    """Tell whether labelled texts can be read without a download.

    Examples
    --------
    >>> is_at_hand("demo"), is_at_hand("hf:owner/name"), is_at_hand("no/such/file.csv")
    (True, False, False)
    """
    if source not in NAMED_SOURCES:
        return not source.startswith(PREFIX) and Path(source).expanduser().exists()
    return all(any(path.exists() for path in paths) for paths in _PLACES.get(source, list)())


def unknown(source: str, path: Path) -> str:
    """Explain that a source is neither a name nor a path that there is."""
    if path.suffix or len(path.parts) > 1:
        return f"source {source}: there is no such file or folder; check the path"
    known = (*NAMED_SOURCES, *PLAIN_SOURCES)
    close = difflib.get_close_matches(source.lower(), known, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    names = ", ".join(known)
    return f"unknown source {source!r}: it must be {names}, {PREFIX}owner/name or a path{hint}"


def _read_demo() -> RawSource:
    name = "demo/sentences.tsv.gz"
    content = resources.files("bayespress.data").joinpath(name).read_bytes()
    table = decode(decompress(content, name), name)
    rows: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    records = csv_records(table, name, "\t")
    next(records)
    for line, (split, label, text) in records:
        rows[split].append(Row(text, label, name, line))
    return RawSource(rows["train"], rows["validation"], rows["test"])


def _read_imdb() -> RawSource:
    own = user_folder()
    if own is not None and (own / "aclImdb").is_dir():
        return read_folder(own / "aclImdb")
    return read_folder(fetch_archive("aclImdb", _IMDB_REVIEWS))


def _read_ag_news() -> RawSource:
    own = user_folder()
    if own is not None:
        for name in ("train.csv", "train_subset.csv"):
            train, test = own / "ag_news" / name, own / "ag_news" / "test.csv"
            if train.is_file() and test.is_file():
                return _ag_news(train, test)
    return _ag_news(fetch("ag_news/train.csv"), fetch("ag_news/test.csv"))


def _ag_news(train: Path, test: Path) -> RawSource:
    rows = _ag_news_rows(train)
    notes = (f"ag-news: training data is a subset, {len(rows):,} rows of {train.name}",)
    return RawSource(
        rows,
        test=_ag_news_rows(test),
        label_order=AG_NEWS_LABELS,
        notes=notes if train.stem.endswith("_subset") else (),
    )


def _ag_news_rows(path: Path) -> Sequence[Row]:
    content = decode(read_bytes(path), str(path))
    return checked(
        [_ag_news_row(record, path, line) for line, record in csv_records(content, str(path), ",")],
        str(path),
    )


def _ag_news_row(record: Sequence[str], path: Path, line: int) -> Row:
    place = f"{path}, line {line}"
    check_width(record, 3, place)
    number, title, description = record
    if number not in ("1", "2", "3", "4"):
        raise DataError(f"{place}: the class must be 1, 2, 3 or 4, got {number!r}")
    return Row(f"{title} {description}".strip(), AG_NEWS_LABELS[int(number) - 1], str(path), line)


NAMED_SOURCES: Mapping[str, Callable[[], RawSource]] = MappingProxyType(
    {"demo": _read_demo, "imdb": _read_imdb, "ag-news": _read_ag_news}
)
"""How to read the sources that have a name."""


def _places(*names: str) -> list[Path]:
    """Name the places, the user's folder and the cache, of which one holds a file or folder."""
    own = user_folder()
    return [folder / name for folder in (own, cache_folder()) if folder for name in names]


_PLACES: Mapping[str, Callable[[], list[list[Path]]]] = MappingProxyType(
    {
        "imdb": lambda: [_places("aclImdb")],
        "ag-news": lambda: [
            _places("ag_news/train.csv", "ag_news/train_subset.csv"),
            _places("ag_news/test.csv"),
        ],
    }
)
"""Where the downloads of a source lie once they are there: of each list, one path."""
