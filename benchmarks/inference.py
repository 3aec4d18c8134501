"""Time a finished classifier in numpy and in C against the dense network it was made from.

    BAYESPRESS_DATA=DIR python benchmarks/inference.py model.bpr imdb --name imdb-w+g+n

Engines: the dense network in torch and in ONNX Runtime, ours in numpy, in C through ctypes, and the
program in C that `bayespress export --to c` writes; on texts and on texts that were turned into ids
before, one and several at a time, on one thread. Sides are measured in turns and medians compared.
Then the start of `bayespress predict`, and the memory of the C. README.md explains how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dense import OnnxEngine, TorchEngine, padded, sizes_of

from bayespress import data, runtime
from bayespress.compact import CompactClassifier
from bayespress.config import Config
from bayespress.export.c import library_files, write_c
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.text import TextEncoder

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
BATCHES = (1, 8, 16, 32, 64, 128, 256, 512)
ENOUGH_SECONDS = 0.05
"""A side that is faster is called several times a round."""
PROGRAM_LINES = 10_000
COLD_STARTS = 15
Side = tuple[str, str, int]  # engine, input, batch
Work = Callable[[], object]


@dataclass(frozen=True)
class Task:
    """What is measured on: texts of rising length, and what encodes them for either network."""

    texts: list[str]
    encoder: TextEncoder
    dense_encoder: TextEncoder

    def batches(self, size: int) -> list[list[str]]:
        """Cut the texts into batches."""
        return [self.texts[first : first + size] for first in range(0, len(self.texts), size)]


def make_task(model: CompactClassifier, source: str, count: int) -> Task:
    """Draw test texts, and build the vocabulary of the dense network from the training texts."""
    vocabulary, encoder = model.encoder.vocabulary, model.encoder
    learned = vocabulary.prefix is not None
    config = Config.from_flat(
        data.source_defaults(source),
        {
            "source": source,
            "task": "classify",
            "lowercase": encoder.tokenizer.lowercase,
            "max_length": encoder.max_length,
            "unknown": "learned" if learned else "zero",
            "vocabulary_size": max(1, sizes_of(model).rows - (3 if learned else 1)),
        },
    )
    splits = data.load(config.data)
    texts = splits.test.texts or splits.train.texts
    chosen = np.random.default_rng(1).permutation(len(texts))[:count]
    drawn = sorted((texts[k] for k in chosen), key=lambda text: len(encoder.encode(text)))
    return Task(drawn, encoder, TextEncoder.fit(splits.train.texts, config.text))


def dense_sides(
    task: Task, engine: TorchEngine | OnnxEngine, size: int
) -> Iterator[tuple[Side, Work]]:
    """Make a dense network's sides; ids are padded beforehand, which is to its advantage."""
    encode = task.dense_encoder.encode
    batches = task.batches(size)
    ready = [padded([encode(text) for text in batch]) for batch in batches]
    yield (engine.name, "ids", size), lambda: [engine.logits(ids) for ids in ready]
    yield (
        (engine.name, "text", size),
        lambda: [engine.logits(padded([encode(text) for text in batch])) for batch in batches],
    )


def our_sides(
    task: Task, name: str, ready: TextPredictor | NativePredictor, size: int
) -> Iterator[tuple[Side, Work]]:
    """Make the sides of one of our engines."""
    batches = task.batches(size)
    ids = [[task.encoder.encode(text) for text in batch] for batch in batches]
    yield (name, "ids", size), lambda: [ready.predict_proba_of_ids(batch) for batch in ids]
    yield (name, "text", size), lambda: [ready.predict_proba(batch) for batch in batches]


def make_sides(task: Task, model: CompactClassifier, batches: Sequence[int]) -> dict[Side, Work]:
    """Make all sides; those that are compared stand together."""
    torch_engine = TorchEngine(sizes_of(model))
    dense: list[TorchEngine | OnnxEngine] = [torch_engine]
    try:
        dense.append(OnnxEngine(torch_engine.net))
    except ModuleNotFoundError as error:
        say(f"onnxruntime is left out: there is no module {error.name}")
    ours = {"numpy": TextPredictor(model), "C": NativePredictor(model)}
    check(task, dense, list(ours.values()))
    return {
        side: work
        for size in batches
        for sides in (
            *(dense_sides(task, engine, size) for engine in dense),
            *(our_sides(task, name, ready, size) for name, ready in ours.items()),
        )
        for side, work in sides
    }


