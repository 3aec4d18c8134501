"""The card: what a reader of the hub should know of a model, and what programs read of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bayespress.compact import CompactClassifier, CompactModel
from bayespress.hub.citation import CITATION
from bayespress.hub.facts import ACCURACY, BITS, F1, PERPLEXITY, Facts, Figure, task_of
from bayespress.hub.front import escaped, fenced, to_yaml
from bayespress.report.wording import counted, fraction, kept_of, number, percent, times
from bayespress.runtime import Inspection, LanguageInspection, inspect

SOMEWHERE = "OWNER/NAME"
_MOST_WORDS = 10
_MEASURES = {
    ACCURACY: ("accuracy", percent),
    F1: ("micro-F1", fraction),
    PERPLEXITY: ("perplexity", number),
    BITS: ("bits per character", lambda value: f"{value:.4f}"),
}
_SPLITS = ("test", "validation")
_TAGS = ("bayespress", "lstm", "pruning", "compression", "sparse-variational-dropout")
_RATIOS = (
    ("compression_ratio", "all / kept matrix weights, the papers’ count"),
    ("dense_ratio", "parameters before / after removing whole rows and columns"),
)
_COUNTS = (
    ("words", "that are read"),
    ("dims", "embedding dimensions"),
    ("neurons", "of the LSTM"),
    ("gates", "that are computed"),
)


def model_card(model: CompactModel, facts: Facts, size: int, repo: str | None = None) -> str:
    """Write a card: front matter in YAML, then Markdown.

    Parameters
    ----------
    model, facts
        The model, and what is told of it.
    size
        Bytes of its file.
    repo
        ``owner/name``, if that is settled.
    """
    place, inspection = repo or SOMEWHERE, inspect(model, size)
    title = repo or facts.name or "A model of bayespress"
    parts = [
        "\n".join(["---", *to_yaml(front_matter(model, facts, title)), "---"]),
        f"# {escaped(title)}",
        _summary(inspection),
        *_use(inspection, place),
        *_figures(inspection, facts),
        *_words(inspection),
        *_training(facts),
        *_limits(model, facts),
        *_licence(facts),
        "## Citation",
        fenced("bibtex", CITATION),
    ]
    return "\n\n".join(parts) + "\n"


def front_matter(model: CompactModel, facts: Facts, title: str) -> dict[str, Any]:
    """Give what programs read of a card; what is not known is left out."""
    task = task_of(model)
    index = list(_index(task, facts))
    known = {
        "library_name": "bayespress",
        "pipeline_tag": task,
        "license": facts.license,
        "language": list(facts.languages),
        "tags": [*_TAGS, task],
        "datasets": [facts.dataset] if facts.dataset else [],
        "metrics": list(dict.fromkeys(figure.measure for figure in facts.figures)),
        "model-index": [{"name": title, "results": index}] if index else [],
    }
    return {key: value for key, value in known.items() if value not in (None, [])}


def _index(task: str, facts: Facts) -> Iterator[dict[str, Any]]:
    name = facts.source or "texts of its own"
    for split in _SPLITS:
        figures = [figure for figure in facts.figures if figure.split == split]
        if figures:
            yield {
                "task": {"type": task},
                "dataset": {"name": name, "type": facts.dataset or "custom", "split": split},
                "metrics": [
                    {"type": one.measure, "name": _measure(one)[0], "value": round(one.value, 6)}
                    for one in figures
                ],
            }


def _measure(figure: Figure) -> tuple[str, Any]:
    return _MEASURES.get(figure.measure, (figure.measure, str))


def _summary(inspection: Inspection | LanguageInspection) -> str:
    size = counted(inspection.file_bytes, "byte")
    if isinstance(inspection, Inspection):
        classes = ", ".join(map(escaped, inspection.labels))
        several = inspection.multi_label
        called = "labels, of which a text may have several or none" if several else "classes"
        what = f"A text classifier in {size}, words and all. Its {called}: {classes}."
    else:
        unit = "words" if inspection.level == "word" else "characters"
        what = f"A language model of {unit} in {size}, tokens and all."
    return (
        f"{what}\n\nIt is a recurrent network that found out by itself, while it learned, which of "
        "its weights, words, neurons and gates it does not need (sparse variational dropout); what "
        "it pruned is taken away. It was made with bayespress and needs numpy alone. The file is "
        "data: to read it executes nothing."
    )


def _use(inspection: Inspection | LanguageInspection, place: str) -> Iterator[str]:
    is_classifier = isinstance(inspection, Inspection)
    calls = (
        ['model.predict_proba(["What a lovely evening"])']
        if is_classifier
        else ['"".join(model.generate("The", length=50, seed=1))']
    )
    command = (
        f'bayespress predict hf://{place} "What a lovely evening"'
        if is_classifier
        else f'bayespress generate hf://{place} --prompt "The" --length 50'
    )
    yield "## How to use it"
    yield fenced("sh", f"pip install 'bayespress[hub]'\n{command}")
    lines = ["import bayespress", "", f'model = bayespress.load("hf://{place}")', *calls]
    yield fenced("python", "\n".join(lines))


def _figures(inspection: Inspection | LanguageInspection, facts: Facts) -> Iterator[str]:
    info = inspection.info
    yield "## Figures"
    rows = [
        (f"{split} {escaped(name)}", show(figure.value), _measured_on(figure))
        for split in _SPLITS
        for figure in facts.figures
        for name, show in (_measure(figure),)
        if figure.split == split
    ]
    for name, meaning in _RATIOS:
        if isinstance(info.get(name), (int, float)):
            rows.append((name, times(info[name]), meaning))
    if inspection.size_ratio:
        meaning = "bytes of the dense model and its words / bytes of this file"
        rows.append(("size_ratio", times(inspection.size_ratio), meaning))
    rows.append(("file", counted(inspection.file_bytes, "byte"), "model.bpr, all included"))
    for name, meaning in _COUNTS:
        count: Any = info.get(name)
        if _is_pair(count):
            rows.append((name, kept_of(count), meaning))
    yield _table(("figure", "value", "meaning"), rows)
    if not facts.figures:
        yield "How good it is was not measured, or is not known here."


def _measured_on(figure: Figure) -> str:
    if figure.split == "validation" and figure.count is None:
        return "of the epoch that was chosen by it"
    thing = "text" if figure.measure in (ACCURACY, F1) else "token"
    return "" if figure.count is None else counted(figure.count, thing)


def _is_pair(count: Any) -> bool:
    return isinstance(count, (list, tuple)) and [type(one) for one in count] == [int, int]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    lines = [names, ("---",) * len(names), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _words(inspection: Inspection | LanguageInspection) -> Iterator[str]:
    yield "## Words that it looks at"
    count = len(inspection.words)
    if isinstance(inspection, LanguageInspection):
        shown = [escaped(word.word) for word in inspection.words[: 2 * _MOST_WORDS]]
        yield (
            f"Of {counted(inspection.tokens, 'token')} that it can write it reads {count:,}; those "
            "with the most weight:"
        )
        yield ", ".join(shown) or "none"
        return
    yield (
        f"It reads {counted(count, 'word')} and takes any other for an unknown one. The most "
        f"telling for each {'label' if inspection.multi_label else 'class'}, with the effect that "
        "the word alone has on its log odds:"
    )
    rows = []
    for label in inspection.labels:
        speaking = [word for word in inspection.words if word.toward == label]
        strongest = sorted(speaking, key=lambda word: -abs(word.effect))[:_MOST_WORDS]
        # Of several labels, a word may speak against the one that it says most of.
        sign = "+" if inspection.multi_label else ""
        effects = (word.effect if sign else abs(word.effect) for word in strongest)
        words = ", ".join(
            f"{escaped(word.word)} {effect:{sign}.2f}"
            for word, effect in zip(strongest, effects, strict=True)
        )
        rows.append((escaped(label), words or "–"))
    yield _table(("label" if inspection.multi_label else "class", "words"), rows)


def _training(facts: Facts) -> Iterator[str]:
    yield "## Training"
    if not facts.settings:
        yield "How it was trained is not known here: there was a model without its run."
        return
    told = []
    if facts.source is not None:
        told.append(f"Data: {escaped(facts.source)}.")
    if facts.epoch is not None and facts.epochs is not None:
        told.append(f"Published is epoch {facts.epoch} of {facts.epochs}.")
    if facts.versions:
        versions = (f"{escaped(name)} {escaped(one)}" for name, one in facts.versions.items())
        told.append(f"Trained with {', '.join(versions)}.")
    if told:
        yield " ".join(told)
    if facts.command is not None:
        yield fenced("sh", facts.command)
    yield "<details><summary>All settings</summary>"
    yield fenced("toml", "\n".join(_toml(facts.settings)))
    yield "</details>"


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, table in tables.items():
        yield f"[{name}]"
        for key, value in table.items():
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _limits(model: CompactModel, facts: Facts) -> Iterator[str]:
    limits = ["It learned from the texts of its training alone: of others it may know nothing."]
    if isinstance(model, CompactClassifier):
        limits += [
            f"It reads the first {counted(model.encoder.max_length, 'token')} of a text.",
            (
                "It has an answer for every text, also for one of no class, in another language, "
                "or without a word that it knows; its probabilities are not calibrated."
            ),
        ]
    else:
        limits.append("It writes what its training text makes probable, true or not.")
    limits.append("The words that it kept are in the file, for everybody to read.")
    if facts.license is None:
        limits.append("Nobody has said under which licence it may be used.")
    yield "## Limits"
    yield "\n".join(f"- {limit}" for limit in limits)


def _licence(facts: Facts) -> Iterator[str]:
    if facts.license is not None:
        yield "## Licence"
        yield f"{escaped(facts.license)}, for the model; its data may have another one."
