"""The dense LSTM with gradual magnitude pruning, then fine-tuned.

References
----------
Zhu, Gupta: *To prune, or not to prune*, 2017: the cubic schedule. Gale, Elsen, Hooker: *The State
of Sparsity in Deep Neural Networks*, 2019. Lee, Park, Mo, Ahn, Shin: *Layer-adaptive Sparsity for
the Magnitude-based Pruning*, ICLR 2021: the score ``lamp``.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from frontier_lstm import (
    CELL,
    MATRICES,
    Dense,
    Net,
    Training,
    dense,
    dense_weights,
    point_of,
    to_compact,
    train,
    training_texts,
)
from frontier_task import Point, Task, note
from torch import Tensor

from bayespress import compact
from bayespress.compact import CompactClassifier
from bayespress.config import ModelConfig

METHOD = "LSTM, magnitude pruning"
SCORES = ("global", "layers", "lamp", "counts", "counts-lamp")
MORE = ("geometric", "axes", "stages")
_STEPS_BETWEEN = 20
TABLE = MATRICES[0]
Masks = dict[str, Tensor]


class CollapseError(Exception):
    """No word's weights reach the output any more."""


@dataclass(frozen=True)
class Pruning:
    """How to prune, besides how much.

    Attributes
    ----------
    scores
        What is compared: ``global``, magnitudes over all layers; ``layers``, magnitudes in each
        layer, which all keep the same share, the output layer all; ``lamp``, squared magnitudes
        over the sum of those in the layer that are not smaller; ``counts``, as global, with a
        word's magnitudes times the root of how often it occurs; ``counts-lamp``, both.
    schedule
        Of the sparsity: ``cubic``, or ``geometric``: the share that is kept falls by the same
        factor from step to step.
    training, tune
        While the sparsity rises, and of the network that is left.
    is_turned
        Whether the embedding's axes are turned to its principal ones first: no prediction changes,
        and magnitudes gather in few columns. It is our trick, and no part of the papers' method.
    in_stages
        Whether a ratio begins with the fine-tuned network of the one before, not the dense one.
    """

    scores: str
    schedule: str
    training: Training
    tune: Training
    is_turned: bool = False
    in_stages: bool = False

    def __str__(self) -> str:
        """Name it in a few words."""
        turned = ", principal axes" if self.is_turned else ""
        stages = ", in stages" if self.in_stages else ""
        return f"{self.scores}, {self.schedule}{turned}{stages}"

    def kept_at(self, progress: float, start: int, final: int) -> float:
        """Give how many weights stay at a time from 0 to 1, see `schedule`."""
        if self.schedule == "geometric":
            return start * (final / start) ** progress
        return final + (start - final) * (1 - progress) ** 3


