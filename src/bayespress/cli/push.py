"""``bayespress push``: a finished model and its card, to the Hugging Face hub or into a folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
from rich.console import Console

from bayespress.cli.options import MODEL, local
from bayespress.cli.repeat import repeat_command
from bayespress.config import Config
from bayespress.errors import BayespressError, ConfigError
from bayespress.hub import Facts, Release, release_of
from bayespress.storage import StorageError

_REPO = re.compile(r"[\w.-]+/[\w.-]+")


@click.command("push", short_help="Publish a model on the Hugging Face hub.")
@click.argument("model", type=MODEL)
@click.argument("repo", metavar="[OWNER/NAME]", required=False)
@click.option("--file", type=click.Path(path_type=Path),
              help="publish this file, which compress made of the run, and not the run's own",
              )  # fmt: skip
@click.option("--license", "licence", metavar="ID", help="apache-2.0, mit, cc-by-4.0, other …")
@click.option("--language", "languages", metavar="CODE", multiple=True,
              help="of the texts: en, de …; may be repeated")  # fmt: skip
@click.option("--private", is_flag=True, default=None, help="if the repository is made: hide it")
@click.option("--branch", help="to push to  [main]")
@click.option("--create-pr", is_flag=True, help="ask for the change in a pull request")
@click.option("--message", metavar="TEXT", help="of the commit")
@click.option("--output", type=click.Path(path_type=Path),
              help="folder to write to; nothing is sent, and no network is used")  # fmt: skip
@click.option("--force", is_flag=True, help="replace what is in the folder")
def command(
    model: Path | str,
    repo: str | None,
    file: Path | None,
    licence: str | None,
    languages: tuple[str, ...],
    branch: str | None,
    message: str | None,
    output: Path | None,
    *,
    private: bool | None,
    create_pr: bool,
    force: bool,
) -> None:
    """Publish a finished model with a card: its data, settings, figures and kept words.

    MODEL is the folder of a finished run, a model file, or a folder that --output wrote: it is
    sent as it is, so that its card may be edited. Of paths, only names of files are told. Who
    pushes has to be logged in: 'hf auth login', or HF_TOKEN.

    \b
    Example:
      bayespress push runs/reviews --output look-at-it
      bayespress push runs/reviews me/reviews --license mit --language en
      bayespress push runs/reviews me/reviews --file reviews.bpr --private
      bayespress push look-at-it me/reviews
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if repo is None and output is None:
        raise ConfigError("name the repository, owner/name, or a folder to write to: --output")
    if repo is not None and not _REPO.fullmatch(repo):
        raise ConfigError(f"a repository is called owner/name, got {repo!r}")
    if output is not None:
        _check_folder(output, force=force)
    release = _release(model, file).telling(licence, languages)
    if output is not None:
        _write(release, output, repo)
    elif repo is not None:
        how = {"private": private, "branch": branch, "create_pr": create_pr or None}
        if message is not None:
            how["commit_message"] = message
        _push(release, repo, {key: value for key, value in how.items() if value is not None})


def _release(model: Path | str, file: Path | None) -> Release:
    """Make a release, with the command that repeats the run."""
    release = release_of(local(model), file)
    repeats = release.facts.command or _command(release.facts)
    return release.knowing(command=repeats)


def _command(facts: Facts) -> str | None:
    if "data" not in facts.settings:
        return None
    try:
        return repeat_command(Config.from_flat(*facts.settings.values()))
    except BayespressError:  # settings of another version, or of a stranger
        return None


def _check_folder(output: Path, *, force: bool) -> None:
    if output.exists() and not output.is_dir():
        raise StorageError(f"{output} is a file: give --output the name of a folder")
    if output.exists() and any(output.iterdir()) and not force:
        raise StorageError(f"{output} is not empty: choose another --output, or add --force")


def _write(release: Release, output: Path, repo: str | None) -> None:
    for path in release.write(output, repo):
        click.echo(f"{path.stat().st_size:>12,} bytes  {path}")
    target = repo or "OWNER/NAME"
    click.echo(f"next: read the card, then bayespress push {shlex.quote(str(output))} {target}")


def _push(release: Release, repo: str, how: dict[str, object]) -> None:
    from bayespress.hub.model import HubModel  # noqa: PLC0415 - an extra

    with Console(stderr=True).status(f"publishing {repo}"):
        address = HubModel(release).push_to_hub(repo, **how)
    for name, content in release.files(repo).items():
        click.echo(f"{len(content):>12,} bytes  {name}")
    click.echo(f"published: {address}")
    click.echo(f"next: bayespress inspect hf://{repo}")
