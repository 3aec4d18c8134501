"""``bayespress explain``: how each word of a text moved the answer; no torch, no tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bayespress import runtime
from bayespress.cli.explanation import print_explanation
from bayespress.cli.options import MODEL, model_file
from bayespress.cli.predict import stdin_texts
from bayespress.cli.shown import to_json
from bayespress.runtime import Explanation

_COUNT = click.IntRange(min=0)
_DIGITS = 6


@click.command("explain", short_help="Show how each word moved the answer.")
@click.argument("model", type=MODEL)
@click.argument("texts", nargs=-1, metavar="[TEXT]…")
@click.option("--label", metavar="CLASS", help="class to explain  [the most probable one]")
@click.option("--words", type=_COUNT, default=8, help="how many words to list  [8]")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object a text")
def command(
    model: Path | str, texts: tuple[str, ...], label: str | None, words: int, *, as_json: bool
) -> None:
    """Colour texts, or the lines of standard input, by how each word moved the answer.

    MODEL is a classifier's file, the folder of its run, or hf://owner/name, which is fetched from
    the Hugging Face hub. The effect of a word is the log odds of the class, had the text ended
    behind the word, minus those had it ended before it. Effects add up to what the whole text
    changed. Start and end in JSON count the characters of the text.
    Where a text may have several labels, those of at least 50% are named.

    \b
    Example:
      bayespress explain model.bpr "What a lovely evening"
      bayespress explain model.bpr --label bad --json < reviews.txt > effects.jsonl
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    predictor = runtime.load_classifier(model_file(model))
    console = Console()
    for batch in [list(texts)] if texts else stdin_texts():
        for text in batch:
            explanation = runtime.explain(predictor, text, label)
            if as_json:
                answer = _to_json(text, explanation, several=predictor.model.multi_label)
                sys.stdout.write(answer + "\n")
            else:
                print_explanation(console, text, explanation, predictor.model, words)
        sys.stdout.flush()


def _to_json(text: str, explanation: Explanation, *, several: bool) -> str:
    tokens: list[dict[str, Any]] = [
        {
            "text": text[word.start : word.end],
            "start": word.start,
            "end": word.end,
            "kept": word.kept,
            "read": word.read,
            "effect": round(word.effect, _DIGITS),
            "probability": round(word.probability, _DIGITS),
        }
        for word in explanation.words
    ]
    given = {label: round(share, _DIGITS) for label, share in explanation.given.items()}
    answer = {
        "label": explanation.label,
        "probability": round(explanation.probability, _DIGITS),
        **({"labels": given} if several else {}),
        "explained": explanation.explained,
        "start": round(explanation.start, _DIGITS),
        "final": round(explanation.final, _DIGITS),
        "tokens": tokens,
    }
    return to_json(answer)
