"""Errors that a user can act on: the rule, the value and the remedy, in one line."""

from __future__ import annotations

EXTRAS_OF_MODULE = {
    "torch": "train",
    "safetensors": "train",
    "tomli_w": "train",
    "platformdirs": "train",
    "pooch": "train",
    "requests": "train",
    "pyarrow": "train",
    "datasets": "hf",
    "huggingface_hub": "hub",
    "sklearn": "sklearn",
    "onnx": "onnx",
    "tensorboard": "tensorboard",
    "optuna": "sweep",
}


class BayespressError(Exception):
    """Base of all errors that bayespress raises on purpose; its text is one line for the user."""


class ConfigError(BayespressError):
    """A setting is unknown, has a wrong type or lies outside its range."""


class DataError(BayespressError):
    """Texts or labels cannot be read, or cannot be trained on."""


class DownloadError(DataError):
    """A download stopped early, is not what its checksum promises, or has no network."""


class ArtifactError(BayespressError):
    """A model file is damaged, is not a model file, or was written by a newer version."""


class HubError(BayespressError):
    """The Hugging Face hub cannot be reached, refuses, or does not have what was asked for."""


class RunError(BayespressError):
    """A run folder is missing, is in the way, or holds something else than was asked for."""


class ConversionError(BayespressError):
    """A module is not made as conversion or shrinking asks for."""


class TrainingError(BayespressError):
    """Training cannot go on, for instance because the loss is not finite."""


class MissingExtraError(BayespressError):
    """A command needs a package that the base install leaves out."""

    def __init__(self, module: str, purpose: str) -> None:
        extra = EXTRAS_OF_MODULE[module.partition(".")[0]]
        super().__init__(
            f"{purpose} needs the package {module!r}: pip install 'bayespress[{extra}]'"
        )
