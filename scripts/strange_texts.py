"""Ask every runtime for its answers to texts of strangers: all agree, or refuse alike.

    python scripts/strange_texts.py examples/models/*.bpr
    python scripts/strange_texts.py --networks 2

Named texts (empty, zero bytes, byte order marks, line ends, halves of surrogate pairs, all
scripts, marks, emoji, very long words …) go as strings through numpy, C, JavaScript and ONNX, as
bytes through standard input of the command and of the C program, and as rows of .txt, .csv, .jsonl
and .parquet through `predict --input`. Bytes that are not UTF-8 must be refused at the same line,
and where programs read lines at the same byte. Small networks of every kind are made besides the
models that are named. Prints a JSON object; the exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parent))
from check_runtimes import LIMIT, RUNTIMES
from strange_corpus import HALVES, LINE_BREAKS, NOT_UTF8, TEXTS

from bayespress.compact import (
    CompactClassifier,
    CompactGRU,
    CompactLSTM,
    load,
    save,
)
from bayespress.export.c import write_c
from bayespress.runtime import TextPredictor
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

SIX_DIGITS = 2e-6
"""Commands print so many; both sides may round."""

Probabilities = NDArray[np.floating]


class Differences:
    """What was compared, and what was wrong."""

    def __init__(self) -> None:
        self.compared, self.largest = 0, 0.0
        self.wrong: list[str] = []

    def near(
        self, what: str, names: Sequence[str], found: Probabilities, expected: Probabilities,
        limit: float,
    ) -> None:  # fmt: skip
        """Compare probabilities of texts, ``(N, labels)``."""
        if found.shape != expected.shape:
            self.wrong.append(f"{what}: {len(found)} answers to {len(expected)} texts")
            return
        apart = abs(found - expected).max(axis=1, initial=0)
        self.compared += len(names)
        self.largest = max(self.largest, float(apart.max(initial=0)))
        # Not "over": a difference that is no number is one too.
        bad = np.flatnonzero(~(apart <= limit))
        self.wrong += [f"{what}: {names[k]} differs by {apart[k]:.2g}" for k in bad[:20]]

    def equal(self, what: str, found: object, expected: object) -> None:
        """Compare anything else."""
        self.compared += 1
        if found != expected:
            self.wrong.append(f"{what}: {str(found)[:60]!r}, not {str(expected)[:60]!r}")


def networks() -> Iterator[tuple[str, CompactClassifier]]:
    """Make small networks that know words of the texts."""
    layers = [[[4]], [[3, 2]], [[3], [2]]]
    for number, (kind, pooling, multi, lowercase) in enumerate([
        (CompactLSTM, "last", False, False), (CompactLSTM, "mean", True, True),
        (CompactGRU, "last", False, True), (CompactGRU, "mean", False, False),
        (CompactGRU, "max", True, True), (CompactLSTM, "last", False, True),
    ]):  # fmt: skip
        encoder = encoder_of([*TEXTS.values(), *HALVES.values()], lowercase=lowercase)
        name = f"{kind.name} {pooling}{' several labels' * multi}{' lowercase' * lowercase}"
        yield (
            name,
            network(encoder, kind, layers[number % 3], pooling, multi_label=multi, seed=number),
        )


def encoder_of(texts: Iterable[str], *, lowercase: bool, max_length: int = 300) -> TextEncoder:
    """Give the encoder that knows every other word of texts, and those of them that are short."""
    tokenizer = Tokenizer(lowercase)
    words = sorted({word for text in texts for word in tokenizer.words(text) if len(word) < 50})
    kept = [*words[::2], *(w for w in words[1::2] if w in {"good", "bad", "a", "it"})]
    rows = MappingProxyType({word: row for row, word in enumerate(kept, 1)})
    return TextEncoder(tokenizer, Vocabulary(rows, len(kept) + 1), max_length)


def network(
    encoder: TextEncoder, kind: Any, layers: Sequence[Sequence[int]], pooling: str, *,
    multi_label: bool = False, seed: int = 0, outputs: int = 3,
) -> CompactClassifier:  # fmt: skip
    """Make a network of random weights, every word of which moves the answer."""
    source = np.random.default_rng(seed)

    def array(*shape: int) -> Any:
        return source.normal(size=shape).astype(np.float32)

    def cell(inputs: int, hidden: int) -> Any:
        count = len(kind.gates) * hidden
        more = {"hidden_bias": array(hidden)} if kind is CompactGRU else {}
        return kind(
            weight_ih=array(count, inputs), weight_hh=array(count, hidden), bias=array(count),
            live_gates=np.arange(count), gate_activation="sigmoid", **more,
        )  # fmt: skip

    reads = [2, *map(sum, layers)]
    return CompactClassifier(
        encoder=encoder,
        embedding=array(encoder.vocabulary.num_rows - 1, 2),
        layers=tuple(
            tuple(cell(inputs, hidden) for hidden in layer)
            for inputs, layer in zip(reads, layers, strict=False)
        ),
        output_weight=array(outputs, reads[-1]),
        output_bias=array(outputs),
        labels=tuple(f"label {number}" for number in range(outputs)),
        pooling=pooling,
        multi_label=multi_label,
    )


def check_strings(model: CompactClassifier, folder: Path, found: Differences) -> list[str]:
    """Send all texts as strings through every runtime; tell which ones there were."""
    named = {**TEXTS, **HALVES, **LINE_BREAKS}
    texts, names = list(named.values()), list(named)
    expected = TextPredictor(model).predict_proba(texts)
    ran = []
    for runtime, make in RUNTIMES.items():
        if runtime == "C program":
            continue  # it reads lines: see the bytes
        ask = make(model, folder)
        if ask is not None:
            found.near(runtime, names, ask(texts), expected, LIMIT)
            ran.append(runtime)
    return ran


def check_bytes(
    model: CompactClassifier, file: Path, folder: Path, found: Differences
) -> list[str]:
    """Send texts as lines through the command and the C program, and bytes that are no UTF-8."""
    names, texts = list(TEXTS), list(TEXTS.values())
    expected = TextPredictor(model).predict_proba(texts)
    lines = "".join(f"{text}\n" for text in texts).encode()
    programs = _programs(model, file, folder)
    for name, program in programs.items():
        # The mark at a stream's beginning, and Windows' line ends, are no part of a text.
        for way, given in (
            ("lines", lines),
            ("lines behind a mark", b"\xef\xbb\xbf" + lines),
            ("lines of Windows", lines.replace(b"\n", b"\r\n")),
            ("lines, the last without an end", lines[:-1]),
        ):
            answers = _answers(name, _run(program, given).stdout)
            _compare(f"{name}, {way}", names, answers, expected, model, found)
    return list(programs)


def _programs(model: CompactClassifier, file: Path, folder: Path) -> dict[str, list[str]]:
    """Name what answers lines of standard input."""
    programs = {"command": [sys.executable, "-m", "bayespress.cli", "predict", str(file)]}
    if shutil.which("cc"):
        programs["C program"] = [str(built(model, folder / "program"))]
    return programs


def check_refusals(model: CompactClassifier, file: Path, folder: Path, found: Differences) -> None:
    """Send bytes that are not UTF-8, which every program must refuse at their place."""
    for name, program in _programs(model, file, folder).items():
        for kind, content in NOT_UTF8.items():
            done = _run(program, b"good\n" + content + b"\n")
            place = _place(done.stderr.decode())
            wanted = (2, _first_invalid(content))
            found.equal(f"{name}, {kind}", (done.returncode > 0, *place), (True, *wanted))
            found.equal(f"{name}, {kind}: lines of error", done.stderr.count(b"\n"), 1)
    for kind in (".txt", ".csv", ".jsonl"):
        for name, content in NOT_UTF8.items():
            source = folder / f"bad{kind}"
            before, after = {".csv": (b"text\n", b""), ".jsonl": (b'{"text": "', b'"}')}.get(
                kind, (b"good\n", b"")
            )
            if kind == ".jsonl":
                before = b'{"text": "good"}\n' + before
            source.write_bytes(before + content + after + b"\n")
            done = _predict_file(file, source, folder / "none")
            error = done.stderr.decode()
            found.equal(f"files {kind}, {name}", done.returncode, 2)
            found.equal(f"files {kind}, {name}: one line", error.count("\n"), 1)
            found.equal(f"files {kind}, {name}: {error}", _place(error)[0], 2)


def check_files(
    model: CompactClassifier, file: Path, folder: Path, found: Differences
) -> list[str]:
    """Send texts as rows of files through `predict --input`."""
    every = {**TEXTS, **LINE_BREAKS}
    halves = {**every, **HALVES}
    given = {".txt": TEXTS, ".csv": every, ".jsonl": halves, ".parquet": every}
    for kind, named in given.items():
        texts = list(named.values())
        source = folder / f"texts{kind}"
        write_rows(source, texts)
        answers = predict_file(file, source, folder / f"answers{kind}")
        expected = TextPredictor(model).predict_proba(texts)
        _compare(f"files {kind}", list(named), answers, expected, model, found)
    return [f"predict --input {kind}" for kind in given]


def write_rows(path: Path, texts: Sequence[str]) -> None:
    """Write texts as a file of the kind that its name says."""
    if path.suffix == ".parquet":
        import pyarrow as pa  # noqa: PLC0415 - not everybody has it
        from pyarrow import parquet  # noqa: PLC0415

        parquet.write_table(pa.table({"text": list(texts)}), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            # Python before 3.13 leaves a field with a bare \r without quotation marks.
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([t] for t in texts)])
    else:
        path.write_bytes("".join(f"{text}\n" for text in texts).encode())


def predict_file(model: Path, source: Path, output: Path) -> list[dict[str, float]]:
    """Give the probability of each label that an answer file has, row by row."""
    done = _predict_file(model, source, output)
    if done.returncode:
        raise SystemExit(f"{source}: {done.stderr.decode()}")
    (path,) = output.glob("texts.*")
    if path.suffix == ".csv":
        limit = csv.field_size_limit(2**31 - 1)
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        csv.field_size_limit(limit)
    elif path.suffix == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415 - not everybody has it

        rows = parquet.read_table(path).to_pylist()
    else:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line)["probabilities"] for line in text.split("\n")[:-1]]
    start = "probability_"
    return [
        {name[len(start) :]: float(row[name]) for name in row if name.startswith(start)}
        for row in rows
    ]


def _predict_file(model: Path, source: Path, output: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bayespress.cli", "predict", str(model)]
    more = ["--input", str(source), "--output", str(output), "--probabilities", "--workers", "1"]
    return _run([*command, *more, "--force"], b"")


def _run(command: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=given, capture_output=True, check=False)


def _answers(name: str, said: bytes) -> list[dict[str, float]]:
    """Read what a program printed: the probabilities that it tells of each text."""
    lines = said.decode().split("\n")[:-1]
    if name == "command":
        return [json.loads(line)["probabilities"] for line in lines]
    told = re.compile(r"(.*?)\t([01]\.\d{6})(?:\t|$)")
    return [{label: float(share) for label, share in told.findall(line)} for line in lines]


def _compare(
    what: str, names: Sequence[str], answers: Sequence[dict[str, float]], expected: Probabilities,
    model: CompactClassifier, found: Differences,
) -> None:  # fmt: skip
    """Compare what was told; a C program tells the best label, or those from a half on."""
    if len(answers) != len(names):
        found.wrong.append(f"{what}: {len(answers)} answers to {len(names)} texts")
        return
    rows = expected.copy()
    for row, answer in zip(rows, answers, strict=True):
        for label, share in answer.items():
            row[model.labels.index(label)] = share
        wanted = {model.labels[int(row.argmax())]} if not model.multi_label else set()
        if not wanted <= set(answer):
            found.wrong.append(f"{what}: an answer lacks {wanted}")
    found.near(what, names, rows, expected, SIX_DIGITS)


def _place(error: str) -> tuple[int, int]:
    line, byte = re.search(r"line (\d+)", error), re.search(r"byte (\d+)", error)
    return int(line[1]) if line else 0, int(byte[1]) if byte else 0


def _first_invalid(content: bytes) -> int:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start + 1
    return 0


def built(model: Any, folder: Path, *, library: bool = False) -> Path:
    """Compile an exported model: its program, or what it can do as a library."""
    write_c(model, folder, replace=True)
    flags = ["-shared", "-fPIC"] if library else ["main.c"]
    target = folder / ("model.so" if library else "model")
    command = ["cc", "-std=c99", "-O2", *flags, "-o", str(target), "model.c", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return target


def check(
    name: str, model: CompactClassifier, found: Differences, *, refusals: bool = True
) -> list[str]:
    """Ask all runtimes for one model's answers to everything; see what is refused, if wanted."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        file = folder / "model.bpr"
        save(model, file)
        before = len(found.wrong)
        ran = check_strings(model, folder, found)
        ran += check_bytes(model, file, folder, found)
        ran += check_files(model, file, folder, found)
        if refusals:
            check_refusals(model, file, folder, found)
        found.wrong[before:] = [f"{name}: {line}" for line in found.wrong[before:]]
    return ran


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print one JSON object; return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="*", help="classifiers' files")
    parser.add_argument("--networks", type=int, help="so many made ones besides  [all]")
    given = parser.parse_args(arguments)
    found, ran, begin = Differences(), dict[str, None](), time.perf_counter()
    models = [(path.name, load(path)) for path in given.models]
    models += list(networks())[: given.networks]
    for name, model in models:
        print(name, file=sys.stderr, flush=True)
        # What is refused does not depend on the model.
        ran |= dict.fromkeys(check(name, model, found, refusals=not ran))
    for line in found.wrong:
        print(line, file=sys.stderr)
    figures = {
        "models": [name for name, _ in models],
        "runtimes": list(ran),
        "texts": len({**TEXTS, **HALVES, **LINE_BREAKS}),
        "not_utf8": len(NOT_UTF8),
        "compared": found.compared,
        "largest_difference": found.largest,
        "wrong": len(found.wrong),
        "seconds": round(time.perf_counter() - begin, 1),
    }
    print(json.dumps(figures), flush=True)
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
