"""The dense LSTM: how it is trained, and how it becomes a model file."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from frontier_task import Point, Task, note
from torch import nn

from bayespress import compact
from bayespress.compact import CompactClassifier, CompactLSTM
from bayespress.config import ModelConfig
from bayespress.models import TextClassifierNet
from bayespress.objective import nll
from bayespress.text import renumbering
from bayespress.training.batches import EncodedTexts

CODE = "DCDCCD"
CELL = "recurrent.layers.0.0"
MATRICES = tuple(
    f"{name}.mean"
    for name in ("embedding.weight", f"{CELL}.weight_ih", f"{CELL}.weight_hh", "output.weight")
)
"""All weights; what else there is are biases."""


class Net(TextClassifierNet):
    """Our network without noise, masks or group variables: the one that ours begin as."""

    def __init__(self, rows: int, outputs: int, config: ModelConfig) -> None:
        super().__init__(rows, outputs, replace(config, code=CODE))

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        """All matrices."""
        parameters = dict(self.named_parameters())
        return {name: parameters[name] for name in MATRICES}


@dataclass(frozen=True)
class Training:
    """How to train.

    Attributes
    ----------
    learning_rate
        Of Adam; constant, or falling linearly to a twentieth over `epochs` epochs.
    word_dropout
        Share of words that are taken for unknown ones, drawn anew for each step.
    decay
        Of weights, apart from the gradient (AdamW), for every unit of the learning rate.
    """

    epochs: int
    learning_rate: float
    falls: bool = False
    word_dropout: float = 0.0
    batch_size: int = 128
    beta2: float = 0.95
    decay: float = 0.0


def train(
    net: Net,
    texts: EncodedTexts,
    training: Training,
    seed: int,
    after_step: Callable[[int], None] = lambda _: None,
    before_step: Callable[[], None] = lambda: None,
) -> Iterator[int]:
    """Train; yield after each epoch.

    Parameters
    ----------
    net, texts, training, seed
        What, on what and how.
    after_step
        Called with the number of steps so far.
    before_step
        Called when the gradients are there.
    """
    optimizer = torch.optim.AdamW(
        net.parameters(),
        training.learning_rate,
        betas=(0.9, training.beta2),
        weight_decay=training.decay,
        fused=True,
    )
    steps = training.epochs * math.ceil(len(texts) / training.batch_size)
    step = 0
    for epoch in range(1, training.epochs + 1):
        net.train()
        for batch in texts.batches(training.batch_size, [seed, epoch], by_length=True):
            if training.falls:
                optimizer.param_groups[0]["lr"] = training.learning_rate * (1 - 0.95 * step / steps)
            optimizer.zero_grad()
            ids = batch.ids
            if training.word_dropout:
                ids = ids * (torch.rand(ids.shape) >= training.word_dropout)
            nll(net(ids, batch.mask), batch.labels).backward()
            before_step()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            step += 1
            after_step(step)
        yield epoch


def training_texts(task: Task, rows: np.ndarray | None = None) -> EncodedTexts:
    """Encode training texts: the rows of the vocabulary, or the position + 1 in `rows`."""
    texts = EncodedTexts(task.ids("train", task.lengths[0]), task.classes["train"])
    if rows is None:
        return texts
    return texts.renumber(renumbering(task.vocabulary.num_rows, rows))


def to_compact(net: Net, task: Task, rows: np.ndarray) -> CompactClassifier:
    """Make the model that is shipped: weights that are 0 cost next to nothing.

    Parameters
    ----------
    net
        The network; gates whose weights are all 0 become constants.
    task
        Whose vocabulary it reads.
    rows
        The vocabulary's rows that rows 1, 2, … of the network's embedding have.
    """
    keep = np.zeros(task.vocabulary.num_rows, bool)
    keep[rows] = True
    encoder, _ = task.encoder.restrict(keep)
    with torch.no_grad():
        table, ih, hh, output = (weight.detach() for weight in net.weights.values())
        live = (ih.any(dim=1) | hh.any(dim=1)).nonzero().flatten()
        arrays = (table[1:], ih[live], hh[live], net.lstm.bias, output, net.output.bias)
        embedding, weight_ih, weight_hh, bias, output_weight, output_bias = (
            array.detach().numpy().copy() for array in arrays
        )
    activation = task.config.model.gate_activation
    lstm = CompactLSTM(weight_ih, weight_hh, bias, live.numpy(), activation)
    model = CompactClassifier(
        encoder, embedding, ((lstm,),), output_weight, output_bias, task.splits.labels
    )
    return compact.by_alphabet(replace(model, info=_info(model, task)))


def _info(model: CompactClassifier, task: Task) -> dict[str, object]:
    """Give the facts that our runs' files have, so that no file is smaller for their lack."""
    size = task.config.model
    return {
        "words": [len(model.embedding), task.vocabulary.num_rows],
        "dims": [model.embedding.shape[1], size.embedding_size],
        "neurons": [model.lstm.hidden_size, size.hidden_size],
        "gates": [len(model.lstm.live_gates), 4 * size.hidden_size],
        "compression_ratio": round(dense_weights(task) / max(1, count_weights(model)), 2),
    }


