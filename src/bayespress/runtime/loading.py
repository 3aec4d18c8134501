"""From a model file to a model that is ready to use."""

from __future__ import annotations

import os

from bayespress import compact
from bayespress.compact import CompactLanguageModel, CompactModel
from bayespress.errors import ArtifactError
from bayespress.runtime.language import LanguageModel
from bayespress.runtime.predictor import TextPredictor
from bayespress.runtime.remote import fetch, is_remote


def load(path: str | os.PathLike[str]) -> TextPredictor | LanguageModel:
    """Read a model file and make it ready to use; the file may come from a stranger.

    Parameters
    ----------
    path
        A file, or ``hf://owner/name`` for one of the Hugging Face hub, see
        :class:`~bayespress.runtime.remote.Reference`.

    Returns
    -------
    TextPredictor or LanguageModel
        Whichever the file holds.

    Raises
    ------
    ArtifactError
        If the file is missing, is not a model, is damaged or was written by a newer version.
    HubError, MissingExtraError
        If it is on the hub and cannot be had.
    """
    return ready(_read(path))


def ready(model: CompactModel) -> TextPredictor | LanguageModel:
    """Make a model ready to use."""
    return LanguageModel(model) if isinstance(model, CompactLanguageModel) else TextPredictor(model)


def _read(path: str | os.PathLike[str]) -> CompactModel:
    if not is_remote(path):
        return compact.load(path)
    return compact.load(fetch(os.fspath(path)))


def load_classifier(path: str | os.PathLike[str]) -> TextPredictor:
    """Read a classifier, as :func:`load` does.

    Raises
    ------
    ArtifactError
        As in :func:`load`, or if the file holds a language model.
    """
    model = load(path)
    if isinstance(model, LanguageModel):
        raise ArtifactError(
            f"{os.fspath(path)} is a language model and names no classes: "
            "let it write with 'bayespress generate'"
        )
    return model


def load_language_model(path: str | os.PathLike[str]) -> LanguageModel:
    """Read a language model, as :func:`load` does.

    Raises
    ------
    ArtifactError
        As in :func:`load`, or if the file holds a classifier.
    """
    model = load(path)
    if isinstance(model, TextPredictor):
        raise ArtifactError(
            f"{os.fspath(path)} is a classifier and writes no text: "
            "give it texts with 'bayespress predict'"
        )
    return model
