"""Time one training step of a sparse classifier against the same network dense, side by side.

Both sides run alternately in one process and medians are compared, since absolute times drift.
The dense side is what a user would write: nn.Embedding, nn.LSTM, nn.Linear and fused Adam.

    python benchmarks/train_step.py --setting imdb --code LLLLLL

prints one JSON line; without --setting and --code, one for each. README.md explains how to read it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from bayespress import kernels
from bayespress.config import ModelConfig
from bayespress.models import TextClassifierNet
from bayespress.objective import nll
from bayespress.optim import VariationalAdam
from bayespress.training import process
from bayespress.training.batches import EncodedTexts

SETTINGS = {
    "imdb": {"rows": 20_003, "embedding": 300, "hidden": 128, "batch": 128, "tokens": 200},
    "ag-news": {"rows": 20_003, "embedding": 300, "hidden": 512, "batch": 128, "tokens": 100},
}
CODES = ("LLLLLL", "LCLCCL", "DCDCCD")
NUM_TRAIN = 21_250
Step = Callable[[], object]
Side = tuple[str, str]  # setting, and code or "torch"


class DenseNet(nn.Module):
    """The same network without sparsity, of torch's own modules."""

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes["rows"], sizes["embedding"])
        self.lstm = nn.LSTM(sizes["embedding"], sizes["hidden"])
        self.output = nn.Linear(sizes["hidden"], 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Compute logits from ids of shape ``(batch, time)``."""
        _, (h, _) = self.lstm(self.embedding(ids).transpose(0, 1))
        return self.output(h[0])


def make_batch(sizes: dict[str, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Draw word ids by Zipf's law; every text is of full length."""
    generator = torch.Generator().manual_seed(1)
    shape = (sizes["batch"], sizes["tokens"])
    share = torch.rand(shape, generator=generator)
    ids = torch.exp(share * math.log(sizes["rows"] - 1)).long()
    labels = torch.randint(0, 2, shape[:1], generator=generator)
    return ids, torch.ones(shape, dtype=torch.bool), labels


def sparse_step(sizes: dict[str, int], code: str, precision: str = "float32") -> Step:
    """One step with all noise, the KL and Adam."""
    config = ModelConfig(code=code, embedding_size=sizes["embedding"], hidden_size=sizes["hidden"])
    generator = torch.Generator().manual_seed(1)
    net = TextClassifierNet(sizes["rows"], 1, config, generator=generator)
    net.embedding.weight.sparse_grad = True
    net.lstm.bfloat16_products = precision == "bfloat16"
    optimizer = VariationalAdam(net, lr=5e-4)
    ids, mask, labels = make_batch(sizes)

    def step() -> None:
        loss = nll(net(ids, mask, generator), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step_with_kl(1 / NUM_TRAIN)

    return step


def dense_step(sizes: dict[str, int]) -> Step:
    """One step of the dense network."""
    torch.manual_seed(1)
    net = DenseNet(sizes)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-4, fused=True)
    ids, _, labels = make_batch(sizes)

    def step() -> None:
        loss = nll(net(ids), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds(step: Step) -> float:
    """Time one call."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def batch_seconds(sizes: dict[str, int]) -> float:
    """Time how long a mini-batch takes to pad and collect; median over an epoch of 50."""
    ids, _, _ = make_batch(sizes)
    texts = [row.numpy().astype(np.int32) for row in ids] * 50
    encoded = EncodedTexts(texts, np.zeros(len(texts), np.int64))
    times, began = [], time.perf_counter()
    for _ in encoded.batches(sizes["batch"], [1], by_length=True):
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
    return statistics.median(times)


def peak_megabytes(setting: str, code: str, precision: str) -> float:
    """Measure the peak memory of three steps in a process of their own."""
    command = [sys.executable, __file__, "--setting", setting, "--code", code, "--peak-only"]
    command += ["--precision", precision]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def report_peak(setting: str, code: str, precision: str) -> None:
    """Print the peak memory of three steps of this process, in megabytes."""
    sizes = SETTINGS[setting]
    step = dense_step(sizes) if code == "torch" else sparse_step(sizes, code, precision)
    for _ in range(3):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(
    setting: str, code: str, precision: str, repeats: int, peaks: dict[Side, float]
) -> dict[str, object]:
    """Time both sides alternately."""
    sizes = SETTINGS[setting]
    ours, dense = sparse_step(sizes, code, precision), dense_step(sizes)
    for _ in range(2):
        ours(), dense()
    times = [(seconds(ours), seconds(dense)) for _ in range(repeats)]
    ours_s, dense_s = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "setting": setting,
        "config": code,
        "precision": precision,
        "ours_s": round(ours_s, 4),
        "dense_s": round(dense_s, 4),
        "ratio": round(ours_s / dense_s, 3),
        "batch_s": round(batch_seconds(sizes), 6),
        "ours_peak_mb": round(peaks[setting, code]),
        "dense_peak_mb": round(peaks[setting, "torch"]),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "kernels": kernels.problem() or "compiled",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setting", choices=SETTINGS, help="all of them by default")
    parser.add_argument("--code", help="six letters; LLLLLL, LCLCCL and DCDCCD by default")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--peak-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    # Gradients that fade over 200 steps become denormal numbers, with which torch's own LSTM is ten
    # times slower: both sides are measured without them.
    with process.tuned():
        if args.peak_only:
            report_peak(args.setting, args.code, args.precision)
            return
        settings = [args.setting] if args.setting else list(SETTINGS)
        codes = [args.code] if args.code else list(CODES)
        # First of all: a child's peak is at least what its parent holds when it is made.
        sides = itertools.product(settings, [*codes, "torch"])
        peaks = {side: peak_megabytes(*side, args.precision) for side in sides}
        for setting, code in itertools.product(settings, codes):
            line = measure(setting, code, args.precision, args.repeats, peaks)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
