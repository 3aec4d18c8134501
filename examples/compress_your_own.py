"""Train a bidirectional two-layer LSTM as tutorials do, then compress it.

    python examples/compress_your_own.py --source demo --seed 1

The model and its training are plain PyTorch, and know nothing of bayespress. Then come four steps:
convert, train on with the divergence, fine-tune what is kept, shrink. What comes out is plain
PyTorch again. Figures are printed as a line of JSON; the test texts are read once, at the end.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

import bayespress
from bayespress import data
from bayespress.config import Config
from bayespress.conversion import freeze, parameter_groups
from bayespress.nn import kl, named_variational_parameters
from bayespress.text import TextEncoder

Texts = list[tuple[Tensor, int]]
Batch = tuple[Tensor, Tensor, Tensor]
"""Ids, lengths, labels."""


class Classifier(nn.Module):
    """The network that tutorials write."""

    def __init__(self, words: int, classes: int, dims: int = 100, hidden: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, dims, padding_idx=0)
        self.lstm = nn.LSTM(
            dims, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=0.3
        )
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Give logits, ``(batch, classes)``, for ids, ``(batch, time)``, of so many real tokens."""
        embedded = self.dropout(self.embedding(ids))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        return self.fc(self.dropout(torch.cat([hidden[-2], hidden[-1]], dim=1)))


def read(source: str, max_length: int) -> tuple[TextEncoder, dict[str, Texts], int]:
    """Read a source's texts as ids."""
    settings = {"lowercase": True, **data.source_defaults(source), "max_length": max_length}
    config = Config.from_flat(settings, {"source": source})
    splits = data.load(config.data)
    encoder = TextEncoder.fit(splits.train.texts, config.text)
    parts = {
        name: [
            (torch.from_numpy(encoder.encode(text)).long(), splits.labels.index(label))
            for text, label in zip(part.texts, part.labels, strict=True)
        ]
        for name, part in (
            ("train", splits.train), ("validation", splits.validation), ("test", splits.test)
        )
    }  # fmt: skip
    return encoder, parts, len(splits.labels)


def batches(texts: Texts, size: int, generator: torch.Generator | None = None) -> Iterator[Batch]:
    """Iterate over mini-batches of texts of similar lengths, in random order if there is one."""
    order = sorted(range(len(texts)), key=lambda one: len(texts[one][0]))
    chunks = [order[k : k + size] for k in range(0, len(order), size)]
    if generator is not None:
        chunks = [chunks[k] for k in torch.randperm(len(chunks), generator=generator).tolist()]
    for chunk in chunks:
        ids, labels = zip(*(texts[one] for one in chunk), strict=True)
        lengths = torch.tensor([max(1, len(one)) for one in ids])
        padded = pad_sequence([*ids, torch.zeros(1, dtype=torch.long)], batch_first=True)[:-1]
        yield padded, lengths, torch.tensor(labels)


@torch.no_grad()
def accuracy(model: nn.Module, texts: Texts) -> float:
    """Share of texts that a model gets right."""
    model.eval()
    right = 0
    for *inputs, labels in batches(texts, 256):
        right += int((model(*inputs).argmax(1) == labels).sum())
    return right / len(texts)


def train(
    model: nn.Module,
    texts: Texts,
    epochs: int,
    rate: float,
    *,
    seed: int,
    noise: bool = True,
    kl_weight: float = 0.0,
) -> Iterator[int]:
    """Train a model, and stop after each epoch; the divergence's weight rises from zero."""
    generator = torch.Generator().manual_seed(seed)
    groups = parameter_groups(model, rate, log_sigma_rate=2 * rate)
    adam = torch.optim.Adam(groups)
    for epoch in range(epochs):
        model.train(noise)
        weight = kl_weight * min(1.0, 2 * epoch / epochs)
        for *inputs, labels in batches(texts, 64, generator):
            loss = nn.functional.cross_entropy(model(*inputs), labels)
            if weight:
                loss = loss + weight * kl(model) / len(texts)
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
        yield epoch


