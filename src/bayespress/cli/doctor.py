"""``bayespress doctor``: what is installed, what is missing, what is fast."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from rich.console import Console

from bayespress import __version__
from bayespress.cli.result import say
from bayespress.compiler import BuildError, compiler_version
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.errors import EXTRAS_OF_MODULE, BayespressError
from bayespress.storage import CACHE_VARIABLE, cache_folder

_BASE = ("numpy", "click", "rich")
_PACKAGES = {"sklearn": "scikit-learn", "tomli_w": "tomli-w"}
"""Names of packages that differ from those of their modules."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    topic
        What.
    is_well
        Whether nothing is to be done, and nothing slower than it need be.
    found
        What is there, or what to do.
    """

    topic: str
    is_well: bool
    found: str


@click.command("doctor", short_help="Show what is installed, what is missing, what is fast.")
@click.option("--json", "as_json", is_flag=True, help="print one JSON object")
def command(*, as_json: bool) -> None:
    """Show what is installed, what is missing, and what would make training faster.

    \b
    Example:
      bayespress doctor
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    with Console(stderr=True).status("compiling what training needs, if it was not yet"):
        findings = list(_findings())
    if as_json:
        click.echo(json.dumps({"version": __version__, "findings": [*map(asdict, findings)]}))
        return
    width = max(len(finding.topic) for finding in findings)
    console = Console()
    for finding in findings:
        say(
            console,
            f"{'ok' if finding.is_well else '--'}  {finding.topic:<{width}}  {finding.found}",
        )


def _findings() -> Iterator[Finding]:
    processors = f"{os.cpu_count() or 1} processors"
    system = f"{platform.system()} {platform.machine()}, {processors}"
    yield Finding(
        "bayespress", True, f"{__version__}, Python {platform.python_version()}, {system}"
    )
    yield Finding("finished models", True, ", ".join(f"{name} {_version(name)}" for name in _BASE))
    for extra in dict.fromkeys(EXTRAS_OF_MODULE.values()):
        yield _extra(extra)
    yield _compiler()
    if importlib.util.find_spec("torch"):
        yield from _training()
    yield from _folders()


def _extra(extra: str) -> Finding:
    modules = [module for module, of in EXTRAS_OF_MODULE.items() if of == extra]
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(_PACKAGES.get(name, name) for name in missing)
        remedy = f"pip install 'bayespress[{extra}]'"
        return Finding(f"extra {extra}", False, f"{names} missing: {remedy}")
    return Finding(f"extra {extra}", True, ", ".join(f"{n} {_version(n)}" for n in modules))


def _version(module: str) -> str:
    try:
        return importlib.metadata.version(_PACKAGES.get(module, module))
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"


def _compiler() -> Finding:
    try:
        return Finding("C compiler", True, compiler_version())
    except BuildError as error:
        return Finding("C compiler", False, str(error))


def _training() -> Iterator[Finding]:
    import torch  # noqa: PLC0415 - the other findings do without it

    from bayespress import kernels  # noqa: PLC0415
    from bayespress.training import process  # noqa: PLC0415

    problem = kernels.problem()
    speed = "compiled for this processor" if problem is None else f"5 times slower: {problem}"
    yield Finding("training steps", problem is None, speed)
    devices = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    there = [name for name, is_there in devices.items() if is_there]
    yield Finding("devices", True, ", ".join(["cpu", *there]))
    has_bfloat16 = process.has_bfloat16(torch.device("cpu"))
    found = (
        "instructions of its own" if has_bfloat16 else "no instructions for it on this processor"
    )
    yield Finding("bfloat16", has_bfloat16, found)


def _folders() -> Iterator[Finding]:
    try:
        yield Finding("cache", True, f"{cache_folder()} ({CACHE_VARIABLE} changes it)")
    except BayespressError as error:
        yield Finding("cache", False, str(error))
    data = os.environ.get(DATA_VARIABLE)
    yield Finding("data", True, data or f"downloaded at need ({DATA_VARIABLE} names your own)")