@dataclass
class Pruned:
    """A network that gets smaller, and which rows of the vocabulary it still has."""

    net: Net
    masks: Masks
    rows: np.ndarray
    counts: Tensor
    config: ModelConfig
    mean_count: float

    @classmethod
    def of(cls, net: Net, rows: np.ndarray, counts: Tensor, config: ModelConfig) -> Pruned:
        """Begin with all weights of a copy; `counts` says how often each row occurs."""
        net = copy.deepcopy(net)
        masks = {name: torch.ones_like(weight) for name, weight in net.weights.items()}
        masks[TABLE][0] = 0.0
        return cls(net, masks, rows, counts, config, float(counts[1:].mean()))

    @property
    def kept(self) -> int:
        """Number of weights."""
        return int(sum(mask.sum() for mask in self.masks.values()))

    def mask_gradients(self) -> None:
        """Leave what was pruned out of the gradient, and of its norm."""
        for name, weight in self.net.weights.items():
            weight.grad.mul_(self.masks[name])

    def mask_weights(self) -> None:
        """Set what was pruned to 0."""
        with torch.no_grad():
            for name, weight in self.net.weights.items():
                weight.mul_(self.masks[name])

    def prune(self, keep: int, scores: str) -> None:
        """Keep so many weights, those with the highest scores; what is pruned stays so.

        Raises
        ------
        CollapseError
            If a layer has no weights left.
        """
        if not all(len(used) for used in _used(self.masks)):
            raise CollapseError
        alive = {name: mask.bool() for name, mask in self.masks.items()}
        with torch.no_grad():
            weights = dict(self.net.weights)
            if scores.startswith("counts"):
                root = (self.counts / self.mean_count).sqrt()
                weights[TABLE] = weights[TABLE] * root[:, None]
            values = {
                name: _scored(weight[alive[name]], scores) for name, weight in weights.items()
            }
        sizes = {name: len(value) for name, value in values.items()}
        for name, threshold in _thresholds(values, sizes, keep, scores).items():
            self.masks[name][alive[name]] = (values[name] >= threshold).float()
        self.mask_weights()

    def shrink(self) -> None:
        """Remove words, dimensions and neurons without weights, if that is worth it.

        Raises
        ------
        CollapseError
            If a layer has no weights left.
        """
        words, dims, neurons = _used(self.masks)
        if 0 in (len(words), len(dims), len(neurons)):
            raise CollapseError
        size = self.net.weights[TABLE].shape
        before = math.prod(size) * self.net.lstm.hidden_size
        after = (len(words) + 1) * len(dims) * len(neurons)
        if after > 0.8 * before:
            return
        gates = torch.cat([gate * self.net.lstm.hidden_size + neurons for gate in range(4)])
        rows = torch.cat([torch.zeros(1, dtype=torch.long), words])
        outputs = torch.arange(self.net.output.out_features)
        axes = ((rows, dims), (gates, dims), (gates, neurons), (outputs, neurons))
        places = dict(zip(MATRICES, axes, strict=True))
        places[f"{CELL}.bias"] = (gates,)
        old = dict(self.net.named_parameters())
        config = replace(self.config, embedding_size=len(dims), hidden_size=len(neurons))
        self.net = Net(len(rows), len(outputs), config)
        with torch.no_grad():
            self.net.output.bias.copy_(old["output.bias"])
            for name, parameter in self.net.named_parameters():
                if name in places:
                    parameter.copy_(old[name][np.ix_(*places[name])])
        self.masks = {name: self.masks[name][np.ix_(*places[name])] for name in MATRICES}
        self.rows = self.rows[words.numpy() - 1]
        self.counts = self.counts[rows]


def _scored(values: Tensor, scores: str) -> Tensor:
    if not scores.endswith("lamp"):
        return values.abs()
    squares, order = values.double().square().sort()
    # Of the weights from each on, by rising size.
    rest = squares.flip(0).cumsum(0).flip(0)
    score = torch.empty_like(squares)
    score[order] = squares / rest.clamp_min(1e-300)
    return score


def _thresholds(
    values: dict[str, Tensor], sizes: dict[str, int], keep: int, scores: str
) -> dict[str, float]:
    if scores != "layers":
        every = torch.cat(list(values.values())).numpy()
        return dict.fromkeys(values, _kth_largest(every, keep))
    share = min(1.0, keep / sum(sizes.values()))
    return {
        name: _kth_largest(value.numpy(), max(1, round(share * len(value))))
        for name, value in values.items()
        if name != MATRICES[-1]
    }


def _kth_largest(values: np.ndarray, k: int) -> float:
    if k >= len(values):
        return -math.inf
    return float(np.partition(values, len(values) - k)[len(values) - k])


def _used(masks: Masks) -> tuple[Tensor, Tensor, Tensor]:
    """Give the words, dimensions and neurons that bear on an answer; prune what others have."""
    embedding, ih, hh, output = (masks[name] for name in MATRICES)
    hidden = hh.shape[1]
    others = 1 - torch.eye(hidden).repeat(4, 1)
    before = -1.0
    while (count := float(sum(mask.sum() for mask in masks.values()))) != before:
        before = count
        neurons = (ih.sum(1) + (hh * others).sum(1)).view(4, hidden).sum(0) > 0
        neurons &= (output.sum(0) + (hh * others).sum(0)) > 0
        dims = (embedding.sum(0) > 0) & (ih.sum(0) > 0)
        for matrix in (ih, hh):
            matrix.mul_(neurons.repeat(4)[:, None])
        hh.mul_(neurons)
        output.mul_(neurons)
        ih.mul_(dims)
        embedding.mul_(dims)
    words = embedding.sum(1) > 0
    return tuple(kept.nonzero().flatten() for kept in (words, dims, neurons))


def turned(net: Net) -> Net:
    """Factor embedding times input weights anew, by its singular values; no answer changes."""
    net = copy.deepcopy(net)
    with torch.no_grad():
        factors = [net.weights[name] for name in MATRICES[:2]]
        (q_left, r_left), (q_right, r_right) = (torch.linalg.qr(f.double()) for f in factors)
        u, s, vh = torch.linalg.svd(r_left @ r_right.t(), full_matrices=False)
        new = (q_left @ u * s.sqrt(), q_right @ vh.t() * s.sqrt())
        for factor, value in zip(factors, new, strict=True):
            factor.zero_()[:, : len(s)] = value.float()
    return net


