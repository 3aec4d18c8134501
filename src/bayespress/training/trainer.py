"""The training loop: epochs, evaluation, the choice of the best one, resuming."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from bayespress.compression import (
    Size,
    Statistics,
    compact_with_rows,
    statistics,
    to_principal_axes,
)
from bayespress.config import Config
from bayespress.data import Splits
from bayespress.errors import RunError, TrainingError
from bayespress.history import EpochRecord, read_history, write_history
from bayespress.objective import nll
from bayespress.runtime import TextPredictor
from bayespress.text import TextEncoder, renumbering
from bayespress.training import prepare, process
from bayespress.training.batches import Batch
from bayespress.training.listener import Listener, Silent
from bayespress.training.prepare import Task
from bayespress.training.run import RunFolder, load_tensors, save_tensors
from bayespress.training.schedules import Phase, Schedule
from bayespress.training.shrinking import LiveShrinking
from bayespress.training.state import (
    FullSize,
    Progress,
    make_optimizer,
    restore,
    set_rate_factor,
    state_tensors,
)
from bayespress.training.workers import Workers
from bayespress.variational import kl, named_variational_parameters, set_threshold


@dataclass(frozen=True)
class _Means:
    """Means over the steps of an epoch."""

    loss: float
    nll: float
    kl: float
    accuracy: float


class Trainer:
    """Trains one network in one run folder.

    Parameters
    ----------
    config
        All settings.
    splits
        The data; training never looks at ``splits.test``.
    folder
        Where the run keeps its files; if there is a checkpoint, training goes on from it.
    listener
        Is told of the progress.
    workers
        The device, and the processes that train together; this one alone on the CPU by default.

    Raises
    ------
    RunError
        If the folder holds a checkpoint of other data, or a damaged one.
    DataError
        If the data cannot be trained on.
    """

    def __init__(
        self,
        config: Config,
        splits: Splits,
        folder: RunFolder,
        listener: Listener | None = None,
        workers: Workers | None = None,
    ) -> None:
        self.config = config
        self.folder = folder
        self.listener = listener or Silent()
        self.workers = workers or Workers()
        self._fingerprint = prepare.fingerprint(splits)
        tensors, metadata = self._read_checkpoint()
        encoder = TextEncoder.from_dict(metadata["encoder"]) if metadata else None
        with self.workers.one_by_one():
            self.task: Task = prepare.prepare(config, splits, self._fingerprint, encoder)
        self.net = prepare.rebuild(config, self.task.encoder, self.task.labels, metadata)
        self._place()
        self.optimizer = make_optimizer(self.net, config)
        self._full = FullSize.from_dict(metadata["full"]) if metadata else self._measure()
        self._shrinking = LiveShrinking(config.training.shrink_after, Size.of(self.net))
        if metadata:
            restore(self.net, self.optimizer, tensors)
            self._shrinking.restore(tensors)
            self.progress = Progress(**metadata["progress"])
            self.history = read_history(folder.history_file)[: self.progress.epoch]
        else:
            self.progress, self.history = Progress(), []
            self._load_pretrained()

    def fit(self) -> Progress:
        """Train to the last epoch, or until patience ends; a resumed run goes on where it was.

        Raises
        ------
        TrainingError
            If the loss is not finite, or everything was pruned.
        StorageError
            If a file cannot be written; what was saved before is whole.
        """
        for note in process.missing(self.config.training, self.workers.device):
            self.listener.on_note(note)
        with process.tuned():
            while not self._finished:
                self._run_epoch(self.progress.epoch + 1)
        return self.progress

    @property
    def _finished(self) -> bool:
        training, done = self.config.training, self.progress
        stale = done.epoch - done.best_epoch
        return done.epoch >= training.epochs or 0 < training.patience <= stale

    def _run_epoch(self, epoch: int) -> None:
        began = time.perf_counter()
        means = self._train_epoch(epoch)
        self._shrink()
        stats = statistics(self.net, self._full.size)
        accuracy = self._validate()
        score = accuracy + self.config.training.compression_worth * math.log10(
            stats.compression_ratio
        )
        last_step = epoch * self._schedule.steps_per_epoch - 1
        record = EpochRecord(
            epoch=epoch,
            seconds=round(time.perf_counter() - began, 3),
            loss=means.loss,
            nll=means.nll,
            kl=means.kl,
            kl_weight=self._schedule.kl_weight(last_step),
            learning_rate=self.config.training.learning_rate
            * self._schedule.rate_factor(last_step),
            train_accuracy=means.accuracy,
            validation_accuracy=accuracy,
            score=score,
            **_counts(stats),
        )
        is_best = score > self.progress.best_score
        self.progress = replace(self.progress, epoch=epoch)
        if is_best:
            self.progress = replace(self.progress, best_epoch=epoch, best_score=score)
        self._save(record, is_best=is_best)
        self.listener.on_epoch_end(record, is_best=is_best)
        if not any(kept for kept, _ in stats.weights.values()):
            raise TrainingError(
                f"everything was pruned in epoch {epoch}: lower the learning rates, raise "
                "--kl-warmup or lower --kl-weight"
            )

    @property
    def _schedule(self) -> Schedule:
        training = self.config.training
        return Schedule(training, math.ceil(len(self.task.train) / training.batch_size))

    def _train_epoch(self, epoch: int) -> _Means:
        training, schedule = self.config.training, self._schedule
        self._begin_phase(schedule, epoch)
        noise = prepare.generator(training.seed, "noise", epoch, self.workers.device)
        order = prepare.seed_of(training.seed, "order", epoch)
        batches = self.task.train.batches(
            training.batch_size, order, by_length=training.length_batching
        )
        self.listener.on_epoch_begin(epoch, schedule.steps_per_epoch)
        parallel, rows = self.workers.parallel(self.net), []
        for number, batch in enumerate(batches):
            step = (epoch - 1) * schedule.steps_per_epoch + number
            set_rate_factor(self.optimizer, schedule.rate_factor(step))
            rows.append(self._step(parallel, batch, schedule.kl_weight(step), noise))
            if not math.isfinite(rows[-1][0]):
                raise TrainingError(self._not_finite(epoch, number + 1))
            self.listener.on_step(number + 1, rows[-1][0])
        return _Means(*np.array(rows).mean(axis=0).tolist())

    def _step(
        self, parallel: nn.Module, batch: Batch, kl_weight: float, noise: torch.Generator
    ) -> tuple[float, float, float, float]:
        """Take one step; return loss, nll, kl and the share of right answers."""
        share = self.workers.share(len(batch))
        weight = self.workers.weight_of(share)
        batch = batch.to(self.workers.device)
        labels = batch.labels if share is None else share.of(batch.labels)
        logits = parallel(batch.ids, batch.mask, noise, share)
        likelihood = weight * nll(logits, labels)
        self.optimizer.zero_grad()
        likelihood.backward()
        scale = kl_weight / len(self.task.train)
        clip_norm = self.config.training.clip_norm
        if self.net.training:
            divergence = self.optimizer.step_with_kl(scale, clip_norm) + self.progress.removed_kl
        else:
            divergence = self.optimizer.step_with_kl(None, clip_norm)
        correct = weight * (_answers(logits) == labels).to(likelihood.dtype).mean()
        first, right = self.workers.average(torch.stack([likelihood.detach(), correct])).tolist()
        return first + scale * divergence, first, divergence, right

    def _begin_phase(self, schedule: Schedule, epoch: int) -> None:
        phase = schedule.phase(epoch)
        self.net.train(phase is Phase.SPARSE)
        set_threshold(self.net, math.inf if phase is Phase.DENSE else self.config.model.threshold)
        is_first = epoch == 1 or schedule.phase(epoch - 1) is not phase
        if is_first and phase is Phase.SPARSE and self.config.training.principal_axes:
            to_principal_axes(self.net)
            self.optimizer = make_optimizer(self.net, self.config)
        if is_first and phase is Phase.FINETUNING:
            self._begin_finetuning()

    def _begin_finetuning(self) -> None:
        """Fix the masks; old moments go, since they would move what is pruned."""
        for _, parameter in named_variational_parameters(self.net):
            parameter.freeze()
        self.optimizer = make_optimizer(self.net, self.config)
        self._shrink(at_once=True)

    def _shrink(self, *, at_once: bool = False) -> None:
        """Slice away what was pruned for good; its divergence goes on counting."""
        form = self.config.model.kl_form
        with torch.no_grad():
            before = float(kl(self.net, form))
            self.task = self._shrinking.shrink(self.net, self.optimizer, self.task, at_once=at_once)
            removed = before - float(kl(self.net, form))
        self.progress = replace(self.progress, removed_kl=self.progress.removed_kl + removed)

    def _place(self) -> None:
        """Move the network to its device, and set what that device can do."""
        self.net.to(self.workers.device)
        # The kernels of the CPU take sparse gradients; DistributedDataParallel takes dense ones.
        on_cpu = self.workers.device.type == "cpu"
        self.net.embedding.weight.sparse_grad = on_cpu and self.workers.count == 1
        self.net.lstm.bfloat16_products = (
            self.config.training.precision == "bfloat16"
            and process.has_bfloat16(self.workers.device)
        )

    def _measure(self) -> FullSize:
        words = self.task.encoder.vocabulary.rows
        return FullSize(Size.of(self.net), sum(len(word.encode()) + 1 for word in words))

    def _not_finite(self, epoch: int, step: int) -> str:
        return (
            f"the loss is not finite in epoch {epoch}, step {step}: lower --learning-rate "
            f"(now {self.config.training.learning_rate:g}) or set --clip-norm"
        )

    def _validate(self) -> float:
        """Share of validation texts that the pruned network gets right, by its compact model."""
        task = self.task
        model, rows = compact_with_rows(self.net, task.encoder, task.labels)
        texts = task.validation.renumber(renumbering(task.encoder.vocabulary.num_rows, rows))
        answers = _answers(torch.from_numpy(TextPredictor(model).logits(texts.ids)))
        return float((answers.numpy() == texts.labels).mean())

    def _load_pretrained(self) -> None:
        found = prepare.load_pretrained(self.net, self.config, self.task.encoder)
        if found:
            words = sum(word is not None for word in self.task.encoder.vocabulary.words)
            self.listener.on_note(f"{found} of {words} words have a pretrained vector")

    def _save(self, record: EpochRecord, *, is_best: bool) -> None:
        """Save the epoch; the checkpoint comes last, so that it never lacks what it speaks of."""
        self.history.append(record)
        if not self.workers.is_first:
            return
        metadata = {
            "progress": self.progress.to_dict(),
            "encoder": self.task.encoder.to_dict(),
            "labels": self.task.labels,
            "data": self._fingerprint,
            "size": asdict(Size.of(self.net)),
            "full": self._full.to_dict(),
        }
        tensors = {**state_tensors(self.net, self.optimizer), **self._shrinking.tensors()}
        if is_best:
            best = {name: tensor for name, tensor in tensors.items() if name.startswith("net.")}
            save_tensors(self.folder.best_file, best, metadata)
        write_history(self.folder.history_file, self.history)
        save_tensors(self.folder.checkpoint_file, tensors, metadata)

    def _read_checkpoint(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        if not self.folder.checkpoint_file.exists():
            return {}, {}
        tensors, metadata = load_tensors(self.folder.checkpoint_file)
        if metadata["data"] != self._fingerprint:
            raise RunError(
                f"the data changed since the run in {self.folder.path} began: start a new run "
                "with another --output"
            )
        return tensors, metadata


def _answers(logits: torch.Tensor) -> torch.Tensor:
    """Give the most probable classes."""
    return logits.argmax(dim=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()


def _counts(stats: Statistics) -> dict[str, Any]:
    counts = stats.to_dict()
    del counts["dense_bytes"]
    return counts
