"""``bayespress report``: what runs did, as one page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from bayespress import report
from bayespress.cli.options import MODEL, check_is_file, local
from bayespress.cli.repeat import repeat_command
from bayespress.errors import BayespressError, ConfigError, MissingExtraError
from bayespress.report import ReportedRun
from bayespress.storage import StorageError, write_bytes

_TITLE = "What the training left"


@click.command("report", short_help="Write a page about one or several runs.")
@click.argument("runs", type=MODEL, nargs=-1, required=True, metavar="RUN…")
@click.option("--output", type=click.Path(path_type=Path), help="page to write, name.html")
@click.option("--title", default=_TITLE, help=f"head of the page  [{_TITLE}]")
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="text to explain, or for a language model to go on with; may be repeated  [test data]",
)
@click.option(
    "--figures", type=click.Path(path_type=Path), help="folder for each figure as an SVG file"
)
@click.option(
    "--tensorboard",
    type=click.Path(path_type=Path),
    help="folder for the histories as TensorBoard's event files, a folder for each run",
)
@click.option("--force", is_flag=True, help="replace what is there")
def command(
    runs: tuple[Path | str, ...],
    output: Path | None,
    title: str,
    texts: tuple[str, ...],
    figures: Path | None,
    tensorboard: Path | None,
    *,
    force: bool,
) -> None:
    """Write one page that needs no network about one or several runs, side by side.

    RUN is the folder of a run, which may still be going on, or a model file alone, or that
    of hf://owner/name on the Hugging Face hub. What weights are kept in the network is read with
    torch, all else without. No data are downloaded.

    \b
    Example:
      bayespress report runs/demo --output demo.html
      bayespress report runs/a runs/b --output both.html --figures figures
      bayespress report runs/demo --output mine.html --text "A lovely evening"
      bayespress report runs/a runs/b --tensorboard events
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if output is None and figures is None and tensorboard is None:
        raise ConfigError(
            "nothing is asked for: give --output report.html, --figures or --tensorboard"
        )
    _check_free(output, figures, force=force)
    paths = [local(run) for run in runs]
    read = report.read_runs(paths)
    if output is not None or figures is not None:
        _write(read, paths, output, figures, title, texts)
    if tensorboard is not None:
        _convert(read, paths, tensorboard)


def _write(
    read: Sequence[ReportedRun],
    paths: Sequence[Path],
    output: Path | None,
    figures: Path | None,
    title: str,
    texts: Sequence[str],
) -> None:
    whole = [_completed(run, path) for run, path in zip(read, paths, strict=True)]
    if output is not None:
        write_bytes(output, report.page_of(whole, title, texts).encode())
        _say_written(output)
    if figures is not None:
        for figure in report.figures_of(whole):
            path = figures / f"{figure.name}.svg"
            write_bytes(path, figure.to_file().encode())
            _say_written(path)
    if output is not None:
        click.echo(f"next: open {shlex.quote(str(output))} in a browser")


def _convert(read: Sequence[ReportedRun], paths: Sequence[Path], folder: Path) -> None:
    from bayespress.report.tensorboard import convert  # noqa: PLC0415 - an extra

    for run, path in zip(read, paths, strict=True):
        target = folder / run.name.strip("/").replace("/", "-")
        convert(run.history, path / "history.jsonl", target)
        click.echo(f"{len(run.history):>12,} epochs  {target}")
    click.echo(f"next: tensorboard --logdir {shlex.quote(str(folder))}")


def _say_written(path: Path) -> None:
    click.echo(f"{path.stat().st_size:>12,} bytes  {path}")


def _check_free(output: Path | None, figures: Path | None, *, force: bool) -> None:
    if output is not None:
        check_is_file(output)
    if figures is not None and figures.exists() and not figures.is_dir():
        raise StorageError(f"{figures} is a file: give --figures the name of a folder")
    drawn = None if figures is None else next(figures.glob("*.svg"), None)
    for path in (output, drawn):
        if path is not None and path.exists() and not force:
            raise StorageError(f"{path} exists already: choose another place, or add --force")


def _completed(run: ReportedRun, path: Path) -> ReportedRun:
    """Add what the command line and torch know of a run."""
    if run.config is not None:
        run = replace(run, command=_command(run))
    return _with_network(run, path) if run.config is not None else run


def _command(run: ReportedRun) -> str | None:
    try:
        return None if run.config is None else repeat_command(run.config)
    except BayespressError:  # settings of a source that changed since
        return None


def _with_network(run: ReportedRun, path: Path) -> ReportedRun:
    """Read a run's network, if it is there and torch is."""
    if not (path / "best.safetensors").is_file():
        return _noting(run, "The network (best.safetensors) is not there: its masks are not shown.")
    try:
        from bayespress.training import RunFolder, load_best  # noqa: PLC0415
        from bayespress.training.masks import kept_weights  # noqa: PLC0415
    except ModuleNotFoundError as error:
        missing = MissingExtraError(
            (error.name or "torch").partition(".")[0], "reading the network"
        )
        return _noting(run, f"The masks of the network are not shown: {missing}.")
    trained = load_best(RunFolder(path))
    run = replace(run, kept=kept_weights(trained))
    if run.model is not None:
        return run
    run = replace(run, model=trained.to_compact())
    return _noting(run, "There is no model file yet: shown is what its best epoch would ship.")


def _noting(run: ReportedRun, note: str) -> ReportedRun:
    return replace(run, notes=(*run.notes, note))
