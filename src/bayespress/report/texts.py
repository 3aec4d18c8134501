"""Texts, coloured word by word, and a language model's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bayespress import data
from bayespress.compact import CompactClassifier, CompactLanguageModel
from bayespress.config import Config
from bayespress.errors import BayespressError
from bayespress.report.markup import Markup, join, tag
from bayespress.report.run import ReportedRun
from bayespress.report.wording import counted, percent, signed
from bayespress.runtime import Explanation, LanguageModel, TextPredictor, WordEffect, explain

EXAMPLES = (
    "What a lovely evening: it begins dull, but a wonderful cast saves the film.",
    "The plot is a mess, and nothing in it is worth your time.",
    "Shares fell sharply on Monday after the company said that profits would be lower.",
)
_MOST_WORDS, _LEAST_WORDS, _NUMBERED = 90, 8, 6
_LONG_WORD = 24
_LOOKED_AT = 200
"""Texts of a class that are tried."""
_WEAK = 0.05
_SEVERAL = 4
"""Texts that are shown where each may have several labels."""
_SEED, _LENGTH = 1, 60


@dataclass(frozen=True)
class Example:
    """A text, and its label, or its labels, where that is known."""

    text: str
    label: str | tuple[str, ...] | None = None


def examples_of(run: ReportedRun) -> tuple[list[Example], str]:
    """Choose texts of a run's test data, or such as come along; say which they are.

    Nothing is downloaded for it.
    """
    predictor = _predictor(run)
    usual = [Example(text) for text in EXAMPLES]
    if predictor is None or run.config is None:
        return usual, "Example sentences; the run’s test data are not known."
    source = run.config.data.test_source or run.config.data.source
    if not data.is_at_hand(source) or not data.is_at_hand(run.config.data.source):
        return usual, f"Example sentences; the run’s test data ({source}) are not at hand."
    try:
        chosen = _chosen(predictor, run.config)
    except BayespressError as error:
        return usual, f"Example sentences; the run’s test data cannot be read: {error}."
    return (chosen, "Of the run’s test data.") if chosen else (usual, "Example sentences.")


def _chosen(predictor: TextPredictor, config: Config) -> list[Example]:
    """Take for each class the first text of a handy length, and the first mistake."""
    test = data.load_split(config.data, "test")
    spans = predictor.model.encoder.tokenizer.spans
    handy = [
        Example(text, label)
        for text, label in zip(test.texts, test.labels, strict=True)
        if _LEAST_WORDS <= len(list(spans(text))) <= _MOST_WORDS
    ]
    if predictor.model.multi_label:
        return handy[:_SEVERAL]
    # A source may name its classes one behind the other.
    of_class = ([one for one in handy if one.label == label] for label in predictor.labels)
    pairs = [one for some in of_class for one in some[:_LOOKED_AT]]
    answers = predictor.predict_proba([one.text for one in pairs]).argmax(axis=1)
    told = [predictor.labels[answer] for answer in answers.tolist()]
    right = [one for one, label in zip(pairs, told, strict=True) if one.label == label]
    wrong = [one for one, label in zip(pairs, told, strict=True) if one.label != label]
    first = (next((one for one in right if one.label == label), None) for label in predictor.labels)
    return [*(one for one in first if one is not None), *wrong[:1]]


def _predictor(run: ReportedRun) -> TextPredictor | None:
    return TextPredictor(run.model) if isinstance(run.model, CompactClassifier) else None


def texts_section(run: ReportedRun, given: Sequence[str]) -> Markup:
    """Show texts as a classifier sees them, or what a language model writes."""
    if isinstance(run.model, CompactLanguageModel):
        return _written(LanguageModel(run.model), given)
    predictor = _predictor(run)
    if predictor is None:
        return tag("p", "There is no model yet that could read texts.", class_="note")
    chosen, note = ([Example(text) for text in given], "") if given else examples_of(run)
    shown = [_explained(predictor, example) for example in chosen]
    return join([tag("p", note, class_="note"), *shown, _legend()])


def _explained(predictor: TextPredictor, example: Example) -> Markup:
    found = explain(predictor, example.text)
    answer = _answer(found)
    if example.label is not None:
        answer += ["; ", *_verdict(example.label, found)]
    if list(found.given) != [found.explained]:
        answer += ["; marked: ", tag("bdi", found.explained)]
    return join(
        [
            tag("p", *answer, class_="answer"),
            tag("p", *_coloured(example.text, found), class_="text", dir="auto"),
        ]
    )


def _verdict(label: str | tuple[str, ...], found: Explanation) -> list[Markup | str]:
    """Hold what a text is given against what it has."""
    wanted = {label} if isinstance(label, str) else set(label)
    if wanted == set(found.given):
        return ["right"]
    if not label:
        return ["it has no label"]
    if isinstance(label, str):
        return ["its label is ", tag("bdi", label)]
    named = [part for one in label for part in (", ", tag("bdi", one))]
    return ["its labels are " if len(label) > 1 else "its label is ", *named[1:]]


def _answer(found: Explanation) -> list[Markup | str]:
    """Name what the text is given, one thing after another."""
    answer: list[Markup | str] = []
    for label, share in found.given.items():
        answer += [", ", tag("bdi", label), f" {percent(share)}"]
    if answer:
        return answer[1:]
    likeliest = tag("bdi", found.label)
    return ["no label; the most probable one is ", likeliest, f" {percent(found.probability)}"]


def _coloured(text: str, found: Explanation) -> Iterator[Markup | str]:
    place, words = 0, found.words[:_MOST_WORDS]
    most = max((abs(word.effect) for word in words), default=0.0) or 1.0
    ranked = sorted(words, key=lambda word: -abs(word.effect))[:_NUMBERED]
    least = max(_WEAK, abs(ranked[-1].effect)) if ranked else _WEAK
    for word in words:
        yield text[place : word.start]
        yield _word(text[word.start : word.end], word, most, least)
        place = word.end
    rest = len(found.words) - len(words)
    yield f" … {counted(rest, 'word')} more" if rest else text[place:]


def _word(shown: str, word: WordEffect, most: float, least: float) -> Markup:
    name = "b" if word.read and word.kept else "span"
    classes = [] if name == "b" else ["pruned"]
    number: Markup | str = ""
    if abs(word.effect) >= _WEAK:
        classes.append("for" if word.effect > 0 else "against")
    if abs(word.effect) >= least:
        # No line ends between a word and its number, unless the word is longer than a line.
        classes += ["numbered"] if len(shown) <= _LONG_WORD else []
        number = tag("sup", signed(word.effect, 1))
    hint = f"{signed(word.effect)}, then {percent(word.probability)}" if word.read else "not read"
    return tag(
        name,
        shown,
        number,
        class_=" ".join(classes) or None,
        style=f"--strength:{abs(word.effect) / most:.2f}",
        title=hint,
    )


def _legend() -> Markup:
    samples = (
        tag("b", "for the answer", class_="for"),
        tag("b", "against it", class_="against"),
        tag("b", "kept word"),
        tag("span", "pruned or unknown word", class_="pruned"),
        "small numbers: by how much the word moved the log odds of the answer",
    )
    return tag("ul", *(tag("li", sample) for sample in samples), class_="legend")


def _written(model: LanguageModel, given: Sequence[str]) -> Markup:
    parts = []
    for prompt in given or ("",):
        try:
            written = "".join(model.generate(prompt, _LENGTH, temperature=0.8, seed=_SEED))
        except BayespressError as error:
            parts.append(tag("p", f"It cannot go on with this text: {error}.", class_="note"))
            continue
        told = tag("span", written, class_="written")
        parts.append(tag("p", tag("b", prompt), told, class_="text", dir="auto"))
    note = f"Written by the model: {_LENGTH} tokens, temperature 0.8, seed {_SEED}."
    return join([tag("p", note, class_="note"), *parts])
