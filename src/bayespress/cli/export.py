"""``bayespress export``: a finished model as a program in another language."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bayespress import compact
from bayespress.cli.options import model_file
from bayespress.compact import CompactModel
from bayespress.errors import ConfigError
from bayespress.export import write_c


@dataclass(frozen=True)
class Exported:
    """What was written, and what to do with it.

    Attributes
    ----------
    files
        The files.
    advice
        What to type or to open next.
    """

    files: Sequence[Path]
    advice: str


def _to_c(model: CompactModel, output: Path, name: str, replace: bool) -> Exported:
    files = write_c(model, output, name, replace=replace)
    return Exported(files, f"make -C {shlex.quote(str(output))}")


TARGETS: dict[str, Callable[[CompactModel, Path, str, bool], Exported]] = {"c": _to_c}
"""What writes a model, by the word after ``--to``: takes model, output, NAME and --force."""


@click.command("export", short_help="Write a model as a program in another language.")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, metavar=f"[{'|'.join(TARGETS)}]", help="language")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="folder to write")
@click.option("--name", default="model", help="begins names of files and functions  [model]")
@click.option("--force", is_flag=True, help="write into a folder that is not empty")
def command(model: Path, target: str, output: Path, name: str, *, force: bool) -> None:
    """Write a model as a program in another language, which answers raw texts all by itself.

    MODEL is a model file or the folder of a finished run.

    \b
    c   NAME.h and NAME.c in C99 without allocation, main.c as an example

    \b
    Example:
      bayespress export model.bpr --to c --output sentiment-c --name sentiment
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    write = _target(target)
    exported = write(compact.load(model_file(model)), output, name, force)
    for file in exported.files:
        click.echo(f"{file.stat().st_size:>12,} bytes  {file}")
    click.echo(f"next: {exported.advice}")


def _target(name: str) -> Callable[[CompactModel, Path, str, bool], Exported]:
    if name not in TARGETS:
        close = difflib.get_close_matches(name, TARGETS, n=1)
        meant = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"--to must be one of {', '.join(TARGETS)}, got {name!r}{meant}")
    return TARGETS[name]
