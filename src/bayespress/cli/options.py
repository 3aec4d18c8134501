"""Flags made of the settings: one definition, one word."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bayespress.config import FIELDS, TrainingConfig, part_of
from bayespress.errors import HubError, RunError
from bayespress.runtime.remote import PREFIX, fetch, is_remote
from bayespress.schedules import SCHEDULES, Value
from bayespress.storage import StorageError


# What is no number passes, so that `Config` names all wrong settings together.
def integer(value: str) -> int | str:
    """Read an integer, or leave it to `Config` to complain."""
    try:
        return int(value)
    except ValueError:
        return value


def number(value: str) -> float | str:
    """Read a number, or leave it to `Config` to complain."""
    try:
        return float(value)
    except ValueError:
        return value


_TYPES = {"int": integer, "float": number, "str": str, "bool": None}


class SettingsCommand(click.Command):
    """A command whose help lists settings by the tables of the TOML file."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for the command's own options and one for each table."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            is_option = isinstance(parameter, click.Option)
            record = parameter.get_help_record(ctx) if is_option else None
            if record is not None:
                is_setting = isinstance(parameter, _SettingOption)
                title = part_of(parameter.name or "") if is_setting else "options"
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title.capitalize()):
                formatter.write_dl(records)


class _SettingOption(click.Option):
    """An option that stands for a setting."""


def _option(key: str) -> Callable[[Any], Any]:
    field = FIELDS[key]
    flag, kind = key.replace("_", "-"), str(field.type).removesuffix(" | None")
    choices = field.metadata["choices"]
    return click.option(
        f"--{flag}/--no-{flag}" if kind == "bool" else f"--{flag}",
        key,
        cls=_SettingOption,
        type=_TYPES[kind],
        metavar=f"[{'|'.join(choices)}]" if choices else None,
        default=None,
        help=field.metadata["help"] + _default(key),
    )


def _default(key: str) -> str:
    """Write a setting's default, and that of the other schedule where it has one of its own."""
    general = FIELDS[key].default
    usual = SCHEDULES[TrainingConfig.schedule].get(key, general)
    if usual is None:
        return ""
    other = [
        f"; {name} {_shown(changes.get(key, general))}"
        for name, changes in SCHEDULES.items()
        if changes.get(key, general) != usual
    ]
    return f"  [{_shown(usual)}{''.join(other)}]"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings(*keys: str) -> Callable[[Any], Any]:
    """Add the flags of these settings to a command; those not given arrive as None."""

    def decorate(function: Any) -> Any:
        for key in reversed(keys):
            function = _option(key)(function)
        return function

    return decorate


def keys_of(*parts: str, without: Iterable[str] = ()) -> tuple[str, ...]:
    """All keys of these tables."""
    return tuple(key for key in FIELDS if part_of(key) in parts and key not in without)


def given(values: dict[str, Any]) -> dict[str, Value]:
    """Only the settings that the user gave."""
    return {key: value for key, value in values.items() if key in FIELDS and value is not None}


def check_free(output: Path, *, force: bool) -> None:
    """Make sure that a file can be written where ``--output`` says.

    Raises
    ------
    StorageError
        If a folder is there, or a file that may not be replaced.
    """
    check_is_file(output)
    if output.exists() and not force:
        raise StorageError(f"{output} exists already: choose another --output, or add --force")


def check_is_file(output: Path) -> None:
    """Make sure that ``--output`` names no folder.

    Raises
    ------
    StorageError
        If it does.
    """
    if output.is_dir():
        raise StorageError(f"{output} is a folder: give --output the name of a file")


class ModelPath(click.ParamType):  # type: ignore[type-arg] # older ones take none
    """A path, or what is on the hub: ``hf://owner/name``, of which a path would lose a slash."""

    name = "path"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> Path | str:
        """Leave what is on the hub as it is: nothing is fetched before the command runs."""
        return value if is_remote(value) else Path(value)


MODEL = ModelPath()


def local(model: Path | str) -> Path:
    """Fetch a model of the hub; any other is where it is.

    Raises
    ------
    HubError, MissingExtraError
        If it cannot be had.
    """
    if isinstance(model, Path):
        if str(model).startswith("hf:") and not model.exists():
            raise HubError(f"a model of the hub is written {PREFIX}owner/name, got {str(model)!r}")
        return model
    with Console(stderr=True).status(f"fetching {model}"):  # to people alone: a terminal shows it
        return fetch(model)


def model_file(model: Path | str) -> Path:
    """Find the model file: the path itself, the file in a finished run's folder, or on the hub.

    Raises
    ------
    RunError
        If the folder holds no model file.
    HubError, MissingExtraError
        If it is on the hub and cannot be had.
    """
    path = local(model)
    if not path.is_dir():
        return path
    file = path / "model.bpr"
    if file.exists():
        return file
    if (path / "config.toml").exists():
        run = shlex.quote(str(path))
        raise RunError(
            f"the run in {path} is not finished: continue it with "
            f"'bayespress train --resume --output {run}', or make a file of its best epoch so far "
            f"with 'bayespress compress {run} --output model.bpr'"
        )
    raise RunError(f"{path} is a folder without a model: give a model file or a run's folder")