def check(
    task: Task,
    dense: Sequence[TorchEngine | OnnxEngine],
    ours: Sequence[TextPredictor | NativePredictor],
) -> None:
    """See that all engines of one network answer alike."""
    texts = task.texts[:16]
    ids = padded([task.dense_encoder.encode(text) for text in texts])
    for answers in (
        [engine.logits(ids) for engine in dense],
        [ready.predict_proba(texts) for ready in ours],
    ):
        for answer in answers:
            np.testing.assert_allclose(answer, answers[0], atol=1e-4)


def seconds(work: Work) -> float:
    """Time one call; the mean of several where one is short."""
    began, calls = time.perf_counter(), 0
    while True:
        work()
        calls += 1
        taken = time.perf_counter() - began
        if taken >= ENOUGH_SECONDS:
            return taken / calls


def measure(sides: dict[Side, Work], repeats: int) -> dict[Side, list[float]]:
    """Time all sides in turns."""
    for work in sides.values():
        work()
    times: dict[Side, list[float]] = {side: [] for side in sides}
    for number in range(repeats):
        for side, work in sides.items():
            times[side].append(seconds(work))
        say(f"round {number + 1} of {repeats}")
    return times


def rows(times: dict[Side, list[float]], texts: int) -> Iterator[dict[str, object]]:
    """Give a line of each side, against torch at the same batch size and at its best one."""
    medians = {side: statistics.median(column) for side, column in times.items()}
    for side, median in medians.items():
        engine, what, batch = side
        best = min(medians[other] for other in medians if other[:2] == ("torch", what))
        yield {
            "engine": engine,
            "input": what,
            "batch": batch,
            "texts_per_s": round(texts / median, 1),
            "ratio_to_dense_torch": round(medians["torch", what, batch] / median, 2),
            "ratio_to_best_dense_torch": round(best / median, 2),
            "texts": texts,
        }


