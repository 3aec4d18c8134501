"""Compare what a classifier answers in every runtime at hand, on real texts and strange ones.

    python scripts/check_runtimes.py runs/demo demo
    BAYESPRESS_DATA=/data python scripts/check_runtimes.py runs/imdb imdb --texts 1000

One JSON object a line for each runtime: texts, those with characters beyond ASCII, the largest
difference of a probability to numpy's with all texts at once, the texts for which it is over 1e-5,
and the seconds to answer. The exit code is 1 if there are such texts. Of a share of the texts a
copy is added, into which accents, emoji, letters of many scripts, combining marks, unusual spaces
and pitfalls of case are mixed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress.cli.options import model_file
from bayespress.compact import CompactClassifier
from bayespress.config import DataConfig
from bayespress.data import load_split
from bayespress.errors import BayespressError
from bayespress.export.c import write_c
from bayespress.export.javascript import write_js
from bayespress.export.native import NativePredictor
from bayespress.export.onnx import write_onnx
from bayespress.runtime import TextPredictor, load_classifier

LIMIT = 1e-5
STRANGE = {
    "accents": ["é", "ñ", "naïve", "Ångström", "façade", "ﬁ", "œuvre", "Žižek"],
    "emoji": ["😀", "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "❤\ufe0f", "1\ufe0f\u20e3"],
    "other scripts": ["漢字", "カタカナ", "한국어", "𠮷", "Привет", "ไทย", "हिन्दी", "₃", "½", "٣"],
    "combining marks": ["e\u0301", "\u0301", "a\u0308\u0323", "\u0345", "z\u0338\u0336"],
    "right to left": ["שלום", "مرحبا", "\u202eabc\u202c", "\u200f", "\u2067א\u2069"],
    "spaces": [*"\xa0\u1680\u2003\u2028\u2029\u3000\u200b\ufeff\x85\x1c\t\0", "\r\n", "\xad"],
    "cases": ["İ", "\u0131", "ẞ", "ß", "ΟΔΟΣ", "Σ", "aΣ", "ǅ", "\u212a", "\u212b", "\u13a0", "𐐀"],
}
LOOKALIKES = str.maketrans({"k": "\u212a", "i": "İ", "s": "\u017f", "a": "á", "e": "e\u0301"})
BATCH = 512
EVERY = 8
"""Of so many words of a copy, one becomes strange."""

JAVASCRIPT = """
import { createInterface } from "node:readline";
import { predict } from "./model.mjs";
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(predict(JSON.parse(line)).probabilities)}\\n`);
}
"""

# A label may have a tab in it.
TOLD = re.compile(r"(.*?)\t([01]\.\d{6})(?:\t|$)")

Probabilities = NDArray[np.floating]
Runtime = Callable[[Sequence[str]], Probabilities]


def mixed(texts: Sequence[str], share: float, seed: int = 0) -> list[str]:
    """Add to some texts copies of them with strange characters; equal seeds add equal ones."""
    source = random.Random(seed)
    chosen = source.sample(range(len(texts)), round(share * len(texts)))
    return [*texts, *(strange(texts[number], source) for number in sorted(chosen))]


def strange(text: str, source: random.Random) -> str:
    """Put strange characters beside, into, and in the place of, some words of a text."""
    words = text.split(" ")
    for place in source.sample(range(len(words)), -(-len(words) // EVERY)):
        word, piece = words[place], source.choice(STRANGE[source.choice(list(STRANGE))])
        middle = source.randint(0, len(word))
        words[place] = source.choice([
            f"{word} {piece}",
            f"{piece}{word}",
            f"{word}{piece}",
            f"{word[:middle]}{piece}{word[middle:]}",
            f"{word.translate(LOOKALIKES)} {piece}",
            f"{word.upper()}{piece}",
        ])  # fmt: skip
    return " ".join(words)


def check(model: CompactClassifier, texts: Sequence[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Ask every runtime; give what is to be printed of each, numpy with all texts at once first."""
    strange_texts = sum(not text.isascii() for text in texts)
    expected: Probabilities | None = None
    for name, make in RUNTIMES.items():
        runtime = make(model, folder)
        if runtime is None:
            yield {"runtime": name, "skipped": "not installed"}
            continue
        begin = time.perf_counter()
        found = runtime(texts)
        seconds = time.perf_counter() - begin
        expected = found if expected is None else expected
        yield {
            "runtime": name,
            "texts": len(texts),
            "non_ascii": strange_texts,
            "largest_difference": float(abs(found - expected).max()),
            "over_limit": int((~(abs(found - expected) <= LIMIT)).any(axis=1).sum()),
            "seconds": round(seconds, 3),
        }


def _numpy_batched(model: CompactClassifier, _: Path) -> Runtime:
    return TextPredictor(model).predict_proba


def _numpy_one_by_one(model: CompactClassifier, _: Path) -> Runtime:
    ready = TextPredictor(model)
    return lambda texts: np.concatenate([ready.predict_proba([text]) for text in texts])


def _c_library(model: CompactClassifier, _: Path) -> Runtime | None:
    return NativePredictor(model).predict_proba if shutil.which("cc") else None


def _c_program(model: CompactClassifier, folder: Path) -> Runtime | None:
    """Build the exported program, which tells the probabilities of its answer alone."""
    if not shutil.which("cc"):
        return None
    write_c(model, folder / "c")
    command = ["cc", "-std=c99", "-O3", "-o", "model", "main.c", "model.c", "-lm"]
    subprocess.run(command, cwd=folder / "c", check=True)

    def ask(texts: Sequence[str]) -> Probabilities:
        # A line is a text; a line's end in it is, as a space, no part of a word.
        lines = "".join(text.replace("\n", " ") + "\n" for text in texts)
        answers = _answers([str(folder / "c" / "model")], lines)
        if model.multi_label:
            return _of_several_labels(model, texts, answers)
        found: Probabilities = np.ma.masked_equal(np.zeros((len(texts), len(model.labels))), 0)
        for number, line in enumerate(answers):
            label, _, probability = line.rpartition("\t")
            found[number, model.labels.index(label)] = float(probability)
        return found

    return ask


def _of_several_labels(
    model: CompactClassifier, texts: Sequence[str], answers: Sequence[str]
) -> Probabilities:
    """Read lines of all labels that are at least as probable as not, each with its probability."""
    # A label that is not told may have any probability below a half: the right one, if that is.
    found = np.minimum(TextPredictor(model).predict_proba(texts), 0.5)
    for row, line in zip(found, answers, strict=True):
        for label, probability in TOLD.findall(line):
            row[model.labels.index(label)] = float(probability)
    return found


def _javascript(model: CompactClassifier, folder: Path) -> Runtime | None:
    node = shutil.which("node")
    if node is None:
        return None
    write_js(model, folder / "model.mjs")
    (folder / "ask.mjs").write_text(JAVASCRIPT, encoding="utf-8")

    def ask(texts: Sequence[str]) -> Probabilities:
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        return np.array([json.loads(line) for line in _answers([node, "ask.mjs"], lines, folder)])

    return ask


def _onnx(model: CompactClassifier, folder: Path) -> Runtime | None:
    if not all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        return None
    import onnxruntime  # noqa: PLC0415 - not everybody has it

    write_onnx(model, folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")

    def ask(texts: Sequence[str]) -> Probabilities:
        rows = [model.encoder.encode(text) for text in texts]
        lengths = np.array([len(text) for text in rows], np.int64)
        found = np.empty((len(texts), len(model.labels)), np.float32)
        for start in range(0, len(rows), BATCH):
            batch = slice(start, start + BATCH)
            ids = np.zeros((len(rows[batch]), lengths[batch].max()), np.int64)
            for row, text in zip(ids, rows[batch], strict=True):
                row[: len(text)] = text
            given = {"ids": ids, "lengths": lengths[batch]}
            (found[batch],) = session.run(["probabilities"], given)
        return found

    return ask


def _answers(command: Sequence[str], lines: str, folder: Path | None = None) -> list[str]:
    """Give the lines that a program answers, one for each line."""
    done = subprocess.run(
        command, cwd=folder, input=lines.encode(), stdout=subprocess.PIPE, check=True
    )
    answers = done.stdout.decode().split("\n")[:-1]
    if len(answers) != lines.count("\n"):
        raise SystemExit(f"{command[0]}: {lines.count(chr(10))} lines got {len(answers)} answers")
    return answers


RUNTIMES: dict[str, Callable[[CompactClassifier, Path], Runtime | None]] = {
    "numpy batched": _numpy_batched,
    "numpy one by one": _numpy_one_by_one,
    "C library": _c_library,
    "C program": _c_program,
    "JavaScript": _javascript,
    "ONNX": _onnx,
}


def texts_of(source: str, split: str, most: int | None) -> list[str]:
    """Read the raw texts of a source, or so many from everywhere in it."""
    texts = load_split(DataConfig(source=source), split).texts
    count = len(texts) if most is None else min(most, len(texts))
    return [texts[number * len(texts) // count] for number in range(count)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each runtime; return 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="a classifier's file, or the folder of its run")
    parser.add_argument("source", help="labelled texts: demo, imdb, ag-news, a file or a folder")
    parser.add_argument("--split", default="test", help="part of the source  [test]")
    parser.add_argument("--texts", type=int, metavar="N", help="how many of its texts  [all]")
    parser.add_argument("--share", type=float, default=0.5, help="of texts with a copy  [0.5]")
    parser.add_argument("--seed", type=int, default=0, help="of the copies  [0]")
    given = parser.parse_args(arguments)
    try:
        model = load_classifier(model_file(given.model)).model
        texts = texts_of(given.source, given.split, given.texts)
    except BayespressError as error:
        parser.error(str(error))
    differs = False
    with tempfile.TemporaryDirectory() as folder:
        for line in check(model, mixed(texts, given.share, given.seed), Path(folder)):
            print(json.dumps(line), flush=True)
            # Not "over": a difference that is no number is one too.
            differs |= not line.get("largest_difference", 0) <= LIMIT
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
