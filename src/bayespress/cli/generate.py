"""``bayespress generate``: a language model goes on with a text; no torch, no tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bayespress import runtime
from bayespress.cli.options import MODEL, model_file
from bayespress.cli.shown import tame


@click.command("generate", short_help="Let a language model go on with a text.")
@click.argument("model", type=MODEL)
@click.option("--prompt", default="", help="text to go on with  [none: begin a line]")
@click.option("--length", type=int, default=100, help="how many tokens to write  [100]")
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    help="0 takes the most probable token, 1 follows the model, more is wilder  [1]",
)
@click.option("--seed", type=int, default=0, help="equal seeds give equal texts  [0]")
def command(model: Path | str, prompt: str, length: int, temperature: float, seed: int) -> None:
    """Go on with a text, token by token: words and marks, or characters, as the model was trained.

    MODEL is a model file, the folder of a finished run, or hf://owner/name, which is fetched from
    the Hugging Face hub. Words of the prompt that the model does not know are read as <unk>, if it
    was trained with that; it never writes it.

    \b
    Example:
      bayespress generate model.bpr --prompt "The company said" --length 50
      bayespress generate model.bpr --temperature 0.7 --seed 3
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    language_model = runtime.load_language_model(model_file(model))
    pieces = language_model.generate(prompt, length, temperature, seed)
    _show(prompt)
    for piece in pieces:
        _show(piece)
    _show("\n")


def _show(piece: str) -> None:
    # A file or a program gets the text as it is.
    sys.stdout.write(tame(piece) if sys.stdout.isatty() else piece)
    sys.stdout.flush()
