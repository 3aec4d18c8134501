"""From a model file to a model that is ready to use."""

from __future__ import annotations

import os

from bayespress import compact
from bayespress.compact import CompactLanguageModel
from bayespress.errors import ArtifactError
from bayespress.runtime.language import LanguageModel
from bayespress.runtime.predictor import TextPredictor


def load(path: str | os.PathLike[str]) -> TextPredictor | LanguageModel:
    """Read a model file and make it ready to use; the file may come from a stranger.

    Returns
    -------
    TextPredictor or LanguageModel
        Whichever the file holds.

    Raises
    ------
    ArtifactError
        If the file is missing, is not a model, is damaged or was written by a newer version.
    """
    model = compact.load(path)
    return LanguageModel(model) if isinstance(model, CompactLanguageModel) else TextPredictor(model)


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
