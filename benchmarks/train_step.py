"""Time one training step of a sparse classifier against the same network dense, side by side.

Both sides run alternately in one process and medians are compared, since absolute times drift.
The dense side is what a user would write: nn.Embedding, nn.LSTM, nn.Linear and fused Adam.

    python benchmarks/train_step.py --setting imdb --code LLLLLL

prints one JSON object. Peak memory is measured in a process of its own for each side.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bayespress.config import ModelConfig
from bayespress.models import TextClassifierNet
from bayespress.objective import negative_elbo, nll

SETTINGS = {
    "imdb": {"rows": 20_003, "embedding": 300, "hidden": 128, "batch": 128, "tokens": 200},
    "ag-news": {"rows": 20_003, "embedding": 300, "hidden": 512, "batch": 128, "tokens": 100},
}
NUM_TRAIN = 21_250
Step = Callable[[], object]


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


def sparse_step(sizes: dict[str, int], code: str) -> Step:
    """One step with all noise, the KL and Adam."""
    config = ModelConfig(code=code, embedding_size=sizes["embedding"], hidden_size=sizes["hidden"])
    generator = torch.Generator().manual_seed(1)
    net = TextClassifierNet(sizes["rows"], 1, config, generator=generator)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-4, fused=True)
    ids, mask, labels = make_batch(sizes)

    def step() -> None:
        likelihood = nll(net(ids, mask, generator), labels)
        loss, _ = negative_elbo(likelihood, net, kl_weight=1.0, num_train=NUM_TRAIN)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

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


def peak_megabytes(setting: str, code: str) -> float:
    """Measure the peak memory of three steps in a process of their own."""
    command = [sys.executable, __file__, "--setting", setting, "--code", code, "--peak-only"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setting", choices=SETTINGS, default="imdb")
    parser.add_argument("--code", default="LLLLLL", help="six letters, or dense for torch's own")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--peak-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    sizes = SETTINGS[args.setting]
    # Gradients that fade over 200 steps become denormal numbers, with which torch's own LSTM is ten
    # times slower: both sides are measured without them.
    torch.set_flush_denormal(True)
    if args.peak_only:
        step = dense_step(sizes) if args.code == "dense" else sparse_step(sizes, args.code)
        for _ in range(3):
            step()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    # First of all: a child's peak is at least what its parent holds when it is made.
    ours_mb, dense_mb = (peak_megabytes(args.setting, code) for code in (args.code, "dense"))
    ours, dense = sparse_step(sizes, args.code), dense_step(sizes)
    for _ in range(2):
        ours(), dense()
    times = [(seconds(ours), seconds(dense)) for _ in range(args.repeats)]
    ours_s, dense_s = (statistics.median(column) for column in zip(*times, strict=True))
    result = {
        "setting": args.setting,
        "config": args.code,
        "ours_s": round(ours_s, 4),
        "dense_s": round(dense_s, 4),
        "ratio": round(ours_s / dense_s, 3),
        "ours_peak_mb": round(ours_mb),
        "dense_peak_mb": round(dense_mb),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
