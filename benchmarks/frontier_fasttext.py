"""The fastText classifier, quantized: bytes are those of its own .ftz file."""

from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
from frontier_task import Point, Task

METHOD = "fastText"
_LABEL = "__label__"
_BUCKETS = 100_000
_THREADS = 12
"""fastText's own default: with fewer than 11, it leaves a part of its matrix as the memory was."""
_SIZES = struct.Struct("<3i2q")
_SIZES_AT = 64
"""Where an .ftz file has its sizes: behind magic, version and twelve settings and a double."""


@dataclass(frozen=True)
class Setting:
    """What fastText is told.

    Attributes
    ----------
    dim
        Of a vector.
    ngrams
        Longest group of words that has a vector of its own.
    cutoff
        Words and groups that stay; 0 keeps all.
    retrain
        Whether those are trained again.
    qnorm
        Whether the vectors' lengths are quantized apart.
    """

    dim: int
    ngrams: int
    cutoff: int
    retrain: bool = True
    qnorm: bool = True

    def __str__(self) -> str:
        """Name it in a few words."""
        kept = f"cutoff {self.cutoff}" if self.cutoff else "all"
        retrain = ", retrain" if self.cutoff and self.retrain else ""
        qnorm = ", qnorm" if self.qnorm else ""
        return f"dim {self.dim}, {self.ngrams}-grams, {kept}{retrain}{qnorm}"


SETTINGS = (
    *(Setting(2, 1, cutoff) for cutoff in (300, 1000)),
    *(Setting(10, 1, cutoff) for cutoff in (300, 1000, 0)),
    *(Setting(10, 2, cutoff) for cutoff in (1000, 10_000)),
    Setting(10, 1, 1000, qnorm=False),
    Setting(10, 1, 1000, retrain=False),
)
"""Product quantization takes 256 vectors at least."""
TRAININGS = ((0.1, 10), (0.5, 10))
"""Learning rates and epochs; validation data choose."""
MORE_TRAININGS = ((0.1, 50), (0.5, 50))
"""What is tried too where there are few texts."""
_FEW = 15_000


def points(task: Task) -> Iterator[Point]:
    """Make the points of all settings."""
    for tokens_read in task.lengths:
        wanted = [s for s in SETTINGS if not task.is_done(METHOD, str(s), tokens_read)]
        if not wanted:
            continue
        lines = {
            part: [_line(task, ids) for ids in task.ids(part, tokens_read)]
            for part in ("train", "validation", "test")
        }
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            labelled = zip(task.classes["train"].tolist(), lines["train"], strict=True)
            file.write_text("".join(f"{_LABEL}{label} {line}\n" for label, line in labelled))
            for setting in wanted:
                yield _point(task, setting, file, lines, tokens_read)


def _line(task: Task, ids: np.ndarray) -> str:
    words = task.vocabulary.words
    return " ".join(str(words[row]) for row in ids.tolist() if row)


def _point(
    task: Task,
    setting: Setting,
    file: Path,
    lines: dict[str, list[str]],
    tokens_read: int | str,
) -> Point:
    began = time.perf_counter()
    is_small = len(task.splits.train) < _FEW
    trainings = TRAININGS + (MORE_TRAININGS if is_small else ())
    tried = (_trained(setting, file, *training, task.seed) for training in trainings)
    scored = ((_accuracy(model, task, lines, "validation"), model) for model in tried)
    validation, model = max(scored, key=lambda pair: pair[0])
    seconds = time.perf_counter() - began
    path = file.with_name("model.ftz")
    model.save_model(str(path))
    size = path.stat().st_size
    words, vectors = _sizes(path, buckets=_BUCKETS if setting.ngrams > 1 else 0)
    return Point(
        source=task.name,
        method=METHOD,
        setting=str(setting),
        seed=task.seed,
        words=words,
        bytes=size,
        weights=vectors * setting.dim,
        validation_accuracy=validation,
        test_accuracy=_accuracy(model, task, lines, "test"),
        seconds=round(seconds, 1),
        tokens_read=tokens_read,
    )


def _sizes(file: Path, buckets: int) -> tuple[int, int]:
    """Read how many words a file keeps, the end of a line left out, and how many vectors."""
    _, words, labels, _, groups = _SIZES.unpack_from(file.read_bytes(), _SIZES_AT)
    return words - 1, words + labels + (groups if groups >= 0 else buckets)


def _trained(setting: Setting, file: Path, rate: float, epochs: int, seed: int) -> Any:
    model = fasttext.train_supervised(
        str(file),
        dim=setting.dim,
        wordNgrams=setting.ngrams,
        bucket=_BUCKETS if setting.ngrams > 1 else 0,
        lr=rate,
        epoch=epochs,
        minCount=1,
        seed=seed,
        thread=_THREADS,
        verbose=0,
    )
    model.quantize(
        input=str(file),
        cutoff=setting.cutoff,
        retrain=setting.cutoff > 0 and setting.retrain,
        qnorm=setting.qnorm,
        lr=rate,
        epoch=epochs,
        thread=_THREADS,
        verbose=0,
        dsub=2,
    )
    return model


def _accuracy(model: Any, task: Task, lines: dict[str, Sequence[str]], part: str) -> float:
    predicted, _ = model.predict(list(lines[part]))
    found = np.array([int(labels[0].removeprefix(_LABEL)) for labels in predicted])
    return float((found == task.classes[part]).mean())