def begun(task: Task, start: Dense, way: Pruning) -> Pruned:
    """Make a copy of the dense network ready."""
    torch.manual_seed(task.seed)
    rows = np.arange(1, task.vocabulary.num_rows)
    every = np.concatenate(task.ids("train", task.lengths[0]))
    counts = torch.from_numpy(np.bincount(every, minlength=len(rows) + 1)).float()
    net = turned(start.net) if way.is_turned else start.net
    return Pruned.of(net, rows, counts, task.config.model)


def prune(task: Task, state: Pruned, keep: int, way: Pruning) -> None:
    """Prune to so many weights, in place.

    Raises
    ------
    CollapseError
        If no path from a word to the output is left.
    """
    kept, steps = state.kept, math.ceil(len(task.splits.train) / way.training.batch_size)
    training = replace(way.training, epochs=1)
    for epoch in range(way.training.epochs):

        def after_step(step: int, epoch: int = epoch) -> None:
            state.mask_weights()
            if step % _STEPS_BETWEEN == 0 or step == steps:
                progress = (epoch + step / steps) / way.training.epochs
                state.prune(max(keep, round(way.kept_at(progress, kept, keep))), way.scores)

        texts, seed = training_texts(task, state.rows), task.seed + 1000 * (epoch + 1)
        for _ in train(state.net, texts, training, seed, after_step, state.mask_gradients):
            pass
        state.shrink()


def finetuned(task: Task, state: Pruned, tune: Training) -> CompactClassifier:
    """Train what is left, and give the best epoch by validation data."""
    texts = training_texts(task, state.rows)
    best, most = None, -1.0
    steps = train(
        state.net,
        texts,
        tune,
        task.seed,
        lambda _: state.mask_weights(),
        state.mask_gradients,
    )
    for _ in steps:
        model = to_compact(state.net, task, state.rows)
        validation = task.accuracy(model, "validation", task.lengths[0])
        if validation > most:
            best, most = model, validation
    return best


def way_of(name: str, training: Training, tune: Training) -> Pruning:
    """Read a way to prune: scores, and what is behind them after a plus.

    Raises
    ------
    SystemExit
        If there is no such way.
    """
    scores, *more = name.split("+")
    if scores not in SCORES or not set(more) <= set(MORE):
        raise SystemExit(
            f"a way to prune is one of {', '.join(SCORES)}, and +{', +'.join(MORE)} behind it; "
            f"got {name!r}"
        )
    schedule = "geometric" if "geometric" in more else "cubic"
    return Pruning(scores, schedule, training, tune, "axes" in more, "stages" in more)


def points(
    task: Task, dense_training: Training, ratios: Sequence[float], ways: Sequence[Pruning]
) -> Iterator[Point]:
    """Make the points of all ratios, ways, precisions and lengths.

    Parameters
    ----------
    task, dense_training
        What to learn, and how the network is trained that is pruned.
    ratios
        All weights over those that stay.
    ways
        To prune.
    """
    for way in ways:
        wanted = {ratio: _wanted(task, ratio, way) for ratio in sorted(ratios)}
        if way.in_stages and not any(wanted.values()):
            continue
        state, seconds = None, 0.0
        for ratio in sorted(ratios):
            if not (wanted[ratio] or way.in_stages):
                continue
            start, began = dense(task, dense_training), time.perf_counter()
            if state is None or not way.in_stages:
                state, seconds = begun(task, start, way), start.seconds
            try:
                prune(task, state, round(dense_weights(task) / ratio), way)
            except CollapseError:
                note(f"{METHOD}, 1/{ratio:g}, {way}: no path from a word to the output is left")
                break
            exact = finetuned(task, state, way.tune)
            seconds += time.perf_counter() - began
            for precision, tokens_read in wanted[ratio]:
                model, setting = compact.rounded(exact, precision), _setting(ratio, way, precision)
                yield point_of(task, model, METHOD, setting, tokens_read, seconds)


def _wanted(task: Task, ratio: float, way: Pruning) -> list[tuple[str, int | str]]:
    return [
        (precision, tokens_read)
        for precision in ("float32", "int8")
        for tokens_read in task.lengths
        if not task.is_done(METHOD, _setting(ratio, way, precision), tokens_read)
    ]


def _setting(ratio: float, way: Pruning, precision: str) -> str:
    return f"1/{ratio:g}, {way}, {precision}"