def count_weights(model: CompactClassifier) -> int:
    """Count what is not 0 in the matrices; biases do not count."""
    arrays = compact.arrays_of(model).values()
    return sum(int(np.count_nonzero(array)) for array in arrays if array.ndim == 2)


def dense_weights(task: Task) -> int:
    """Count the weights of the network before anything is removed, row 0 left out."""
    model = task.config.model
    lstm = 4 * model.hidden_size * (model.embedding_size + model.hidden_size)
    table = (task.vocabulary.num_rows - 1) * model.embedding_size
    return table + lstm + model.hidden_size * task.outputs


@dataclass(frozen=True)
class Dense:
    """A trained dense network: its best epoch by validation data."""

    net: Net
    validation: float
    epoch: int
    seconds: float


def dense(task: Task, training: Training) -> Dense:
    """Train the dense network, or read what an earlier call left in the task's cache."""
    rows = np.arange(1, task.vocabulary.num_rows)
    torch.manual_seed(task.seed)
    net = Net(len(rows) + 1, task.outputs, task.config.model)
    how = repr((task.config, training)).encode()
    file = task.cache / f"dense-{task.name}-{task.seed}-{hashlib.sha256(how).hexdigest()[:16]}.pt"
    if file.exists():
        kept = torch.load(file, weights_only=True)
        net.load_state_dict(kept.pop("state"))
        return Dense(net, **kept)
    began, best = time.perf_counter(), {"validation": -1.0}
    for epoch in train(net, training_texts(task), training, task.seed):
        validation = task.accuracy(to_compact(net, task, rows), "validation", task.lengths[0])
        note(f"dense LSTM, epoch {epoch}: {validation:.4f} on validation data")
        if validation > best["validation"]:
            seconds = time.perf_counter() - began
            best = {"validation": validation, "epoch": epoch, "seconds": seconds}
            best["state"] = {name: value.clone() for name, value in net.state_dict().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(best, file)
    net.load_state_dict(best.pop("state"))
    return Dense(net, **best)


def points(task: Task, training: Training) -> Iterator[Point]:
    """Make the points of the dense network: exact and in 8 bits, first tokens and whole texts."""
    wanted = [
        (precision, tokens_read)
        for precision in ("float32", "int8")
        for tokens_read in task.lengths
        if not task.is_done("dense LSTM", precision, tokens_read)
    ]
    if not wanted:
        return
    trained = dense(task, training)
    exact = to_compact(trained.net, task, np.arange(1, task.vocabulary.num_rows))
    for precision, tokens_read in wanted:
        model = compact.rounded(exact, precision)
        yield point_of(task, model, "dense LSTM", precision, tokens_read, trained.seconds)


def point_of(
    task: Task,
    model: CompactClassifier,
    method: str,
    setting: str,
    tokens_read: int | str,
    seconds: float,
) -> Point:
    """Measure a model."""
    return Point(
        source=task.name,
        method=method,
        setting=setting,
        seed=task.seed,
        words=len(model.embedding),
        bytes=len(compact.dumps(model)),
        weights=count_weights(model),
        validation_accuracy=task.accuracy(model, "validation", tokens_read),
        test_accuracy=task.accuracy(model, "test", tokens_read),
        seconds=round(seconds, 1),
        tokens_read=tokens_read,
    )
