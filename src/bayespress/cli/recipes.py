"""``bayespress recipes``: the papers' settings."""

from __future__ import annotations

from pathlib import Path

import click

from bayespress import data, recipes
from bayespress.config import Config


@click.group("recipes", short_help="List, show or run the papers' settings.")
def command() -> None:
    """List, show or run settings that belong together, one TOML file per row of the papers' tables.

    \b
    Example:
      bayespress recipes ls
      bayespress recipes run imdb-w+g+n --output runs/imdb
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped


@command.command("ls")
def ls() -> None:
    """List all recipes.

    \b
    Example:
      bayespress recipes ls
    """  # noqa: D301
    for name in recipes.names():
        click.echo(f"{name:<16} {recipes.read(name).title}")


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print a recipe's TOML.

    \b
    Example:
      bayespress recipes show imdb-w+g+n > my.toml
    """  # noqa: D301
    click.echo(recipes.read(name).text, nl=False)


@command.command("run")
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), help="folder of the run  [runs/NAME]")
@click.option("--seed", type=int, help="another seed")
def run_recipe(name: str, output: Path | None, seed: int | None) -> None:
    """Train by a recipe; 'bayespress train --recipe NAME' does the same and takes more flags.

    \b
    Example:
      bayespress recipes run imdb-fast
    """  # noqa: D301
    from bayespress.cli.train import run  # noqa: PLC0415 - ls and show need no training

    settings = recipes.read(name).settings
    defaults = data.source_defaults(str(settings.get("source", "")))
    config = Config.from_flat(defaults, settings, {} if seed is None else {"seed": seed})
    run(config, output or Path("runs") / name, {})
