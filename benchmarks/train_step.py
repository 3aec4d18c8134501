"""Time one training step of a sparse network against the same network dense, side by side.

Both sides run alternately in one process and medians are compared, since absolute times drift.
The dense side is what a user would write: nn.Embedding, nn.LSTM, nn.Linear and fused Adam. For a
language model this is one of two: the same network, nn.LSTM over one-hot vectors, and the customary
one with an nn.Embedding of the LSTM's size in front, which has fewer weights and is faster.

    python benchmarks/train_step.py --setting imdb --code LLLLLL

prints one JSON line; without --setting and --code, one for each. README.md explains how to read it.
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

import numpy as np
import torch
from torch import Tensor, nn

from bayespress import kernels
from bayespress.config import ModelConfig
from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.objective import nll
from bayespress.optim import VariationalAdam
from bayespress.training import process
from bayespress.training.batches import EncodedTexts

SETTINGS = {
    "imdb": {"rows": 20_003, "embedding": 300, "hidden": 128, "batch": 128, "tokens": 200},
    "ag-news": {"rows": 20_003, "embedding": 300, "hidden": 512, "batch": 128, "tokens": 100},
    "ptb-word": {"rows": 10_000, "hidden": 256, "batch": 32, "tokens": 35, "clip": 10},
    "ptb-char": {"rows": 50, "hidden": 256, "batch": 64, "tokens": 99, "clip": 1},
    "ptb-char-1000": {"rows": 50, "hidden": 1000, "batch": 64, "tokens": 99, "clip": 1},
}
CODES = ("LLLLLL", "LCLCCL", "DCDCCD")
LM_CODES = ("LLRL", "LCCL", "DCCD")
NUM_TRAIN = 21_250
Step = Callable[[], object]
Side = tuple[str, str]  # setting, and code, or the name of a dense side
DENSE = ("torch",)
LM_DENSE = ("torch", "torch-embedding")


def is_language_model(setting: str) -> bool:
    """Whether a setting's network is a language model."""
    return "embedding" not in SETTINGS[setting]


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


class DenseLanguageModel(nn.Module):
    """A language model without sparsity, of torch's own modules.

    With `embeds` there is an embedding as large as the LSTM in front of it, else its input is
    one-hot, which is the network that the sparse one is.
    """

    def __init__(self, sizes: dict[str, int], *, embeds: bool) -> None:
        super().__init__()
        self.rows = sizes["rows"]
        width = sizes["hidden"] if embeds else self.rows
        self.embedding = nn.Embedding(self.rows, width) if embeds else None
        self.lstm = nn.LSTM(width, sizes["hidden"], batch_first=True)
        self.output = nn.Linear(sizes["hidden"], self.rows)

    def forward(self, ids: Tensor) -> Tensor:
        """Compute logits from ids of shape ``(batch, time)``."""
        if self.embedding is not None:
            inputs = self.embedding(ids)
        else:
            inputs = nn.functional.one_hot(ids, self.rows).float()
        hidden, _ = self.lstm(inputs)
        return self.output(hidden)


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


def sparse_language_step(setting: str, code: str) -> Step:
    """One step of a language model with all noise, the KL, clipping and Adam."""
    sizes = SETTINGS[setting]
    config = ModelConfig(code=code, hidden_size=sizes["hidden"], gate_activation="sigmoid")
    generator = torch.Generator().manual_seed(1)
    is_word = setting == "ptb-word"
    net = LanguageModelNet(sizes["rows"], config, carries_state=is_word, generator=generator)
    net.lstm.weight_ih.sparse_grad = True
    net.train(code != "DCCD")
    optimizer = VariationalAdam(net, lr=2e-3)
    ids, following = make_stream(sizes)

    def step() -> None:
        loss, _ = net(ids, None, generator, None, following)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step_with_kl(1 / NUM_TRAIN, sizes["clip"])

    return step


def dense_language_step(setting: str, side: str) -> Step:
    """One step of a dense language model."""
    sizes = SETTINGS[setting]
    torch.manual_seed(1)
    net = DenseLanguageModel(sizes, embeds=side == "torch-embedding")
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, fused=True)
    ids, following = make_stream(sizes)

    def step() -> None:
        loss = nll(net(ids).flatten(0, 1), following.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), sizes["clip"])
        optimizer.step()

    return step


def make_stream(sizes: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Draw token ids by Zipf's law, and what follows each."""
    ids, _, _ = make_batch({**sizes, "rows": sizes["rows"] + 1, "tokens": sizes["tokens"] + 1})
    ids = ids - 1
    return ids[:, :-1], ids[:, 1:]


def step_of(setting: str, side: str, precision: str = "float32") -> Step:
    """Make the step of one side."""
    if is_language_model(setting):
        dense = side.startswith("torch")
        return (dense_language_step if dense else sparse_language_step)(setting, side)
    sizes = SETTINGS[setting]
    return dense_step(sizes) if side == "torch" else sparse_step(sizes, side, precision)


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
    step = step_of(setting, code, precision)
    for _ in range(3):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(
    setting: str, code: str, precision: str, repeats: int, peaks: dict[Side, float]
) -> dict[str, object]:
    """Time all sides alternately."""
    others = LM_DENSE if is_language_model(setting) else DENSE
    steps = [step_of(setting, side, precision) for side in (code, *others)]
    for _ in range(2):
        for step in steps:
            step()
    times = [[seconds(step) for step in steps] for _ in range(repeats)]
    ours_s, dense_s, *further = (statistics.median(column) for column in zip(*times, strict=True))
    line: dict[str, object] = {
        "setting": setting,
        "config": code,
        "precision": precision,
        "ours_s": round(ours_s, 4),
        "dense_s": round(dense_s, 4),
        "ratio": round(ours_s / dense_s, 3),
    }
    if further:
        line["embedding_s"] = round(further[0], 4)
        line["embedding_ratio"] = round(ours_s / further[0], 3)
    else:
        line["batch_s"] = round(batch_seconds(SETTINGS[setting]), 6)
    line["ours_peak_mb"] = round(peaks[setting, code])
    line["dense_peak_mb"] = round(peaks[setting, "torch"])
    return line | {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "kernels": kernels.problem() or "compiled",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setting", choices=SETTINGS, help="all of them by default")
    parser.add_argument("--code", help="its letters; sparse and dense ones by default")
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
        pairs = [
            (setting, code)
            for setting in settings
            for code in (
                [args.code] if args.code else LM_CODES if is_language_model(setting) else CODES
            )
        ]
        # First of all: a child's peak is at least what its parent holds when it is made.
        sides = [*pairs, *((setting, "torch") for setting in settings)]
        peaks = {side: peak_megabytes(*side, args.precision) for side in sides}
        for setting, code in pairs:
            line = measure(setting, code, args.precision, args.repeats, peaks)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
