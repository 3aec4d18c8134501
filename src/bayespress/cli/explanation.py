"""What an explanation looks like: the text in two colours, or with signs, and a small table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from bayespress.cli.result import say
from bayespress.cli.shown import tame
from bayespress.compact import CompactClassifier
from bayespress.runtime import Explanation, WordEffect
from bayespress.runtime.explain import probability_of

_WEAK, _CLEAR, _STRONG = 0.1, 0.5, 1.0
"""Effects below are not marked, coloured, underlined; those above stand on a ground."""
# Blue and orange differ for every kind of colour blindness. These shades can be read on white and
# on black, and are a ground for black letters, also where a terminal has but 16 colours.
_TOWARD, _AWAY, _LETTERS = "#3d85c6", "#c8641b", "#000000"
_Hues = tuple[str, str]
"""Of effects above and below 0."""
_WORD_WIDTH, _POINTS = 32, 40
_BARS = "▁▂▃▄▅▆▇█"


def print_explanation(
    console: Console, text: str, explanation: Explanation, model: CompactClassifier, most: int
) -> None:
    """Print the answer, the text, the probability word by word, and the strongest words.

    Parameters
    ----------
    console
        Where to. Without colours, words carry their effects as numbers.
    text
        What was explained.
    explanation
        What came of it.
    model
        The model that was asked.
    most
        How many words to list.
    """
    hues = _hues(explanation, model)
    console.print(_answer(explanation))
    if text:
        body = _coloured(text, explanation.words, hues, with_signs=not _has_colours(console))
        # Files and programs get the lines of the text as they are.
        console.print(body, soft_wrap=not console.is_terminal)
    if any(not word.read for word in explanation.words):
        say(console, _unread(explanation.words, model))
    console.print()
    if _has_colours(console):
        console.print(_legend(explanation, model, hues))
    else:
        say(console, f"+ speaks for {tame(explanation.explained)}, - against it")
    if not console.options.ascii_only and any(word.read for word in explanation.words):
        console.print(_course(explanation))
    console.print()
    _print_strongest(console, text, explanation, hues, most)
    console.print()


def _has_colours(console: Console) -> bool:
    return console.is_terminal and console.color_system is not None and not console.no_color


def _hues(explanation: Explanation, model: CompactClassifier) -> _Hues:
    """Choose the hues of effects above and below 0; of two classes, each keeps its own."""
    is_first_of_two = _has_two(model) and explanation.explained == model.labels[0]
    return (_AWAY, _TOWARD) if is_first_of_two else (_TOWARD, _AWAY)


def _has_two(model: CompactClassifier) -> bool:
    """Tell whether what speaks against a class speaks for the other one."""
    return len(model.labels) == 2 and not model.multi_label


def _answer(explanation: Explanation) -> Text:
    given = [
        Text.assemble((tame(label), "bold"), f" {share:.1%}")
        for label, share in explanation.given.items()
    ]
    answer = Text(", ").join(given) if given else Text("no label")
    if list(explanation.given) != [explanation.explained]:
        share = probability_of(explanation.final)
        answer.append(f"; explained: {tame(explanation.explained)} {share:.1%}")
    return answer


def _coloured(text: str, words: Sequence[WordEffect], hues: _Hues, *, with_signs: bool) -> Text:
    """Give a text with every word in its place and in its style."""
    shown, place = Text(), 0
    end_of_read = max((number for number, word in enumerate(words, 1) if word.read), default=0)
    for word in words[:end_of_read]:
        shown.append(tame(text[place : word.start]))
        shown.append(tame(text[word.start : word.end]), _style(word, hues))
        if with_signs and abs(word.effect) >= _WEAK:
            shown.append(f"[{word.effect:+.1f}]")
        place = word.end
    if unread := words[end_of_read:]:
        shown.append(tame(text[place : unread[0].start]))
        shown.append("[not read:] " if with_signs else "")
        place, end = unread[0].start, unread[-1].end
        shown.append(tame(text[place:end]), Style(dim=True, strike=True))
        place = end
    return shown.append(tame(text[place:]))


def _style(word: WordEffect, hues: _Hues) -> Style:
    if not word.read:
        return Style(dim=True, strike=True)
    weight = Style(bold=True) if word.kept else Style(dim=True)
    return weight + _colour(word.effect, hues)


def _colour(effect: float, hues: _Hues) -> Style:
    hue = hues[0] if effect > 0 else hues[1]
    if abs(effect) < _WEAK:
        return Style.null()
    if abs(effect) < _STRONG:
        return Style(color=hue, underline=abs(effect) >= _CLEAR)
    return Style(color=_LETTERS, bgcolor=hue)


def _unread(words: Sequence[WordEffect], model: CompactClassifier) -> str:
    count = sum(not word.read for word in words)
    limit, skips = model.encoder.max_length, model.encoder.vocabulary.skips
    more = " and leaves out rare ones" if skips else ""
    return (
        f"{count:,} of {len(words):,} words are not read: the model reads {limit:,} at most{more}"
    )


def _legend(explanation: Explanation, model: CompactClassifier, hues: _Hues) -> Text:
    explained, others = explanation.explained, set(model.labels) - {explanation.explained}
    if _has_two(model):
        names = f"toward {tame(explained)}", f"toward {tame(others.pop())}"
    else:
        names = f"for {tame(explained)}", f"against {tame(explained)}"
    samples = ((_STRONG, names[0]), (-_STRONG, names[1]))
    return Text("  ").join(
        [
            *(Text(name, _colour(effect, hues)) for effect, name in samples),
            Text("kept word", "bold"),
            Text("pruned or unknown word", "dim"),
        ]
    )


def _course(explanation: Explanation) -> Text:
    """Draw the probability after each word that is read, or after some where there are many."""
    shares = [word.probability for word in explanation.words if word.read]
    chosen = np.linspace(0, len(shares) - 1, min(len(shares), _POINTS)).round().astype(int)
    bars = "".join(_BARS[min(int(8 * shares[number]), 7)] for number in chosen.tolist())
    ends = probability_of(explanation.start), shares[-1]
    return Text(f"{ends[0]:.0%} {bars} {ends[1]:.0%}  {tame(explanation.explained)}, word by word")


def _print_strongest(
    console: Console,
    text: str,
    explanation: Explanation,
    hues: _Hues,
    most: int,
) -> None:
    telling = [word for word in explanation.words if abs(word.effect) >= _WEAK]
    if not telling:
        say(console, "no word moved the answer much")
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("word", max_width=_WORD_WIDTH, no_wrap=True)
    table.add_column("effect", justify="right")
    table.add_column(Text(f"{explanation.explained} after it"), justify="right")
    for word in sorted(telling, key=lambda word: -abs(word.effect))[:most]:
        name = Text(tame(text[word.start : word.end]))
        effect = Text.assemble((f"{word.effect:+.2f}", _colour(word.effect, hues)))
        table.add_row(name, effect, f"{word.probability:.1%}")
    console.print(table)
