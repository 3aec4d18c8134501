"""``bayespress recipes``: the papers' settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bayespress import data, recipes
from bayespress.cli.options import given, settings
from bayespress.config import Config


@click.group(
    "recipes",
    short_help="List, show or run the papers' settings.",
    invoke_without_command=True,
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, show or run settings that belong together, one TOML file per row of the papers' tables.

    \b
    Example:
      bayespress recipes ls
      bayespress recipes run imdb-w+g+n --output runs/imdb
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("ls", short_help="List all recipes.")
def ls() -> None:
    """List all recipes.

    \b
    Example:
      bayespress recipes ls
    """  # noqa: D301
    for name in recipes.names():
        click.echo(f"{name:<16} {recipes.read(name).title}")


@command.command("show", short_help="Print a recipe's TOML.")
@click.argument("name")
def show(name: str) -> None:
    """Print a recipe's TOML.

    \b
    Example:
      bayespress recipes show imdb-w+g+n > my.toml
    """  # noqa: D301
    click.echo(recipes.read(name).text, nl=False)


@command.command("run", short_help="Train by a recipe.")
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), help="folder of the run  [runs/NAME]")
@settings("seed")
def run_recipe(name: str, output: Path | None, **values: Any) -> None:
    """Train by a recipe; 'bayespress train --recipe NAME' does the same and takes more flags.

    \b
    Example:
      bayespress recipes run imdb-fast
    """  # noqa: D301
    from bayespress.cli.train import run_and_say_next  # noqa: PLC0415 - ls and show need no training

    chosen = recipes.read(name).settings
    defaults = data.source_defaults(str(chosen.get("source", "")))
    run_and_say_next(
        Config.from_flat(defaults, chosen, given(values)), output or Path("runs") / name
    )
