"""What there is of a run: its folder's files, read without torch, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayespress import compact
from bayespress.compact import CompactClassifier, CompactLanguageModel, CompactModel
from bayespress.config import Config
from bayespress.errors import RunError
from bayespress.history import EpochRecord, read_history, read_result
from bayespress.runtime import Inspection, LanguageInspection, inspect

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class KeptWeights:
    """Which weights of a network are kept, matrix by matrix, each at its full size.

    Attributes
    ----------
    masks
        By the papers' rule, see :func:`bayespress.compression.aggregate`: ``embedding``, for each
        cell ``weight_ih`` and ``weight_hh`` with its :func:`~bayespress.compact.layout.suffix`, and
        ``output``. Shapes are, with one LSTM, ``(V, E)``, ``(4 H, E)``, ``(4 H, H)``,
        ``(K, H)``. A language model has no ``embedding``, and E is V.
    epoch
        The epoch of the network.
    sliced
        Whether rows, dimensions or neurons were sliced away while training went on. Where they had
        stood is not known: what stayed stands before them.
    """

    masks: Mapping[str, Mask]
    epoch: int
    sliced: bool


@dataclass(frozen=True)
class ReportedRun:
    """All that a report says about a run.

    Attributes
    ----------
    name
        What the run is called.
    history
        Its epochs, none if it has not finished one.
    config
        Its settings, if there are any.
    result
        Figures of the finished run.
    model
        The shipped model; of a run that is not finished, the one that its best epoch makes.
    file_bytes
        Size of the shipped file.
    kept
        Which weights of the network are kept, if the network was read.
    command
        What repeats the run.
    notes
        What is missing, and why.
    """

    name: str
    history: Sequence[EpochRecord] = ()
    config: Config | None = None
    result: Mapping[str, Any] | None = None
    model: CompactModel | None = None
    file_bytes: int | None = None
    kept: KeptWeights | None = None
    command: str | None = None
    notes: Sequence[str] = field(default=())

    @property
    def kind(self) -> str:
        """``classify``, ``labels`` where texts have several, or a language model's level."""
        if isinstance(self.model, CompactLanguageModel):
            return self.model.encoder.level
        if any(record.validation_micro_f1 is not None for record in self.history):
            return "labels"
        if isinstance(self.model, CompactClassifier) and self.model.multi_label:
            return "labels"
        if self.config is not None:
            return self.config.text.level if self.config.data.task == "lm" else "classify"
        is_language = any(record.validation_nll is not None for record in self.history)
        return "word" if is_language else "classify"

    @cached_property
    def inspection(self) -> Inspection | LanguageInspection | None:
        """What the model consists of."""
        return None if self.model is None else inspect(self.model, self.file_bytes or 1)

    @property
    def best_epoch(self) -> int | None:
        """The epoch that is shipped, or would be by now."""
        if self.result is not None and isinstance(self.result.get("best_epoch"), int):
            return int(self.result["best_epoch"])
        if self.kept is not None:
            return self.kept.epoch
        best = max(self.history, key=lambda record: record.score, default=None)
        return None if best is None else best.epoch

    @property
    def best(self) -> EpochRecord | None:
        """The record of that epoch."""
        found = (record for record in self.history if record.epoch == self.best_epoch)
        return next(found, None)


def read_runs(paths: Sequence[Path]) -> list[ReportedRun]:
    """Read several runs; those whose folders are called the same are called by their paths.

    Raises
    ------
    RunError, ConfigError, ArtifactError
        As :func:`read_run` does.
    """
    short = [path.name or str(path) for path in paths]
    names = [name if short.count(name) == 1 else str(path)
             for name, path in zip(short, paths, strict=True)]  # fmt: skip
    return [read_run(path, name) for path, name in zip(paths, names, strict=True)]


def read_run(path: Path, name: str | None = None) -> ReportedRun:
    """Read a run's folder, or a model file alone.

    Raises
    ------
    RunError
        If there is no run, or its history or its result is damaged, or settings are no text.
    ConfigError
        If its settings are damaged.
    ArtifactError
        If its model file is damaged or of another format.
    """
    name = name or path.name
    if path.is_file():
        note = "There is a model file alone: no history, no settings, no network."
        return ReportedRun(name, **_model(path), notes=(note,))
    config, result, model = (path / file for file in ("config.toml", "result.json", "model.bpr"))
    history = read_history(path / "history.jsonl")
    if not (history or config.is_file() or model.is_file()):
        raise RunError(f"{path} holds no run: name the folder of a run, or a model file")
    return ReportedRun(
        name,
        history,
        Config.from_file(config) if config.is_file() else None,
        read_result(result) if result.is_file() else None,
        notes=tuple(_missing(path, len(history))),
        **(_model(model) if model.is_file() else {}),
    )


def _missing(path: Path, epochs: int) -> Sequence[str]:
    notes = []
    if not (path / "config.toml").is_file():
        notes.append("There are no settings (config.toml).")
    if not epochs:
        notes.append("No epoch is finished yet: there is no history.")
    elif not (path / "result.json").is_file():
        notes.append("The run is not finished: its best epoch so far stands for it.")
    return notes


def _model(path: Path) -> dict[str, Any]:
    return {"model": compact.load(path), "file_bytes": path.stat().st_size}
