"""What is published of a model: its file, its facts as JSON, and its card."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bayespress import __version__, compact
from bayespress.compact import CompactModel
from bayespress.config import Config
from bayespress.errors import ArtifactError, ConfigError, RunError
from bayespress.history import EpochRecord
from bayespress.hub.card import SOMEWHERE, model_card
from bayespress.hub.facts import (
    Facts,
    facts_of_run,
    measured,
    tables_of,
    task_of,
    validation_figures,
)
from bayespress.report import read_run
from bayespress.runtime.remote import MODEL_FILE
from bayespress.storage import parse_object, write_bytes

CONFIG_FILE, CARD_FILE = "config.json", "README.md"
_MODEL_KEYS = ("code", "precision", "words", "dims", "neurons", "gates",
               "compression_ratio", "stored_compression_ratio", "dense_ratio")  # fmt: skip


class Release:
    """A model that is to be published.

    Parameters
    ----------
    model
        The finished model.
    facts
        What is told of it.
    card
        A card to publish as it is; None writes one.
    content
        The bytes of its file, if there is one already.
    """

    def __init__(
        self,
        model: CompactModel,
        facts: Facts | None = None,
        card: str | None = None,
        content: bytes | None = None,
    ) -> None:
        self.model = model
        self.facts = facts or Facts()
        self.card = card
        self._content = content

    @cached_property
    def content(self) -> bytes:
        """The bytes of the model's file."""
        return compact.dumps(self.model) if self._content is None else self._content

    def telling(self, license: str | None = None, language: str | Sequence[str] = ()) -> Release:  # noqa: A002
        """Give the release with a licence and languages, where they are given.

        Raises
        ------
        ConfigError
            If they have not the form that the hub takes, or there is a card that does not say so.
        """
        languages = (language,) if isinstance(language, str) else tuple(language)
        if license is None and not languages:
            return self
        if self.card is not None:
            raise ConfigError(
                f"there is a card that was written before: say licence and language in {CARD_FILE}"
            )
        return self.knowing(
            license=license or self.facts.license, languages=languages or self.facts.languages
        )

    def knowing(self, **facts: Any) -> Release:
        """Give the release with other facts, by their names; a card that is there stays."""
        return Release(self.model, replace(self.facts, **facts), self.card, self.content)

    def config(self, repo: str | None = None) -> dict[str, Any]:
        """Give the facts for programs: what ``config.json`` says."""
        info, size = self.model.info, len(self.content)
        known = {key: info[key] for key in _MODEL_KEYS if key in info}
        dense = info.get("dense_bytes")
        if isinstance(dense, (int, float)):
            known["size_ratio"] = round(dense / size, 2)
        return {
            "library_name": "bayespress",
            "library_version": __version__,
            "task": task_of(self.model),
            "model_file": MODEL_FILE,
            "model_bytes": size,
            "model_sha256": hashlib.sha256(self.content).hexdigest(),
            "load": f"bayespress.load('hf://{repo or SOMEWHERE}')",
            "model": known,
            **self.facts.to_dict(),
        }

    def write_card(self, repo: str | None = None) -> str:
        """Write the card, or give the one that there is."""
        return self.card or model_card(self.model, self.facts, len(self.content), repo)

    def files(self, repo: str | None = None) -> dict[str, bytes]:
        """Give all files by their names."""
        config = json.dumps(self.config(repo), indent=2, ensure_ascii=True)
        return {
            MODEL_FILE: self.content,
            CONFIG_FILE: f"{config}\n".encode(),
            CARD_FILE: self.write_card(repo).encode("utf-8", "replace"),
        }

    def write(self, folder: Path, repo: str | None = None) -> list[Path]:
        """Write all files into a folder, each whole or not at all; return their paths.

        Raises
        ------
        StorageError
            If a file cannot be written.
        """
        paths = []
        for name, content in self.files(repo).items():
            write_bytes(folder / name, content)
            paths.append(folder / name)
        return paths


def release_of(source: object, model: str | os.PathLike[str] | None = None) -> Release:
    """Make a release of whatever a model is in.

    Parameters
    ----------
    source
        The folder of a finished run, a model file, a folder that a release was written to (its
        card is kept), a compact model, a predictor, a fitted
        :class:`~bayespress.estimator.TextClassifier`, or a release, which is given back.
    model
        Publish this file and not the run's own: one that ``bayespress compress`` made of it. It is
        measured anew, if the run's data need no download; if they do, no figures are told.

    Raises
    ------
    RunError, ArtifactError, ConfigError
        If there is no finished model, or it is damaged.
    TypeError
        If `source` is of another kind.
    """
    if isinstance(source, Release):
        return source
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return _of_folder(path, None if model is None else Path(model))
    found = getattr(source, "compact_", getattr(source, "model", source))
    if not isinstance(found, compact.CompactClassifier | compact.CompactLanguageModel):
        raise TypeError(
            "what is published must be a run's folder, a model file, a model or a fitted "
            f"TextClassifier, got {type(source).__name__}"
        )
    return Release(found, _facts_of_estimator(source))


def _of_folder(path: Path, other: Path | None) -> Release:
    if not path.exists():
        raise RunError(f"{path} does not exist: name the folder of a run, or a model file")
    file = other or (path / MODEL_FILE if path.is_dir() else path)
    if not file.exists() and other is None:
        raise RunError(
            f"{path} holds no finished model ({MODEL_FILE}): finish the run, or make a file of its "
            "best epoch with 'bayespress compress'"
        )
    if other is None and (path / CONFIG_FILE).is_file() and (path / CARD_FILE).is_file():
        return _of_written(path)
    run = read_run(path)
    facts = facts_of_run(run)
    content = _bytes_of(file)
    published = compact.loads(content, str(file))
    if other is not None and (run.config is None or content != _bytes_or_none(path / MODEL_FILE)):
        figures = () if run.config is None else tuple(measured(published, run.config))
        facts = replace(facts, figures=figures)
    return Release(published, facts, content=content)


def _of_written(path: Path) -> Release:
    """Read a release that was written to a folder, and perhaps edited there."""
    content = _bytes_of(path / MODEL_FILE)
    return Release(
        compact.loads(content, str(path / MODEL_FILE)),
        read_facts(path / CONFIG_FILE),
        (path / CARD_FILE).read_text(encoding="utf-8"),
        content,
    )


def read_facts(path: Path) -> Facts:
    """Read the facts of a ``config.json``; a stranger may have written it.

    Raises
    ------
    ArtifactError
        If it is no JSON object.
    """
    try:
        return Facts.from_dict(parse_object(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged ({error}): write or download it again") from None


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{file} cannot be read: {error.strerror or error}") from None


def _bytes_or_none(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _facts_of_estimator(source: object) -> Facts:
    """Tell what a fitted estimator knows; its data were given to it, and have no name."""
    history, config = getattr(source, "history_", ()), getattr(source, "config_", None)
    if not history or not isinstance(config, Config):
        return Facts()
    best: EpochRecord = max(history, key=lambda record: record.score)
    tables = {name: table for name, table in tables_of(config).items() if name != "data"}
    figures = tuple(validation_figures(best))
    return Facts(None, tables, figures, best.epoch, len(history))
