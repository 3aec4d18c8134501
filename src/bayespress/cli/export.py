"""``bayespress export``: a finished model as a program in another language."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bayespress import compact
from bayespress.cli.options import MODEL, check_free, model_file
from bayespress.compact import CompactModel
from bayespress.errors import ConfigError
from bayespress.export import write_c, write_html, write_js, write_onnx
from bayespress.export.html import TITLE


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


@dataclass(frozen=True)
class Wish:
    """Where to write, and what the other flags say.

    Attributes
    ----------
    output
        A folder, or for a target that is one file, the file.
    name
        What names of files and functions begin with.
    title
        Of a page.
    replace
        Whether what is there may go.
    """

    output: Path
    name: str
    title: str
    replace: bool


def _to_c(model: CompactModel, wish: Wish) -> Exported:
    files = write_c(model, wish.output, wish.name, replace=wish.replace)
    return Exported(files, f"make -C {shlex.quote(str(wish.output))}")


def _to_js(model: CompactModel, wish: Wish) -> Exported:
    check_free(wish.output, force=wish.replace)
    write_js(model, wish.output)
    return Exported([wish.output], f"its first lines show how to call it: head {_quoted(wish)}")


def _to_html(model: CompactModel, wish: Wish) -> Exported:
    check_free(wish.output, force=wish.replace)
    write_html(model, wish.output, wish.title)
    return Exported([wish.output], f"open {_quoted(wish)} in a browser")


def _to_onnx(model: CompactModel, wish: Wish) -> Exported:
    check_free(wish.output, force=wish.replace)
    write_onnx(model, wish.output)
    return Exported([wish.output], "turn texts into its ids as docs/onnx.md says")


def _quoted(wish: Wish) -> str:
    return shlex.quote(str(wish.output))


TARGETS: dict[str, Callable[[CompactModel, Wish], Exported]] = {
    "c": _to_c,
    "js": _to_js,
    "html": _to_html,
    "onnx": _to_onnx,
}
"""What writes a model, by the word after ``--to``."""


@click.command("export", short_help="Write a model as a program in another language.")
@click.argument("model", type=MODEL)
@click.option("--to", "target", required=True, metavar=f"[{'|'.join(TARGETS)}]", help="language")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="folder (c) or file (js, html, onnx) to write",
)
@click.option("--name", default="model", help="c: begins names of files and functions  [model]")
@click.option("--title", default=TITLE, help=f"html: head of the page  [{TITLE}]")
@click.option("--force", is_flag=True, help="replace what is there")
def command(
    model: Path | str, target: str, output: Path, name: str, title: str, *, force: bool
) -> None:
    """Write a model as a program in another language, which answers raw texts all by itself.

    An ONNX file is for programs that run any network: it answers numbers that stand for words.

    MODEL is a model file, the folder of a finished run, or hf://owner/name, which is fetched from
    the Hugging Face hub.

    \b
    c     NAME.h and NAME.c in C99 without allocation, main.c as an example
    js    one ES module for browsers and node
    html  one page that needs no network: type a text, see the answer
    onnx  one ONNX file, with the words and their numbers in its metadata

    \b
    Example:
      bayespress export model.bpr --to c --output sentiment-c --name sentiment
      bayespress export model.bpr --to html --output mood.html --title Mood
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    write = _target(target)
    exported = write(compact.load(model_file(model)), Wish(output, name, title, force))
    for file in exported.files:
        click.echo(f"{file.stat().st_size:>12,} bytes  {file}")
    click.echo(f"next: {exported.advice}")


def _target(name: str) -> Callable[[CompactModel, Wish], Exported]:
    if name not in TARGETS:
        close = difflib.get_close_matches(name, TARGETS, n=1)
        meant = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"--to must be one of {', '.join(TARGETS)}, got {name!r}{meant}")
    return TARGETS[name]
