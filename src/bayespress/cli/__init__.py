"""The command line: one module per command, loaded when it is called.

``predict`` and ``generate`` must start fast and run without torch, so that no command's module is
imported before its command is chosen.
"""

from __future__ import annotations

import difflib
import importlib
import io
import sys
from typing import NoReturn

import click

from bayespress import __version__
from bayespress.cli.shown import tame
from bayespress.cli.stopping import Stopped, exit_code, stoppable
from bayespress.errors import EXTRAS_OF_MODULE, BayespressError, MissingExtraError
from bayespress.storage import NO_SPACE

COMMANDS = {
    "demo": "Train on the text that comes along, and show what is left.",
    "train": "Train a classifier that prunes itself.",
    "sweep": "Search for settings, in many runs.",
    "compress": "Take away what a run pruned and write one small file.",
    "evaluate": "Measure a model on texts.",
    "predict": "Classify texts.",
    "explain": "Show how each word moved the answer.",
    "generate": "Let a language model go on with a text.",
    "inspect": "Show what a model consists of.",
    "report": "Write a page about one or several runs.",
    "export": "Write a model as a program in another language.",
    "push": "Publish a model on the Hugging Face hub.",
    "doctor": "Show what is installed, what is missing, what is fast.",
    "recipes": "List, show or run the papers' settings.",
}

USER_ERROR = 2
_NO_MEMORY = (
    "there is not enough memory: lower --batch-size, --max-length, --vocabulary-size, "
    "--embedding-size or --hidden-size where a model is trained, --workers where files are "
    "answered; or free some"
)
# What torch, the loader of libraries and Python say who find none.
_SIGNS_OF_NO_MEMORY = (
    "can't allocate memory",
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
)


class _LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        close = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if close and args[0] not in COMMANDS:
            ctx.fail(f"no such command '{args[0]}'; did you mean '{close[0]}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="bayespress")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Recurrent text models that prune themselves, shipped as one tiny file.

    \b
    Example:
      bayespress train reviews.csv --preset w+g+n --output runs/reviews
      bayespress predict runs/reviews "What a lovely evening"
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line; errors are one line, with exit code 2."""
    _write_any_character()
    try:
        with stoppable():
            cli.main(prog_name="bayespress", standalone_mode=False)
    except Stopped as stop:
        _end(str(stop), stop.exit_code)
    except (KeyboardInterrupt, click.Abort) as stop:
        _end("stopped", exit_code(stop))
    except Exception as error:
        message = _explain(error)
        if message is None:
            raise
        _end(f"error: {tame(message)}", USER_ERROR)


def _explain(error: Exception) -> str | None:
    """Say what a user can do; None if the error is a mistake of ours."""
    if isinstance(error, BayespressError):
        return str(error)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, ModuleNotFoundError):
        return _missing(error)
    if _is_of_memory(error):
        return _NO_MEMORY
    return _explain_system(error)


def _is_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out; a module that fails to load may hide it under its own words."""
    told = str(error).lower()
    if isinstance(error, MemoryError) or any(sign in told for sign in _SIGNS_OF_NO_MEMORY):
        return True
    under = error.__cause__ or error.__context__
    return isinstance(error, ImportError) and under is not None and _is_of_memory(under)


def _explain_system(error: Exception) -> str | None:
    if isinstance(error, UnicodeEncodeError):
        around = error.object[max(0, error.start - 20) : error.end + 20]
        return f"{around!r} is not valid Unicode and cannot be written: change it"
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        # Files say their own names; what has none is what was printed.
        what = error.filename or "what is printed"
        return f"cannot write {what}: no space left; free some and run the same command again"
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return None


def _write_any_character() -> None:
    """Answers go to files and programs as UTF-8; a terminal that lacks a character escapes it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _usage(error: click.ClickException) -> str:
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    return f"{message} (see '{context.command_path} --help')" if context else message


def _missing(error: ModuleNotFoundError) -> str | None:
    module = (error.name or "").partition(".")[0]
    return str(MissingExtraError(module, "this command")) if module in EXTRAS_OF_MODULE else None


def _end(message: str, code: int) -> NoReturn:
    click.echo(" ".join(message.splitlines()), err=True)
    sys.exit(code)
