"""Our runs: each as the exact file and as the one that `bayespress compress` writes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from frontier_lstm import count_weights
from frontier_task import WHOLE, Point, Task

from bayespress import compact, runtime
from bayespress.compact import CompactClassifier
from bayespress.data import LabelledTexts
from bayespress.history import read_history
from bayespress.runtime import TextPredictor
from bayespress.training import Rounding, RunFolder, load_best

METHOD = "bayespress"
PRECISIONS = ("float32", "auto")
THRESHOLDS = (None, 2.0, 1.0, 0.0, -1.0, -2.0)
"""Of log alpha: what is over it is pruned after training, as ``--target-size`` does."""


def points(task: Task, runs: Mapping[str, Path]) -> Iterator[Point]:
    """Make the points of all runs, given by name.

    Raises
    ------
    SystemExit
        If a run was trained on other data.
    """
    for name, path in runs.items():
        folder = RunFolder(path)
        if folder.config().data != task.config.data:
            raise SystemExit(
                f"run {name} has other data settings than the benchmark's: its source is "
                f"{folder.config().data.source}; give runs of the recipe's source and split"
            )
        trained, seed = load_best(folder), folder.config().training.seed
        seconds = sum(record.seconds for record in read_history(folder.history_file))
        for threshold, precision, length in itertools.product(THRESHOLDS, PRECISIONS, task.lengths):
            pruned = "" if threshold is None else f", log alpha {threshold:g}"
            setting = f"{name}, {precision}{pruned}"
            if threshold is not None and precision != "auto":
                continue
            if task.is_done(METHOD, setting, length, seed):
                continue
            prepared = trained.prepare(threshold)
            if length == "whole":
                prepared = prepared.reading(WHOLE)
            model = prepared.rounded(Rounding(precision))
            if isinstance(model, CompactClassifier) and len(model.embedding) == 0:
                break
            yield _point(task, model, setting, seed, length, seconds)


def _point(
    task: Task,
    model: compact.CompactModel,
    setting: str,
    seed: int,
    length: int | str,
    seconds: float,
) -> Point:
    if not isinstance(model, CompactClassifier):
        raise SystemExit(f"{setting} is a language model: give runs of classifiers")
    model = compact.loads(file := compact.dumps(model))
    predictor = TextPredictor(model)

    def accuracy(part: LabelledTexts) -> float:
        return runtime.evaluate(predictor, part.texts, part.labels).accuracy

    return Point(
        source=task.name,
        method=METHOD,
        setting=setting,
        seed=seed,
        words=sum(row > 0 for row in model.encoder.vocabulary.rows.values()),
        bytes=len(file),
        weights=count_weights(model),
        validation_accuracy=accuracy(task.splits.validation),
        test_accuracy=accuracy(task.splits.test),
        seconds=round(seconds, 1),
        tokens_read=length,
    )
