"""Load plain text for language models, and split it."""

from __future__ import annotations

from bayespress.config import DataConfig
from bayespress.data.loading import SPLITS
from bayespress.data.model import RawText, TextSplits
from bayespress.data.plain import read_plain
from bayespress.data.sources import check_streaming
from bayespress.errors import DataError


def load_text(config: DataConfig) -> TextSplits:
    r"""Load a text that a language model can be trained on.

    Where the source has no validation or test data and none is named, blocks at the end of the
    text become that: the last `test_fraction`, and of what is left the last `validation_fraction`.

    Raises
    ------
    DataError
        If the source is unknown, broken or empty, or too short to be split. Downloads raise its
        kind DownloadError.
    StorageError
        If a download cannot be written.
    MissingExtraError
        If the source needs a package that is not installed.

    Examples
    --------
    >>> splits = load_text(DataConfig(source="demo"))
    >>> splits.train.count("\n"), splits.validation.count("\n"), splits.test.count("\n")
    (8421, 1061, 1086)
    """
    check_streaming(config)
    return _split(read_plain(config.source, config.text_column, streaming=config.streaming), config)


def load_text_split(config: DataConfig, split: str) -> str:
    r"""Load one split as :func:`load_text` makes it, or with ``all`` the source's whole text.

    Raises
    ------
    DataError
        If `split` is no split's name or is empty, or the source is unknown or broken.
    StorageError, MissingExtraError
        As in :func:`load_text`.

    Examples
    --------
    >>> load_text_split(DataConfig(source="demo"), "all").count("\n")
    10568
    """
    if split not in (*SPLITS, "all"):
        raise DataError(f"split must be one of {', '.join(SPLITS)}, all, got {split!r}")
    check_streaming(config)
    source = read_plain(config.source, config.text_column, streaming=config.streaming)
    text: str = source.whole if split == "all" else getattr(_split(source, config), split)
    if not text:
        raise DataError(
            f"{config.source} has no {split} text: set {split}_fraction above 0, "
            "or take another split"
        )
    return text


def _split(source: RawText, config: DataConfig) -> TextSplits:
    # A further source gives the split that it is named for, else all that it has.
    validation, test = source.validation, source.test
    if config.validation_source is not None:
        further = read_plain(
            config.validation_source, config.text_column, streaming=config.streaming
        )
        validation = further.whole if further.validation is None else further.validation
    if config.test_source is not None:
        further = read_plain(config.test_source, config.text_column, streaming=config.streaming)
        test = further.whole if further.test is None else further.test
    train = source.train
    if test is None:
        train, test = _cut_for("test", train, config.test_fraction, config.source)
    if validation is None:
        train, validation = _cut_for("validation", train, config.validation_fraction, config.source)
    if not train.strip():
        raise DataError(
            f"{config.source}: no text is left to train on; give more of it, "
            "or lower validation_fraction and test_fraction"
        )
    return TextSplits(train, validation, test, source.notes)


def _cut_for(split: str, text: str, fraction: float, source: str) -> tuple[str, str]:
    rest, part = cut(text, fraction)
    if fraction > 0 and not part.strip():
        raise DataError(
            f"{source}: the last {fraction:g} of {len(text):,} characters hold no {split} text; "
            f"give more of it, change {split}_fraction, or name a {split}_source"
        )
    return rest, part


def cut(text: str, fraction: float) -> tuple[str, str]:
    r"""Cut off about the last `fraction` of a text, at a line's end if there is one near.

    Examples
    --------
    >>> cut("one\ntwo\nthree\nfour\n", 0.2)
    ('one\ntwo\nthree\n', 'four\n')
    >>> cut("no line ends here", 0.2)
    ('no line ends ', 'here')
    """
    # Blocks rather than shuffled lines: a language model learns from what precedes a line, and
    # lines of one passage say similar things, so that some of them in the test data would flatter.
    place = _place_to_cut(text, len(text) - round(len(text) * fraction))
    return text[:place], text[place:]


def _place_to_cut(text: str, wanted: int) -> int:
    # So far from the wanted place no part is emptied nor more than doubled.
    reach = min(wanted, len(text) - wanted)
    for mark in ("\n", " "):
        before = text.rfind(mark, 0, wanted) + 1
        after = text.find(mark, wanted, len(text) - 1) + 1
        places = [place for place in (before, after) if place and abs(place - wanted) <= reach]
        if places:
            return min(places, key=lambda place: abs(place - wanted))
    return wanted
