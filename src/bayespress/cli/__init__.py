"""The command line: one module per command, loaded when it is called.

``predict`` must start fast and run without torch, so that no command's module is imported before
its command is chosen.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from bayespress import __version__
from bayespress.errors import BayespressError

COMMANDS = {
    "demo": "Train on the text that comes along, and show what is left.",
    "train": "Train a classifier that prunes itself.",
    "compress": "Take away what a run pruned and write one small file.",
    "evaluate": "Measure a model on labelled texts.",
    "predict": "Classify texts.",
    "inspect": "Show what a model consists of.",
    "recipes": "List, show or run the papers' settings.",
}

USER_ERROR, INTERRUPTED = 2, 130


class _LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bayespress")
def cli() -> None:
    """Recurrent text models that prune themselves, shipped as one tiny file.

    \b
    Example:
      bayespress train reviews.csv --preset w+g+n --output runs/reviews
      bayespress predict runs/reviews "What a lovely evening"
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped


def main() -> None:
    """Run the command line; errors are one line, with exit code 2."""
    try:
        cli.main(prog_name="bayespress", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BayespressError as error:
        _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output, such as head, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except ModuleNotFoundError as error:
        _fail(_missing(error))
    except MemoryError:
        _fail("there is not enough memory: lower --batch-size, --max-length or --vocabulary-size")
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")


def _missing(error: ModuleNotFoundError) -> str:
    from bayespress.errors import EXTRAS_OF_MODULE, MissingExtraError  # noqa: PLC0415

    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS_OF_MODULE:
        raise error
    return str(MissingExtraError(module, "this command"))


def _fail(message: str) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(USER_ERROR)
