"""``bayespress compress``: mask, shrink, compact, export, in one go."""

from __future__ import annotations

from pathlib import Path

import click

from bayespress import compact, runtime
from bayespress.training import RunFolder, load_best


@click.command("compress", short_help="Take away what a run pruned and write one small file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="file to write, name.bpr"
)
@click.option("--force", is_flag=True, help="replace the file if it exists")
def command(run: Path, output: Path, *, force: bool) -> None:
    """Take away what a run pruned by its best epoch and write one small file.

    Works while the run is going on, too.

    \b
    Example:
      bayespress compress runs/demo-LLLLLL --output sentiment.bpr
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if output.exists() and not force:
        raise click.UsageError(f"{output} exists already: choose another --output, or add --force")
    trained = load_best(RunFolder(run))
    model = trained.to_compact()
    size = compact.save(model, output)
    inspection = runtime.inspect(model, size)
    info = inspection.info
    click.echo(f"epoch {trained.epoch} of {run}:")
    click.echo(f"  {'':<10} {'before':>12} {'after':>12}")
    for name in ("words", "dims", "neurons", "gates"):
        kept, total = info[name]
        click.echo(f"  {name:<10} {total:>12,} {kept:>12,}")
    click.echo(f"  {'bytes':<10} {info['dense_bytes']:>12,} {size:>12,}")
    click.echo(
        f"{output}: compression_ratio {info['compression_ratio']:,.1f}x, "
        f"dense_ratio {info['dense_ratio']:,.1f}x, size_ratio {inspection.size_ratio or 0:,.1f}x"
    )
