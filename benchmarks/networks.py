"""Time networks of several cells in C against numpy: one JSON line for each.

    python benchmarks/networks.py
    python benchmarks/networks.py --cell gru --layers 2 --directions 2 --neurons 16

Weights and texts are random: time depends on neither. Both sides run in turns on one thread;
figures are medians. Keys are told in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from types import MappingProxyType
from typing import Any

# Libraries read these when they are imported.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import numpy as np

from bayespress.compact import CompactCell, CompactClassifier
from bayespress.compact.layout import CELLS, CellSizes
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.runtime.predictor import Predictor
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

WORDS, DIMS, LENGTH = 1000, 16, 200
POOLINGS = ("last", "mean", "max")


def make_model(kind: type[CompactCell], layers: int, directions: int, neurons: int, pooling: str
) -> CompactClassifier:  # fmt: skip
    """Make a classifier with all gates live."""
    random = np.random.default_rng(1)

    def array(*shape: int) -> Any:
        return (random.normal(size=shape) / 2).astype(np.float32)

    def cell(inputs: int) -> CompactCell:
        shapes = CellSizes(kind, neurons, len(kind.gates) * neurons).shapes(inputs)
        arrays: dict[str, Any] = {name: array(*shape) for name, shape in shapes.items()}
        live = np.arange(len(kind.gates) * neurons)
        return kind(**arrays, live_gates=live, gate_activation="sigmoid")

    inputs = [DIMS, *[directions * neurons] * (layers - 1)]
    rows = {f"w{number}": number for number in range(1, WORDS + 1)}
    vocabulary = Vocabulary(MappingProxyType(rows), WORDS + 1)
    return CompactClassifier(
        TextEncoder(Tokenizer(), vocabulary, LENGTH),
        array(WORDS, DIMS),
        tuple(tuple(cell(size) for _ in range(directions)) for size in inputs),
        array(2, directions * neurons),
        array(2),
        ("no", "yes"),
        pooling,
    )


def measure(model: CompactClassifier, count: int, repeats: int) -> dict[str, object]:
    """Time both sides, a batch of texts at once and each text alone."""
    random = np.random.default_rng(2)
    texts = [random.integers(0, WORDS + 1, LENGTH).astype(np.int32) for _ in range(count)]
    sides: dict[str, Predictor] = {"numpy": TextPredictor(model), "c": NativePredictor(model)}
    answers = [side.predict_proba_of_ids(texts) for side in sides.values()]
    works = {
        "numpy_s": lambda: sides["numpy"].predict_proba_of_ids(texts),
        "numpy_one_by_one_s": lambda: [sides["numpy"].predict_proba_of_ids([t]) for t in texts],
        "c_s": lambda: sides["c"].predict_proba_of_ids(texts),
    }
    rounds = [{key: clock(work) for key, work in works.items()} for _ in range(repeats)]
    medians = {key: statistics.median(one[key] for one in rounds) for key in works}
    return {
        "texts": count,
        "tokens": LENGTH,
        **{key: round(seconds, 5) for key, seconds in medians.items()},
        "ratio": round(medians["numpy_s"] / medians["c_s"], 2),
        "ratio_one_by_one": round(medians["numpy_one_by_one_s"] / medians["c_s"], 2),
        "largest_difference": float(abs(answers[0] - answers[1]).max()),
    }


def clock(work: Any) -> float:
    """Time a single call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure the cells that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cell", choices=[*CELLS, "both"], default="both")
    parser.add_argument("--layers", type=int, default=2, help="[2]")
    parser.add_argument("--directions", type=int, choices=(1, 2), default=2, help="[2]")
    parser.add_argument("--neurons", type=int, default=16, help="of each cell  [16]")
    parser.add_argument("--pooling", choices=POOLINGS, default="last", help="[last]")
    parser.add_argument("--texts", type=int, default=128, help="[128]")
    parser.add_argument("--repeats", type=int, default=9, help="[9]")
    given = parser.parse_args()
    shape = {key: getattr(given, key) for key in ("layers", "directions", "neurons", "pooling")}
    for name in CELLS if given.cell == "both" else [given.cell]:
        model = make_model(CELLS[name], **shape)
        print(json.dumps({"cell": name, **shape, **measure(model, given.texts, given.repeats)}))


if __name__ == "__main__":
    main()
