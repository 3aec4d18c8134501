"""The command that repeats a run, made of its settings."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from bayespress import data
from bayespress.cli.train import layered
from bayespress.config import FIELDS, Config, DataConfig
from bayespress.schedules import Value

_FIRST = ("task", "level", "schedule", "code", "epochs")
"""What others' usual values depend on."""


def repeat_command(config: Config) -> str:
    """Write ``bayespress train`` with the flags that differ from what is usual for the source.

    Examples
    --------
    >>> repeat_command(layered(None, {"source": "demo", "seed": 3}))
    'bayespress train demo LLLLLL --seed 3'
    """
    said = _said(config)
    sources = (
        config.data.source.split(os.pathsep) if config.data.task == "lm" else [config.data.source]
    )
    words = ["bayespress", "train", *sources, config.model.code]
    for key in FIELDS:
        if key in said and key not in {"source", "code"}:
            words += _flag(key, said[key])
    return shlex.join(words)


def _said(config: Config) -> Mapping[str, Value]:
    """Collect the settings that have to be said for all of them to come out the same."""
    wanted = config.flat()
    said = {key: wanted[key] for key in ("source", "code", "task")}
    for key in (*_FIRST, *FIELDS):
        if key not in said and layered(None, said).flat()[key] != wanted[key]:
            said[key] = wanted[key]
    usual = data.source_defaults(config.data.source).get("task", DataConfig.task)
    return {key: value for key, value in said.items() if key != "task" or value != usual}


def _flag(key: str, value: Value) -> list[str]:
    name = key.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    short = f"{value:g}" if isinstance(value, float) else str(value)
    is_exact = not isinstance(value, float) or float(short) == value
    return [f"--{name}", short if is_exact else repr(value)]
