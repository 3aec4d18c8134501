"""Train on and ask for what nobody should: each case ends well, or in one line that helps.

    python scripts/strange_numbers.py
    python scripts/strange_numbers.py --only rates

Settings: word vectors that are no numbers, learning rates and divergence weights of 1e30, networks
of one neuron, thresholds at their ends. Data: one text, one class, one word, labels of 5,000
letters, batches and segments longer than the data. Sizes: a text of 100,000 tokens and 1,000
classes in every runtime, networks of which nothing is left. A run that ends must have finite
weights and a file that answers as the masked network does, to 1e-5; a refusal must be one line.
Prints a JSON object; the exit code is 1 if a case ends otherwise.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parent))
from check_runtimes import LIMIT, check
from strange_texts import network

from bayespress.compact import CompactGRU, CompactLSTM, dumps, load, loads
from bayespress.compact.layout import arrays_of
from bayespress.export.html import write_html
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

WORDS = ["a", "the", "film", "plot", "of", "and", "it"]
TINY = (
    *("--embedding-size", "6", "--hidden-size", "5", "--batch-size", "16", "--epochs", "3"),
    *("--min-documents", "1", "--max-length", "12", "--learning-rate", "0.02"),
)
LANGUAGE = (
    *("--task", "lm", "--hidden-size", "8", "--batch-size", "4", "--segment-length", "9"),
    *("--min-documents", "1", "--learning-rate", "0.02", "--epochs", "2"),
)
MOST_TOKENS, MANY_CLASSES = 100_000, 1_000
Rows = list[tuple[str, str]]
Outcome = dict[str, Any]


class CaseError(Exception):
    """A case that ended as none may."""


def rows(count: int = 120, labels: Sequence[str] = ("bad", "good"), seed: int = 1) -> Rows:
    """Make texts of random words, one of which is the label."""
    source, made = random.Random(seed), []
    for number in range(count):
        label = labels[number % len(labels)]
        words = source.choices(WORDS, k=source.randint(1, 8))
        words.insert(source.randint(0, len(words)), label)
        made.append((" ".join(words), label))
    return made


class Runs:
    """A folder in which runs are made and looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._count = folder, 0

    def table(self, made: Rows) -> str:
        """Write rows of texts and labels."""
        return self.file(".csv", made)

    def file(self, ending: str, content: Rows | str) -> str:
        """Write a file under a new name."""
        self._count += 1
        path = self.folder / f"{self._count}{ending}"
        with path.open("w", newline="", encoding="utf-8") as file:
            if isinstance(content, str):
                file.write(content)
            else:
                csv.writer(file).writerows([("text", "label"), *content])
        return str(path)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the program."""
        command = [sys.executable, "-m", "bayespress.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def train(self, *words: str) -> Outcome:
        """Train; tell how that ended."""
        self._count += 1
        output = self.folder / f"run{self._count}"
        done = self.command("train", *words, "--output", str(output))
        if done.returncode:
            if done.returncode != 2 or not done.stderr.startswith("error: "):
                raise CaseError(f"it ended with {done.returncode}: {done.stderr[-300:]}")
            if done.stderr.count("\n") != 1:
                raise CaseError(f"it did not say one line: {done.stderr[:300]}")
            self._check_kept(output)
            return {"refused": done.stderr[7:].strip().replace(f"{self.folder}/", "")}
        if done.stderr:
            raise CaseError(f"it complained: {done.stderr[:300]}")
        result = json.loads((output / "result.json").read_text())
        difference = result.get("largest_difference", 0.0)
        if not difference <= LIMIT:
            raise CaseError(f"the file differs from the masked network by {difference}")
        check_finite(output / "model.bpr")
        return {"run": str(output), "largest_difference": difference}

    @staticmethod
    def _check_kept(run: Path) -> None:
        """See that what a run left is of an epoch that was well."""
        from safetensors.numpy import load_file  # noqa: PLC0415 - of the extra for training

        for file in run.glob("*.safetensors"):
            for name, array in load_file(file).items():
                if name.startswith("net.") and not np.isfinite(array).all():
                    raise CaseError(f"{file.name} keeps {name}, which is not finite")


def check_finite(file: Path) -> None:
    """See that all weights of a model are numbers."""
    for name, array in arrays_of(load(file)).items():
        if not np.isfinite(array).all():
            raise CaseError(f"{name} is not finite")


def vectors(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Give a word a vector that is none."""
    source = runs.table(rows())
    for number in ("nan", "inf", "-inf", "1e39", "1e38", "-1e7", "0x1", ""):
        file = runs.file(".txt", f"bad 1 2 3 4 5 6\ngood 1 2 3 4 5 {number}\n")
        outcome = runs.train(source, *TINY, "--embeddings", file)
        if "line 2" not in outcome.get("refused", ""):
            raise CaseError(f"{number!r} is not refused by its line: {outcome}")
        yield f"a vector with {number!r}", outcome
    file = runs.file(".txt", "bad 1 2 3 4 5 6\nelsewhere 1 2 3 4 5 nan\n")
    yield (
        "NaN in the vector of a word that is not used",
        runs.train(source, *TINY, "--embeddings", file),
    )


