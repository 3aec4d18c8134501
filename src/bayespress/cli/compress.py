"""``bayespress compress``: mask, shrink, compact, round, export, in one go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from bayespress import compact, runtime
from bayespress.cli.options import check_free
from bayespress.cli.result import say, times
from bayespress.compact.precision import PRECISIONS, check_precision
from bayespress.errors import BayespressError, ConfigError
from bayespress.runtime import Inspection, LanguageInspection

if TYPE_CHECKING:
    from bayespress.compact import CompactModel
    from bayespress.config import DataConfig
    from bayespress.training import Judge, Packed, Prepared

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(|b|kb?|mb?|kib|mib)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6, "kib": 2**10, "mib": 2**20}


@click.command("compress", short_help="Take away what a run pruned and write one small file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="file to write, name.bpr"
)
@click.option(
    "--precision",
    metavar=f"[{'|'.join(PRECISIONS)}]",
    help="of weights; auto: as many bits as the posterior's sigma says  [auto]",
)
@click.option(
    "--target-size",
    metavar="SIZE",
    help="at most so many bytes (8KB, 2KiB, 1500): finds precision and pruning by validation data",
)
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    help="tokens that are read of a text, often better if more than in training  [as in training]",
)
@click.option("--force", is_flag=True, help="replace the file if it exists")
def command(
    run: Path,
    output: Path,
    precision: str | None,
    target_size: str | None,
    max_length: int | None,
    *,
    force: bool,
) -> None:
    """Take away what a run pruned by its best epoch and write one small file.

    RUN is the folder of a run, which may still be going on. What the file costs is measured on the
    run's validation data, if they are at hand.

    \b
    Example:
      bayespress compress runs/demo --output sentiment.bpr
      bayespress compress runs/demo --output exact.bpr --precision float32
      bayespress compress runs/demo --output tiny.bpr --target-size 2KB
      bayespress compress runs/imdb --output whole.bpr --max-length 1000
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    from bayespress.training import Rounding, RunFolder, load_best  # noqa: PLC0415 - no torch above

    size = None if target_size is None else _size(target_size)
    if size is not None and precision is not None:
        raise ConfigError("--target-size chooses the precision: leave --precision out")
    rounding = Rounding(precision or "auto")
    check_precision(rounding.precision)
    check_free(output, force=force)
    folder = RunFolder(run)
    trained = load_best(folder)
    exact = trained.prepare()
    judge, before = _judged(folder.config().data, exact.model, is_needed=size is not None)

    def reading(prepared: Prepared) -> Prepared:
        return prepared if max_length is None else prepared.reading(max_length)

    if size is None or judge is None:
        after, how = reading(exact).rounded(rounding), str(rounding)
        merit = None if judge is None else judge(after)
    else:
        packed = _fitted(lambda threshold: reading(trained.prepare(threshold)), judge, size)
        after, how, merit = packed.model, packed.how, packed.merit
    written = compact.save(after, output)
    click.echo(f"epoch {trained.epoch} of {run}:")
    _print_counts(runtime.inspect(after, written))
    click.echo(f"  {'weights':<23} {how:>25}")
    if judge is not None and merit is not None:
        shown = [judge.shown(one) for one in (before, merit)]
        click.echo(f"  {judge.measure:<10} {shown[0]:>12} {shown[1]:>12}  on {judge.data}")
    click.echo(f"written to {output}")


def _size(text: str) -> int:
    """Read a number of bytes.

    Raises
    ------
    ConfigError
        If it is none.

    Examples
    --------
    >>> _size("8KB"), _size("2 KiB"), _size("1500")
    (8000, 2048, 1500)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"--target-size must be a size such as 8KB, 2KiB or 1500, got {text!r}")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def _judged(
    config: DataConfig, model: CompactModel, *, is_needed: bool
) -> tuple[Judge | None, float]:
    """Give what measures models, and what it says of one; none if the data are not the model's."""
    from bayespress.training import judge_of  # noqa: PLC0415 - --help needs no torch

    try:
        with Console(stderr=True).status(f"reading {config.source}"):
            judge = judge_of(config)
            return judge, judge(model)
    except BayespressError as error:
        if is_needed:
            raise
        click.echo(f"what the file costs is not measured: {error}", err=True)
        return None, 0.0


def _fitted(prepare: Callable[[float | None], Prepared], judge: Judge, size: int) -> Packed:
    from bayespress.training import fit_to_size  # noqa: PLC0415 - --help needs no torch

    def show(packed: Packed) -> None:
        merit = judge.shown(packed.merit)
        say(console, f"tried {packed.how}: {packed.size:,} bytes, {judge.measure} {merit}")

    console = Console(stderr=True)
    with console.status("trying precisions and thresholds"):
        return fit_to_size(prepare, judge, size, show)


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
