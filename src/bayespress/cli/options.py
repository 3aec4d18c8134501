"""Flags made of the settings: one definition, one word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from bayespress.config import FIELDS, Value, part_of
from bayespress.errors import RunError

_TYPES = {"int": int, "float": float, "str": str}


class SettingsCommand(click.Command):
    """A command whose help lists settings by the tables of the TOML file."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for the command's own options and one for each table."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
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
    default = "" if field.default is None else f"  [{_shown(field.default)}]"
    return click.option(
        f"--{flag}/--no-{flag}" if kind == "bool" else f"--{flag}",
        key,
        cls=_SettingOption,
        type=None if kind == "bool" else click.Choice(choices) if choices else _TYPES[kind],
        default=None,
        help=field.metadata["help"] + default,
    )


def _shown(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


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


def model_file(path: Path) -> Path:
    """Find the model file: the path itself, or the file in a finished run's folder.

    Raises
    ------
    RunError
        If the folder holds no model file.
    """
    if not path.is_dir():
        return path
    file = path / "model.bpr"
    if file.exists():
        return file
    if (path / "config.toml").exists():
        raise RunError(
            f"the run in {path} is not finished: continue it with "
            f"'bayespress train --resume --output {path}', or make a file of its best epoch so far "
            f"with 'bayespress compress {path} --output model.bpr'"
        )
    raise RunError(f"{path} is a folder without a model: give a model file or a run's folder")