def rates(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Learn far too fast, in all ways."""
    source, text = runs.table(rows()), runs.file(".txt", _lines())
    flags = ("", "group-", "log-sigma-", "group-log-sigma-")
    for flag, value in ((flag, value) for flag in flags for value in ("100", "1e30")):
        name = f"--{flag}learning-rate"
        yield f"{name} {value}", runs.train(source, *TINY, name, value)
    for value in ("1e10", "1e19", "1e38"):
        for batch in ("16", "5000"):
            words = ("--learning-rate", value, "--batch-size", batch, "--epochs", "1")
            yield f"{' '.join(words)}", runs.train(source, *TINY, *words)
    for value in ("100", "1e30"):
        more = ("--cell", "gru", "--pooling", "mean", "--bidirectional", "--layers", "2")
        words = ("--learning-rate", value)
        yield f"a GRU, {' '.join(words)}", runs.train(source, *TINY, *more, *words)
        yield f"lm, {' '.join(words)}", runs.train(text, *LANGUAGE, *words)


def settings(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Set what may be set to its ends."""
    source = runs.table(rows())
    for words in (
        "--kl-weight 1e30", "--kl-weight 0", "--hidden-size 1 --embedding-size 1",
        "--max-length 1", "--threshold inf", "--threshold -8", "--threshold -9",
        "--batch-size 1000000", "--min-documents 1000", "--vocabulary-size 1",
        "--validation-fraction 0", "--validation-fraction 1e-9", "--validation-fraction 0.9",
        "--weight-log-sigma 80 --dense-epochs 0", "--weight-log-sigma -80", "--clip-norm 1e-30",
        "--layers 1 --cell gru --hidden-size 1 --bidirectional --max-length 1",
    ):  # fmt: skip
        yield words, runs.train(source, *TINY, *words.split())


def data(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Train on hardly anything, and on what is odd."""
    usual = rows()
    valid = ("--validation-source", runs.table(usual), "--test-fraction", "0")
    many = "L" * 5_000
    cases: dict[str, tuple[Rows, Sequence[str]]] = {
        "no text": ([], ()),
        "one text": (usual[:1], ()),
        "one text a class": (usual[:2], valid),
        "three texts": (usual[:3], ()),
        "one class": ([row for row in usual if row[1] == "good"], ()),
        "a class with one example": ([*usual, ("lonely film", "single")], ()),
        "the same, weights balanced": (
            [*usual, ("lonely film", "single")], ("--class-weight", "balanced")
        ),
        "one word": ([("x", label) for _, label in usual], ()),
        "texts of length 1": ([(label, label) for _, label in usual], ()),
        "no words": ([("!", label) for _, label in usual], ()),
        "empty texts": ([("", label) for _, label in usual], ()),
        "some empty texts": ([*usual, *[("", "good")] * 9], ()),
        "an empty label": ([*usual, ("a film", "")], ()),
        "labels of 5,000 letters": ([(text, many + label) for text, label in usual], ()),
        "a word of 1,000,000 letters": ([*usual, ("x" * 10**6, "good")], ()),
        "labels of one Unicode plane each": (rows(labels=("😀", "漢\u202e", "a\tb")), ()),
    }  # fmt: skip
    for name, (made, words) in cases.items():
        yield name, runs.train(runs.table(made), *TINY, *words)


def language(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Train language models on hardly anything."""
    usual = _lines()
    for name, text, words in (
        ("one token", "word", ""), ("two tokens", "word word", ""), ("no text", "", ""),
        ("spaces", "   ", ""), ("one word, many times", "x\n" * 400, ""),
        ("a segment longer than the text", usual, "--segment-length 100000"),
        ("windows longer than the text", usual, "--no-carry-state --segment-length 5000"),
        ("more streams than tokens", usual, "--batch-size 100000"),
        ("a segment of 1", usual, "--segment-length 1"),
        ("a segment of 2", usual, "--segment-length 2"),
        ("one neuron", usual, "--hidden-size 1"), ("no word kept", usual, "--min-documents 9999"),
        ("one word kept", usual, "--vocabulary-size 1"),
        ("characters of all planes", usual + "é漢😀\ue000\U0010ffff\0" * 50, "--level char"),
        ("one character", "a" * 500, "--level char"),
    ):  # fmt: skip
        yield name, runs.train(runs.file(".txt", text), *LANGUAGE, *words.split())


def long(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Train on a text of 100,000 tokens, and ask every runtime for it."""
    source = random.Random(1)
    text = " ".join(source.choices([*WORDS, "good"], k=MOST_TOKENS))
    table = runs.table([*rows(), (text, "good")])
    for more in ((), ("--pooling", "mean"), ("--cell", "gru", "--pooling", "mean")):
        words = ("--max-length", "200000", "--epochs", "1", *more)
        outcome = runs.train(table, *TINY, *words)
        if "run" in outcome:
            outcome |= ask(Path(outcome["run"]) / "model.bpr", [text, text[::-1], "good"])
        yield f"{MOST_TOKENS:,} tokens {' '.join(more)}".strip(), outcome
    encoder = encoder_of([*WORDS, "good"], 200_000)
    for kind, layers in ((CompactGRU, [[4], [4]]), (CompactLSTM, [[4, 3]])):
        model = network(encoder, kind, layers, "mean", seed=3)
        yield f"{kind.name} {layers}, mean of {MOST_TOKENS:,} states", ask(model, [text])


def classes(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Tell 1,000 classes apart, and ship them."""
    labels = [f"c{number:03}" for number in range(MANY_CLASSES)]
    made = rows(8 * MANY_CLASSES, labels)
    begin = time.perf_counter()
    words = ("--hidden-size", "16", "--embedding-size", "16", "--batch-size", "256")
    outcome = runs.train(runs.table(made), *TINY, *words)
    outcome["seconds"] = round(time.perf_counter() - begin, 1)
    if "run" in outcome:
        outcome |= shipped(runs, Path(outcome["run"]), [text for text, _ in made[:200]])
    yield f"{MANY_CLASSES:,} classes", outcome


def shipped(runs: Runs, run: Path, texts: Sequence[str]) -> Outcome:
    """Compress a run, and see all that is made of it."""
    model, page = runs.folder / "small.bpr", runs.folder / "small.html"
    done = runs.command("compress", str(run), "--output", str(model), "--force")
    if done.returncode:
        raise CaseError(f"compress: {done.stderr[-300:]}")
    write_html(load(model), page)
    figures = {"file_bytes": model.stat().st_size, "page_bytes": page.stat().st_size}
    return {**ask(model, texts), **figures}


def pruned(runs: Runs) -> Iterator[tuple[str, Outcome]]:
    """Ask networks of which nothing is left: no word, no neuron, no weight of a class."""
    texts = ["", "good", "good bad " * 99]
    for kind in (CompactLSTM, CompactGRU):
        for layers in ([[0]], [[0, 0]], [[2], [0]], [[0], [2]]):
            pooling = "last" if layers[0] == [0] else "mean"
            model = network(encoder_of([], 12), kind, layers, pooling)
            yield f"{kind.name} {layers} {pooling}", ask(loads(dumps(model)), texts)
    few = network(encoder_of(["good"], 12), CompactLSTM, [[2]], "last")
    none = replace(few, embedding=few.embedding * 0, output_weight=few.output_weight * 0)
    yield "weights that are all zero", ask(loads(dumps(none)), texts)
    run = runs.train(runs.table(rows()), *TINY).get("run", "")
    for size in ("1", "400"):
        output = str(runs.folder / f"least{size}.bpr")
        done = runs.command("compress", run, "--output", output, "--target-size", size)
        if done.returncode not in {0, 2} or done.stderr.count("\n") > 1:
            raise CaseError(f"--target-size {size}: {done.stderr[-300:]}")
        outcome = ask(Path(output), texts) if done.returncode == 0 else {"refused": done.stderr}
        yield f"compress --target-size {size}", outcome


def encoder_of(words: Sequence[str], max_length: int) -> TextEncoder:
    """Give the encoder that knows these words."""
    known = MappingProxyType({word: row for row, word in enumerate(words, 1)})
    return TextEncoder(Tokenizer(), Vocabulary(known, len(words) + 1), max_length)


def ask(model: Any, texts: Sequence[str]) -> Outcome:
    """Ask all runtimes; none may differ."""
    model = load(model) if isinstance(model, Path) else model
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for line in check(model, texts, Path(folder)) if "skipped" not in line]
    worst = max(line["largest_difference"] for line in lines)
    far = [line for line in lines if not line["largest_difference"] <= LIMIT]
    if far:
        raise CaseError(f"runtimes differ: {far}")
    return {"runtimes": len(lines), "runtimes_difference": worst}


def _lines() -> str:
    source = random.Random(1)
    return "\n".join(" ".join(source.choices(WORDS, k=8)) for _ in range(300))


GROUPS: dict[str, Callable[[Runs], Iterator[tuple[str, Outcome]]]] = {
    "vectors": vectors, "rates": rates, "settings": settings, "data": data, "language": language,
    "long": long, "classes": classes, "pruned": pruned,
}  # fmt: skip


def run_group(name: str, runs: Runs) -> tuple[list[Outcome], list[str]]:
    """Go through the cases of a group until one fails; give outcomes, and what is wrong."""
    outcomes: list[Outcome] = []
    try:
        for case, outcome in GROUPS[name](runs):
            print(f"{name}: {case}: {outcome.get('refused', 'well')}", file=sys.stderr, flush=True)
            shown = {key: value for key, value in outcome.items() if key != "run"}
            outcomes.append({"group": name, "case": case, **shown})
    except CaseError as error:
        return outcomes, [f"{name}, behind case {len(outcomes)}: {error}"]
    return outcomes, []


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through all cases, and print one JSON object; return 1 if one ends otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="groups of cases  [all]")
    given = parser.parse_args(arguments)
    outcomes, wrong, begin = [], [], time.perf_counter()
    for name in given.only or GROUPS:
        with tempfile.TemporaryDirectory() as folder:
            some, bad = run_group(name, Runs(Path(folder)))
        outcomes += some
        wrong += bad
    for line in wrong:
        print(line, file=sys.stderr)
    figures = {
        "cases": len(outcomes),
        "refused": sum("refused" in outcome for outcome in outcomes),
        "wrong": len(wrong),
        "seconds": round(time.perf_counter() - begin, 1),
        "outcomes": outcomes,
    }
    print(json.dumps(figures), flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
