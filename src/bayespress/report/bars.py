"""Bars: kept words by their effect, and where a file's bytes go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bayespress.report import svg
from bayespress.report.markup import Markup, join, tag
from bayespress.report.svg import LINE, WIDTH, Figure
from bayespress.report.wording import counted, cut, signed
from bayespress.runtime import Inspection, LanguageInspection
from bayespress.runtime.inspection import WordWeight
from bayespress.runtime.structure import visible

_ROW, _BARS, _NUMBERS, _TOP = 21, 132, 52, 44
_LETTERS, _CLASS_LETTERS = 18, 34
_MOST_CLASSES, _ALL_ROWS, _LEAST_ROWS = 8, 36, 8
_LEAST_NAMED = 16
"""Width of a piece that its number fits into."""
_PARTS = {
    "frame": "frame (version, sizes, checksum)",
    "text": "words and header, deflated",
    "live gates": "bits: which gates are computed",
    "read tokens": "bits: which tokens are read",
}


@dataclass(frozen=True)
class _Bar:
    """A word, its size, and how that is written."""

    word: str
    size: float
    shown: str


def word_charts(name: str, inspection: Inspection | LanguageInspection) -> list[Figure]:
    """Draw the strongest kept words: for each class of a classifier, or by a token's weight."""
    if isinstance(inspection, LanguageInspection):
        bars = [_Bar(one.word, one.weight, f"{one.weight:.2f}") for one in inspection.words]
        note = f"by norm of the input weights; {counted(len(bars), 'token')} are read"
        return _charts(name, "Heaviest tokens", note, bars[: _ALL_ROWS // 2], 0)
    if len(inspection.labels) > _MOST_CLASSES:
        return _of_all_classes(name, inspection)
    drawn: list[Figure] = []
    for number, label in enumerate(inspection.labels):
        drawn += _of_class(f"{name}-{number}", inspection, number, label)
    return drawn


def strongest(words: Sequence[WordWeight]) -> list[WordWeight]:
    """Order words by the size of their effect."""
    return sorted(words, key=lambda word: (-abs(word.effect), word.word))


def _of_all_classes(name: str, inspection: Inspection) -> list[Figure]:
    bars = [
        _Bar(one.word, one.effect, f"{signed(one.effect)} {cut(visible(one.toward), 8)}")
        for one in strongest(inspection.words)[: _ALL_ROWS // 2]
    ]
    changed = "log odds" if inspection.multi_label else "a logit"
    return _charts(name, "Strongest kept words", f"largest change of {changed}", bars, 0)


def _of_class(name: str, inspection: Inspection, number: int, label: str) -> list[Figure]:
    ranked = [word for word in strongest(inspection.words) if word.toward == label]
    most = max(_ALL_ROWS // len(inspection.labels), _LEAST_ROWS)
    bars = [_Bar(one.word, one.effect, signed(one.effect)) for one in ranked[:most]]
    count = f"{counted(len(ranked), 'word')} of {len(inspection.words):,}"
    shown = cut(visible(label), _CLASS_LETTERS)
    # Of several labels at once, some words speak against theirs.
    title = shown if inspection.multi_label else f"For {shown}"
    if inspection.multi_label:
        note, style = f"{count}; change of its log odds by the word alone", number
    elif len(inspection.labels) == 2:
        # Of two classes the second one is blue, as in exported pages.
        second = cut(visible(inspection.labels[1]), _CLASS_LETTERS // 2)
        note, style = f"{count}; log odds of {second} by the word alone", 1 - number
    else:
        note, style = f"{count}; change of its logit by the word alone", number
    return _charts(name, title, note, bars, style)


def _charts(name: str, title: str, note: str, bars: Sequence[_Bar], style: int) -> list[Figure]:
    if not bars:
        return []
    longest = max(abs(bar.size) for bar in bars) or 1.0
    rows = [_drawn(bar, _TOP + _ROW * k, longest, style) for k, bar in enumerate(bars)]
    description = "; ".join(f"{visible(bar.word)} {bar.shown}" for bar in bars)
    content = join([svg.heading(title, note), *rows])
    return [Figure(name, title, description, _TOP + _ROW * len(bars) + 2, content)]


def _drawn(bar: _Bar, y: float, longest: float, style: int) -> Markup:
    wide = max((WIDTH - _BARS - _NUMBERS) * abs(bar.size) / longest, 1)
    hint = tag("title", f"{visible(bar.word)} {bar.shown}")
    return join(
        [
            svg.words(_BARS - 8, y + 13, cut(visible(bar.word), _LETTERS), class_="end"),
            svg.rectangle(_BARS, y + 2, wide, 14, f"fill {svg.hue(style)}", hint),
            svg.words(_BARS + wide + 6, y + 13, bar.shown, class_="tick"),
        ]
    )


def bytes_chart(name: str, counts: Mapping[str, int]) -> Figure:
    """Draw the parts of a file, each with its bytes and its share."""
    total = sum(counts.values())
    title = f"Where {counted(total, 'byte')} go"
    x, pieces, rows = 0.0, [], []
    for number, (part, size) in enumerate(counts.items()):
        wide = WIDTH * size / total
        pieces.append(_piece(number, f"{_named(part)}: {size:,} bytes", x, wide))
        rows.append(_part(number, part, size, size / total))
        x += wide
    description = "; ".join(f"{_named(part)}: {size:,}" for part, size in counts.items())
    content = join([svg.heading(title), *pieces, *rows])
    return Figure(name, title, description, 64 + LINE * len(counts), content)


def _piece(number: int, said: str, x: float, wide: float) -> Markup:
    style = f"fill {svg.hue(number)}"
    box = svg.rectangle(x, 26, max(wide - 1, 0.5), 26, style, tag("title", said))
    if wide < _LEAST_NAMED:
        return box
    return join([box, svg.words(x + wide / 2, 43, number + 1, class_="inverse middle")])


def _named(part: str) -> str:
    return _PARTS.get(part, part)


def _part(number: int, part: str, size: int, share: float) -> Markup:
    y = 74 + LINE * number
    return join(
        [
            svg.rectangle(0, y - 10, 12, 11, f"fill {svg.hue(number)}"),
            svg.words(30, y, number + 1, class_="tick end"),
            svg.words(36, y, _named(part)),
            svg.words(WIDTH - 60, y, f"{size:,}", class_="end"),
            svg.words(WIDTH, y, f"{share:.1%}", class_="end muted"),
        ]
    )