class Program:
    """What `bayespress export --to c` writes, compiled as its Makefile does."""

    def __init__(self, model: CompactClassifier, folder: Path) -> None:
        self.folder = folder
        write_c(model, folder, replace=True)
        compile_c(folder, "-O3", "-o", "program", "main.c", "model.c", "-lm")

    def run(self, lines: Path) -> None:
        """Classify the lines of a file."""
        with lines.open("rb") as source:
            subprocess.run(
                [self.folder / "program"], stdin=source, stdout=subprocess.DEVNULL, check=True
            )

    def row(self, task: Task, repeats: int, best: dict[str, Any]) -> dict[str, object]:
        """Time it over many lines, without the time that it takes to start."""
        lines = [" ".join(text.split()) for text in task.texts]
        lines = (lines * -(-PROGRAM_LINES // len(lines)))[:PROGRAM_LINES]
        full, empty = self.folder / "lines", self.folder / "nothing"
        full.write_text("\n".join(lines), encoding="utf-8")
        empty.write_text("")
        works = {"full": lambda: self.run(full), "empty": lambda: self.run(empty)}
        pairs = [[clock(work) for work in works.values()] for _ in range(repeats)]
        whole, start = (statistics.median(column) for column in zip(*pairs, strict=True))
        speed = len(lines) / (whole - start)
        return {
            "engine": "C program",
            "input": "text",
            "batch": len(lines),
            "texts_per_s": round(speed, 1),
            "ratio_to_dense_torch": None,
            "ratio_to_best_dense_torch": round(speed / best["texts_per_s"], 2),
            "texts": len(lines),
            "start_s": round(start, 4),
        }


def clock(work: Work) -> float:
    """Time a single call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cold_row(file: Path, starts: int) -> dict[str, object]:
    """Time `bayespress predict` on one line, each time in a process of its own."""
    command = [sys.executable, "-m", "bayespress.cli", "predict", str(file), "What a lovely film"]
    began = child_seconds()
    times = [
        clock(lambda: subprocess.run(command, check=True, capture_output=True))
        for _ in range(starts)
    ]
    median = statistics.median(times)
    return {
        "engine": "cold predict",
        "input": "text",
        "batch": 1,
        "texts_per_s": round(1 / median, 2),
        "ratio_to_dense_torch": None,
        "seconds": round(median, 4),
        "slowest_s": round(max(times), 4),
        "processor_s": round((child_seconds() - began) / starts, 4),
    }


def child_seconds() -> float:
    """Tell the processor's time of all child processes that have ended, which is not waiting."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_row(model: CompactClassifier, engine: str, *, fast: bool) -> dict[str, object]:
    """Tell the bytes of the compiled source and of the stack that a call takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in library_files(model, fast=fast).items():
            (folder / file).write_text(text, encoding="utf-8")
        compile_c(folder, "-O3", "-fstack-usage", "-c", "-o", "model.o", "model.c")
        return {"engine": f"{engine} memory", **sections(folder), "stack_bytes": stack(folder)}


def sections(folder: Path) -> dict[str, int]:
    """Add up the sections of the object file as `size -A` lists them."""
    listed = subprocess.run(
        ["size", "-A", "model.o"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    found = dict.fromkeys(("code_bytes", "constant_bytes", "writable_bytes"), 0)
    for section, size in re.findall(r"^(\.\S+)\s+(\d+)", listed, re.MULTILINE):
        if section.startswith(".text"):
            found["code_bytes"] += int(size)
        elif section.startswith((".rodata", ".data.rel.ro")):
            found["constant_bytes"] += int(size)
        elif section.startswith((".data", ".bss")):
            found["writable_bytes"] += int(size)
    return found


def stack(folder: Path) -> int:
    """Add up the frames of all functions that the compiler did not inline.

    No function calls itself, so that this is at least what a call takes in them.
    """
    frames = (line.split("\t") for line in (folder / "model.su").read_text().splitlines())
    return sum(int(size) for _, size, _ in frames)


def compile_c(folder: Path, *options: str) -> None:
    """Compile with the first compiler that there is."""
    names = (os.environ.get("CC"), "cc", "gcc", "clang")
    compiler = next(path for name in names if name and (path := shutil.which(name)))
    subprocess.run([compiler, "-std=c99", *options], cwd=folder, check=True)


def processor() -> str:
    """Name the processor."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*: (.*)$", told, re.MULTILINE)
    return found[1] if found else platform.machine()


def say(text: str) -> None:
    """Tell how it goes on."""
    print(text, file=sys.stderr, flush=True)


def all_rows(args: argparse.Namespace, file: Path) -> Iterator[dict[str, object]]:
    """Measure everything."""
    model = runtime.load_classifier(file).model
    say(f"reading {args.source}")
    task = make_task(model, args.source, args.texts)
    times = measure(make_sides(task, model, args.batches), args.repeats)
    lines = list(rows(times, len(task.texts)))
    yield from lines
    dense = [line for line in lines if (line["engine"], line["input"]) == ("torch", "text")]
    with tempfile.TemporaryDirectory() as name:
        best = max(dense, key=lambda line: line["texts_per_s"])
        yield Program(model, Path(name)).row(task, args.repeats, best)
    yield cold_row(file, args.starts)
    yield memory_row(model, "C", fast=True)
    yield memory_row(model, "C program", fast=False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a model file or the folder of a finished run")
    parser.add_argument("source", nargs="?", default="imdb", help="data that it was trained on")
    parser.add_argument("--name", help="of the model in each line; its file's by default")
    parser.add_argument("--texts", type=int, default=512, help="test texts that are drawn")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--starts", type=int, default=COLD_STARTS, help="of `bayespress predict`")
    args = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():
        # Libraries read these when they are imported.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    file = args.model / "model.bpr" if args.model.is_dir() else args.model
    about = {
        "threads": 1,
        "repeats": args.repeats,
        "torch": torch.__version__,
        "processor": processor(),
    }
    for row in all_rows(args, file):
        print(json.dumps({"model": args.name or file.stem, **row, **about}), flush=True)


if __name__ == "__main__":
    main()
