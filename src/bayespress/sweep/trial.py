"""One trial: the same settings with several seeds, each an ordinary run in a folder of its own."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bayespress.config import Config
from bayespress.data import LabelledTexts, Splits, TextSplits
from bayespress.history import EpochRecord, read_history
from bayespress.training import Listener, RunFolder, Trainer, Workers, finish


@dataclass(frozen=True)
class Figures:
    """What a trial's best epochs are, by validation data; means over its seeds.

    Attributes
    ----------
    score
        What the best epoch is chosen by, see ``compression_worth``.
    quality
        Accuracy; of several labels micro-F1, of a language model minus the nats a token.
    compression_ratio
        The papers' count; a geometric mean.
    """

    score: float
    quality: float
    compression_ratio: float

    @classmethod
    def of(cls, records: Sequence[EpochRecord]) -> Figures:
        """Take the means of several runs' best epochs."""
        return cls(
            statistics.fmean(record.score for record in records),
            statistics.fmean(quality(record) for record in records),
            math.exp(statistics.fmean(math.log(r.compression_ratio) for r in records)),
        )


def quality(record: EpochRecord) -> float:
    """Tell how good an epoch's network is, whatever its size; more is better."""
    if record.validation_accuracy is not None:
        return record.validation_accuracy
    if record.validation_micro_f1 is not None:
        return record.validation_micro_f1
    return -(record.validation_nll or 0.0)


def run_seeds(
    config: Config,
    folder: Path,
    seeds: int,
    splits: Splits | TextSplits,
    listener: Callable[[int], Listener],
) -> Figures:
    """Train once for each seed; a run that is finished is looked up, one that was ended goes on.

    Parameters
    ----------
    config
        The settings, with the first seed.
    folder
        Where the runs' folders are.
    seeds
        How many.
    splits
        The data. Its test texts are never looked at.
    listener
        Gives who is told of the progress with a seed.

    Raises
    ------
    TrainingError
        If a run cannot be trained to its end.
    """
    first = config.training.seed
    return Figures.of(
        [
            _run(
                replace(config, training=replace(config.training, seed=seed)),
                RunFolder(folder / f"seed-{seed}"),
                splits,
                listener(seed),
            )
            for seed in range(first, first + seeds)
        ]
    )


def _run(
    config: Config, folder: RunFolder, splits: Splits | TextSplits, listener: Listener
) -> EpochRecord:
    result = folder.result()
    if result is None:
        with folder.locked():
            result = _train(config, folder, splits, listener)
    best: int = result["best_epoch"]
    return read_history(folder.history_file)[best - 1]


def _train(
    config: Config, folder: RunFolder, splits: Splits | TextSplits, listener: Listener
) -> dict[str, Any]:
    with Workers.join(config.training.device) as workers:
        trainer = Trainer(config, splits, folder, listener, workers)
        folder.save_config(config)
        if trainer.history:  # the last epoch may have been saved, and its listener not have heard
            listener.on_epoch_end(trainer.history[-1], is_best=False)
        trainer.fit()
    # Without test data: whoever chooses by a sweep looks at them once, at its end.
    return finish(folder, "" if isinstance(splits, TextSplits) else LabelledTexts((), ()))
