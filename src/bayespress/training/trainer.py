"""The training loop: epochs, evaluation, the choice of the best one, resuming."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from bayespress.compression import Network, Size, Statistics, statistics
from bayespress.config import Config
from bayespress.data import Splits, TextSplits
from bayespress.errors import RunError, TrainingError
from bayespress.history import EpochRecord, read_history, write_history
from bayespress.models import TextClassifierNet
from bayespress.optim import VariationalAdam
from bayespress.training import prepare, process
from bayespress.training.classification import Classification
from bayespress.training.divergence import check_weights, remedy
from bayespress.training.interfaces import interface_of, rebuild
from bayespress.training.learner import Learner
from bayespress.training.listener import Listener, Silent
from bayespress.training.run import RunFolder, load_tensors, save_tensors, understood
from bayespress.training.schedules import Phase, Schedule
from bayespress.training.seeds import generator
from bayespress.training.shrinking import LiveShrinking
from bayespress.training.state import (
    FullSize,
    Progress,
    restore,
    set_rate_factor,
    state_tensors,
)
from bayespress.training.tasks import Measure, Task
from bayespress.training.workers import Workers
from bayespress.variational import kl


@dataclass(frozen=True)
class _Means:
    """Means over the steps of an epoch."""

    loss: float
    nll: float
    kl: float
    tallies: tuple[float, ...]

    @classmethod
    def of(cls, steps: list[_Means]) -> _Means:
        """Take the means of single steps' figures."""
        columns = zip(*((s.loss, s.nll, s.kl, *s.tallies) for s in steps), strict=True)
        loss, nll, kl, *tallies = (math.fsum(column) / len(column) for column in columns)
        return cls(loss, nll, kl, tuple(tallies))


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
        splits: Splits | TextSplits,
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
        with understood(folder.checkpoint_file):
            restricted = interface_of(metadata) if metadata else None
        with self.workers.one_by_one():
            self.task: Task = prepare.prepare(config, splits, self._fingerprint, restricted)
        with understood(folder.checkpoint_file):
            net = rebuild(config, self.task.interface, metadata)
            full = FullSize.from_dict(metadata["full"]) if metadata else None
        self._full = full or FullSize(Size.of(net), self.task.interface.vocabulary_bytes)
        self._learner = Learner(net, config, self.workers)
        self.history: list[EpochRecord] = []
        self._shrinking = LiveShrinking(config.training.shrink_after, Size.of(self.net))
        if metadata:
            self._go_on(tensors, metadata)
        else:
            self.progress = Progress()
            self._load_pretrained()

    def _go_on(self, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
        """Put everything where it was when the checkpoint was written."""
        with understood(self.folder.checkpoint_file):
            restore(self.net, self.optimizer, tensors)
            self._shrinking.restore(tensors)
            self.progress = Progress(**metadata["progress"])
            self.history = read_history(self.folder.history_file)[: self.progress.epoch]

    def fit(self) -> Progress:
        """Train to the last epoch, or until patience ends; a resumed run goes on where it was.

        Raises
        ------
        TrainingError
            If the loss or a weight is not finite, a weight is too large, or everything was pruned.
        StorageError
            If a file cannot be written; what was saved before is whole.
        """
        for note in process.missing(self.config, self.workers.device):
            self.listener.on_note(note)
        with process.tuned():
            while not self._finished:
                self._run_epoch(self.progress.epoch + 1)
        return self.progress

    @property
    def net(self) -> Network:
        """The network, as small as live shrinking has made it."""
        return self._learner.net

    @property
    def optimizer(self) -> VariationalAdam:
        """What takes its steps."""
        return self._learner.optimizer

    @property
    def _finished(self) -> bool:
        training, done = self.config.training, self.progress
        stale = done.epoch - done.best_epoch
        return done.epoch >= self._schedule.epochs or 0 < training.patience <= stale

    def _run_epoch(self, epoch: int) -> None:
        began = time.perf_counter()
        means = self._train_epoch(epoch)
        check_weights(self.net, self.config, epoch)
        if self._schedule.phase(epoch) is not Phase.DENSE:
            self._shrink()
        stats = statistics(self.net, self._full.size)
        training, measure = Measure.of_tallies(means.tallies), self.task.validate(self.net)
        score = measure.score + self.config.training.compression_worth * math.log10(
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
            train_accuracy=training.accuracy,
            validation_accuracy=measure.accuracy,
            validation_nll=measure.nll,
            train_micro_f1=training.micro_f1,
            validation_micro_f1=measure.micro_f1,
            score=score,
            **_counts(stats),
        )
        self._note_target(epoch, stats)
        self._end_epoch(record)
        if not any(kept for kept, _ in stats.weights.values()):
            raise TrainingError(
                f"everything was pruned in epoch {epoch}: lower the learning rates, raise "
                "--kl-warmup or lower --kl-weight"
            )

    def _end_epoch(self, record: EpochRecord) -> None:
        """Count the epoch, save it and tell of it."""
        is_best = record.score > self.progress.best_score
        self.progress = replace(self.progress, epoch=record.epoch)
        if is_best:
            self.progress = replace(self.progress, best_epoch=record.epoch, best_score=record.score)
        self._save(record, is_best=is_best)
        self.listener.on_epoch_end(record, is_best=is_best)

    def _note_target(self, epoch: int, stats: Statistics) -> None:
        """Let fine-tuning follow, if this is the epoch that reaches the wanted compression.

        No epoch before it can be the best one any more: it is larger than what is wanted.
        """
        wanted, ratio = self.config.training.target_compression, stats.compression_ratio
        if self._schedule.phase(epoch) is Phase.SPARSE and 0 < wanted <= ratio:
            self.progress = replace(self.progress, reached_at=epoch, best_score=-math.inf)
            self.listener.on_note(
                f"epoch {epoch} reached a compression ratio of {ratio:,.0f}: fine-tuning follows"
            )

    @property
    def _schedule(self) -> Schedule:
        training = self.config.training
        return Schedule(training, self.task.steps(training), self.progress.reached_at)

    def _train_epoch(self, epoch: int) -> _Means:
        training, schedule = self.config.training, self._schedule
        self._begin(epoch)
        noise = generator(training.seed, "noise", epoch, self.workers.device)
        self.listener.on_epoch_begin(epoch, schedule.steps_per_epoch)
        steps = []
        for number, batch in enumerate(self.task.batches(training, epoch)):
            now = (epoch - 1) * schedule.steps_per_epoch + number
            scale = schedule.kl_weight(now) / self.task.num_train
            set_rate_factor(self.optimizer, schedule.rate_factor(now))
            step = self._learner.step(batch, noise, scale)
            divergence = step.kl + (self.progress.removed_kl if self.net.training else 0.0)
            loss = step.nll + scale * divergence
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is not finite in epoch {epoch}, step {number + 1}: "
                    f"{remedy(self.config)}"
                )
            steps.append(_Means(loss, step.nll, divergence, step.tallies))
            self.listener.on_step(number + 1, loss)
        self._learner.end_epoch()
        return _Means.of(steps)

    def _begin(self, epoch: int) -> None:
        schedule = self._schedule
        phase = schedule.phase(epoch)
        if epoch == 1 or schedule.phase(epoch - 1) is not phase:
            self._learner.enter(phase)
            if phase is Phase.FINETUNING:
                self._shrink(at_once=True)
        self._learner.begin_epoch(phase)

    def _shrink(self, *, at_once: bool = False) -> None:
        """Slice away what was pruned for good; its divergence goes on counting."""
        form = self.config.model.kl_form
        with torch.no_grad():
            before = float(kl(self.net, form))
            self.task = self._shrinking.shrink(self.net, self.optimizer, self.task, at_once=at_once)
            removed = before - float(kl(self.net, form))
        self.progress = replace(self.progress, removed_kl=self.progress.removed_kl + removed)

    def _load_pretrained(self) -> None:
        if not isinstance(self.task, Classification) or not isinstance(self.net, TextClassifierNet):
            return
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
            **self.task.interface.to_dict(),
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
        if metadata.get("data") != self._fingerprint:
            raise RunError(
                f"the data changed since the run in {self.folder.path} began: start a new run "
                "with another --output"
            )
        return tensors, metadata


def _counts(stats: Statistics) -> dict[str, Any]:
    counts = stats.to_dict()
    del counts["dense_bytes"]
    return counts