def best(model: nn.Module, texts: Texts, epochs: Iterator[int], label: str) -> nn.Module:
    """Train, and keep the model of the epoch with the best validation accuracy."""
    found, kept = -math.inf, model
    for epoch in epochs:
        now = accuracy(model, texts)
        print(f"{label} epoch {epoch + 1}: validation {now:.2%}", flush=True)
        if now > found:
            found, kept = now, copy.deepcopy(model)
    return kept


def ratio_of(model: nn.Module) -> float:
    """Give all weights over those that stay, by each weight's own log alpha and its groups'."""
    masked = bayespress.shrink(model, (torch.ones(1, 2, dtype=torch.long), torch.tensor([2])))
    return sum(p.mean.numel() for _, p in named_variational_parameters(model)) / nonzero(masked)


def size(model: nn.Module) -> int:
    """Count parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def nonzero(model: nn.Module) -> int:
    """Count parameters that are not zero."""
    return sum(int(parameter.count_nonzero()) for parameter in model.parameters())


def main() -> None:
    """Train, convert, train on, fine-tune, shrink, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", default="demo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-length", type=int, default=200)
    parser.add_argument("--dense-epochs", type=int, default=12)
    parser.add_argument("--sparse-epochs", type=int, default=44)
    parser.add_argument("--finetune-epochs", type=int, default=10)
    parser.add_argument("--target", type=float, default=55.0, help="all weights over kept ones")
    parser.add_argument("--kl-weight", type=float, default=0.6)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    started = time.perf_counter()
    encoder, parts, classes = read(options.source, options.max_length)
    dense = Classifier(encoder.vocabulary.num_rows, classes)
    epochs = train(dense, parts["train"], options.dense_epochs, 1e-3, seed=options.seed)
    dense = best(dense, parts["validation"], epochs, "dense")

    # 1. Convert: the trained weights are the means.
    sparse = bayespress.convert(dense, "w+g+n")
    # 2. Train on, in the same loop, with noise and the divergence, until enough is pruned.
    for epoch in train(
        sparse, parts["train"], options.sparse_epochs, options.rate,
        seed=options.seed, kl_weight=options.kl_weight,
    ):  # fmt: skip
        ratio, now = ratio_of(sparse), accuracy(sparse, parts["validation"])
        print(f"sparse epoch {epoch + 1}: validation {now:.2%}, {ratio:.1f}x", flush=True)
        if ratio >= options.target:
            break
    # 3. Fix what is pruned, and fine-tune what is kept, without noise.
    freeze(sparse)
    epochs = train(
        sparse, parts["train"], options.finetune_epochs, 5e-4, seed=options.seed, noise=False
    )
    sparse = best(sparse, parts["validation"], epochs, "fine-tuning")
    # 4. Shrink: plain torch.nn modules again.
    *example, _ = next(batches(parts["validation"], 64))
    small = bayespress.shrink(sparse, tuple(example))

    torch.save(small.state_dict(), "small.pt")
    print(
        json.dumps(
            {
                "source": options.source,
                "seed": options.seed,
                "test": {
                    name: round(accuracy(model, parts["test"]), 4)
                    for name, model in (("dense", dense), ("masked", sparse), ("shrunk", small))
                },
                "validation": {
                    name: round(accuracy(model, parts["validation"]), 4)
                    for name, model in (("dense", dense), ("shrunk", small))
                },
                "parameters": {"dense": size(dense), "shrunk": size(small)},
                "dense_ratio": round(size(dense) / size(small), 1),
                "compression_ratio": round(size(dense) / nonzero(small), 1),
                "words": [encoder.vocabulary.num_rows - 1, small.embedding.table.num_embeddings],
                "bytes_of_state": Path("small.pt").stat().st_size,
                "minutes": round((time.perf_counter() - started) / 60, 1),
            }
        )
    )
    print(small)


if __name__ == "__main__":
    main()
