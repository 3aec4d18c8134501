"""``bayespress compress``: mask, shrink, compact, export, in one go."""

from __future__ import annotations

from pathlib import Path

import click

from bayespress import compact, runtime
from bayespress.cli.result import times
from bayespress.runtime import Inspection, LanguageInspection
from bayespress.storage import StorageError


@click.command("compress", short_help="Take away what a run pruned and write one small file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="file to write, name.bpr"
)
@click.option("--force", is_flag=True, help="replace the file if it exists")
def command(run: Path, output: Path, *, force: bool) -> None:
    """Take away what a run pruned by its best epoch and write one small file.

    RUN is the folder of a run, which may still be going on.

    \b
    Example:
      bayespress compress runs/demo --output sentiment.bpr
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    from bayespress.training import RunFolder, load_best  # noqa: PLC0415 - --help needs no torch

    _check_free(output, force=force)
    trained = load_best(RunFolder(run))
    model = trained.to_compact()
    size = compact.save(model, output)
    click.echo(f"epoch {trained.epoch} of {run}:")
    _print_counts(runtime.inspect(model, size))
    click.echo(f"written to {output}")


def _check_free(output: Path, *, force: bool) -> None:
    if output.is_dir():
        raise StorageError(f"{output} is a folder: give --output the name of a file")
    if output.exists() and not force:
        raise StorageError(f"{output} exists already: choose another --output, or add --force")


def _print_counts(inspection: Inspection | LanguageInspection) -> None:
    info = inspection.info
    click.echo(f"  {'':<10} {'before':>12} {'after':>12}")
    for name in ("words", "dims", "neurons", "gates"):
        if name not in info:  # a language model has no embedding
            continue
        kept, total = info[name]
        click.echo(f"  {name:<10} {total:>12,} {kept:>12,}")
    click.echo(f"  {'bytes':<10} {info['dense_bytes']:>12,} {inspection.file_bytes:>12,}")
    for name in ("compression_ratio", "dense_ratio"):
        click.echo(f"  {name:<23} {times(info[name]):>12}")
    click.echo(f"  {'size_ratio':<23} {times(inspection.size_ratio or 0):>12}")
