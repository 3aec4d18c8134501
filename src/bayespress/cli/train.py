"""``bayespress train``: from a source of texts to a run folder with a model file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from bayespress import data, recipes
from bayespress.cli.display import LiveDisplay
from bayespress.cli.options import SettingsCommand, given, keys_of, settings
from bayespress.cli.result import print_next, print_result, say
from bayespress.cli.stopping import resumable
from bayespress.config import Config
from bayespress.errors import ConfigError, DataError, MissingExtraError, TrainingError
from bayespress.schedules import Value, scaled_phases
from bayespress.sparsity import LM_PRESETS

if TYPE_CHECKING:
    from bayespress.report.tensorboard import EventWriter
    from bayespress.training import Listener, RunFolder, Workers


@click.command("train", cls=SettingsCommand, short_help="Train a model that prunes itself.")
@click.argument("sources", metavar="[SOURCE]… [CODE]", nargs=-1)
@click.option("--preset", help="code by the papers' name: w, w+voc, w+n, w+g+n, dense")
@click.option("--recipe", help="settings by name, see 'bayespress recipes ls'")
@click.option(
    "--output", type=click.Path(path_type=Path), help="folder of the run  [runs/SOURCE-CODE]"
)
@click.option("--resume", is_flag=True, help="continue the run in the folder")
@click.option(
    "--tensorboard",
    is_flag=True,
    help="also write the history to OUTPUT/tensorboard, epoch by epoch",
)
@settings(*keys_of("data", "text", "model", "training", without=["source", "code"]))
def command(
    sources: tuple[str, ...],
    preset: str | None,
    recipe: str | None,
    output: Path | None,
    *,
    resume: bool,
    tensorboard: bool,
    **values: Any,
) -> None:
    """Train on SOURCE, with the priors that CODE or a preset names.

    A classifier's SOURCE is demo, imdb, ag-news, hf:owner/name, a file (CSV, TSV, JSONL, Parquet,
    .gz) or a folder with a folder per class; its CODE has six letters. With --task lm, a language
    model learns from ptb-word, ptb-char, demo, or any text files or folders of them; its CODE has
    four letters. Training can be stopped at any moment and resumed.

    \b
    Example:
      bayespress train demo
      bayespress train imdb LLLLLL --epochs 20
      bayespress train reviews.csv --text-column review --label-column stars --preset w+g+n
      bayespress train films.csv --label-column genres --label-separator ";"
      bayespress train ptb-word LLRL
      bayespress train book.txt letters/ --task lm --level char
      bayespress train --resume --output runs/imdb-LLLLLL
    """  # noqa: D301 - click's mark for a paragraph that is not wrapped
    said = given(values)
    source, code = source_and_code(sources, said)
    said |= chosen_code(code, preset) | ({"source": source} if source else {})
    if resume and recipe:
        raise ConfigError("--resume goes on with the run's own settings: leave --recipe out")
    config = None if resume else layered(recipe, said)
    folder = output or default_folder(config.flat() if config else said)
    run_and_say_next(config, folder, said, tensorboard=tensorboard)


def source_and_code(
    words: Sequence[str], said: Mapping[str, Value]
) -> tuple[str | None, str | None]:
    """Tell a source, or a language model's several, from the code behind them.

    Raises
    ------
    ConfigError
        If there are too many words, or several sources one of which has to stand alone.

    Examples
    --------
    >>> source_and_code(["demo", "LLLLLL"], {}), source_and_code(["a.txt", "b.txt"], {"task": "lm"})
    (('demo', 'LLLLLL'), ('a.txt:b.txt', None))
    """
    if not words:
        return None, None
    *sources, last = words
    if not sources:
        return last, None
    defaults = data.source_defaults(words[0])
    task, may_be_code = said.get("task", defaults.get("task")), _may_be_code(last)
    # What is named like a code is a file if there is one, and if there may be several sources.
    may_be_file = Path(last).exists() and not (may_be_code and (defaults or task != "lm"))
    if may_be_file or (task == "lm" and not may_be_code):
        sources, code = list(words), None
    else:
        code = last
    if len(sources) > 1:
        _check_several(sources, task)
    return os.pathsep.join(sources), code


def _check_several(sources: Sequence[str], task: Value) -> None:
    if task != "lm":
        raise ConfigError(
            f"a classifier has one source, got {' '.join(sources)}: put their rows into one file, "
            "or train a language model with --task lm"
        )
    named = next((word for word in sources if data.source_defaults(word)), None)
    if named is not None:
        raise ConfigError(f"several sources must be files or folders: leave {named} out")


def _may_be_code(word: str) -> bool:
    return word.lower() in LM_PRESETS or (word.isalpha() and len(word) <= len("LLLLLL"))


def chosen_code(code: str | None, preset: str | None) -> dict[str, Value]:
    """Settle what names the priors.

    Raises
    ------
    ConfigError
        If there are two of them.
    """
    if code and preset:
        raise ConfigError(f"give a code or a preset, not both: {code!r} and {preset!r}")
    name = code or preset
    return {"code": name} if name else {}


def layered(recipe: str | None, said: Mapping[str, Value]) -> Config:
    """Put the user's settings over the recipe's, and these over the source's own.

    Raises
    ------
    ConfigError
        If there is neither a source nor a recipe, or a setting is wrong.
    """
    if recipe is None and "source" not in said:
        raise ConfigError("name a source, for instance 'bayespress train demo', or a --recipe")
    chosen = recipes.read(recipe).settings if recipe else {}
    source = str(said.get("source", chosen.get("source", "")))
    if not chosen and source == "demo":
        is_language = said.get("task") == "lm"
        chosen = recipes.read("demo-lm" if is_language else "demo").settings
        if is_language and said.get("level") == "char":
            chosen = {key: chosen[key] for key in ("source", "task", "lowercase")}
    phases = scaled_phases(chosen, said.get("epochs"))
    return Config.from_flat(data.source_defaults(source), chosen, phases, said)


def default_folder(said: Mapping[str, Value]) -> Path:
    """Name the folder of a run, by its source and its code.

    Raises
    ------
    ConfigError
        If no source is known.

    Examples
    --------
    >>> default_folder({"source": "data/reviews.csv.gz", "code": "w"}).name
    'reviews-LCLCCL'
    """
    if "source" not in said:
        raise ConfigError("name the run's folder with --output")
    source = str(said["source"])
    if source.startswith("hf:"):
        path = Path(source[3:].replace("/", "-"))
    else:
        path = Path(source.split(os.pathsep, maxsplit=1)[0])
    name = path.resolve().name.removesuffix(".gz")
    priors = {key: said[key] for key in ("task", "code") if key in said}
    code = Config.from_flat(data.source_defaults(source), priors).model.code
    return Path("runs") / f"{Path(name).stem or 'run'}-{code}"


def run_and_say_next(
    config: Config | None,
    output: Path,
    changes: Mapping[str, Value] = MappingProxyType({}),
    *,
    tensorboard: bool = False,
) -> None:
    """Train as :func:`run` does, then say how to use what was trained."""
    task = run(config, output, changes, tensorboard=tensorboard).data.task
    print_next(Console(), output, task)


def run(
    config: Config | None,
    output: Path,
    changes: Mapping[str, Value] = MappingProxyType({}),
    *,
    tensorboard: bool = False,
) -> Config:
    """Train in a new folder, or with no `config` go on in an old one; return the run's settings.

    With `tensorboard`, TensorBoard's event file of the whole history is written as well.

    Raises
    ------
    BayespressError
        Any of its kinds; nothing is half-written.
    Stopped
        If Ctrl-C or SIGTERM came.
    """
    try:
        from bayespress.training import RunFolder, Workers  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", "training") from None
    str(output).encode()  # safetensors can write where the name is no Unicode, but not read
    folder, is_new = RunFolder(output), config is not None
    if config is None:
        config = resumed(folder.config(), changes)
        result = folder.result()
        if result is not None and config == folder.config():
            folder.clear_lock()
            say(Console(), f"the run in {output} is finished")
            print_result(Console(), output, result)
            return config
    with (
        Workers.join(config.training.device) as workers,
        _reserved(folder, is_new=is_new) if workers.is_first else nullcontext(),
    ):
        events = _event_writer(folder) if tensorboard and workers.is_first else None
        _train(config, folder, workers, events)
    return config


@contextmanager
def _reserved(folder: RunFolder, *, is_new: bool) -> Iterator[None]:
    """Have the folder for this process alone; a new run begins in a free one."""
    if is_new:
        folder.check_free()
    with folder.locked():
        if is_new:
            folder.check_free()  # another process may have been faster
        yield


def _event_writer(folder: RunFolder) -> EventWriter:
    from bayespress.report.tensorboard import EventWriter  # noqa: PLC0415 - an extra

    file = folder.history_file
    return EventWriter(folder.events_folder, file.stat().st_mtime if file.exists() else None)


def _train(config: Config, folder: RunFolder, workers: Workers, events: EventWriter | None) -> None:
    from bayespress.training import Several, Trainer, finish  # noqa: PLC0415

    console = Console(quiet=not workers.is_first)
    say(console, f"reading {config.data.source}")
    is_language = config.data.task == "lm"
    with workers.one_by_one(), _told_where(config, folder):
        splits = data.load_text(config.data) if is_language else data.load(config.data)
    for note in splits.notes:
        say(console, note)
    level = config.text.level if is_language else None
    if config.data.label_separator is not None:
        level = "labels"
    display = LiveDisplay(console, config.training.epochs, level)
    with console.status("choosing words and encoding texts"):
        listeners: list[Listener] = [display] if events is None else [display, events]
        trainer = Trainer(config, splits, folder, Several(listeners), workers)
    # From here on there is a run: before, nothing is written.
    if workers.is_first:
        # In this order: killed in between, a run with more epochs must not look finished.
        folder.result_file.unlink(missing_ok=True)
        folder.save_config(config)
    display.show_earlier(trainer.history)
    if events is not None:
        events.write_earlier(trainer.history)
    with resumable(f"bayespress train --resume --output {shlex.quote(str(folder.path))}"):
        with _no_trace_of_failure(folder), display:
            trainer.fit()
        if not workers.is_first:
            return
        with console.status("testing"):
            result = finish(folder, splits.test)
    print_result(console, folder.path, result)


@contextmanager
def _told_where(config: Config, folder: RunFolder) -> Iterator[None]:
    """Say how to go on with a run whose data are not where they were."""
    try:
        yield
    except DataError as error:
        source = config.data.source
        is_known = source.startswith("hf:") or Path(source).expanduser().exists()
        if is_known or not folder.config_file.exists():
            raise
        output = shlex.quote(str(folder.path))
        raise DataError(
            f"{error}, or name the place where it is now: bayespress train PLACE --resume "
            f"--output {output}"
        ) from error


@contextmanager
def _no_trace_of_failure(folder: RunFolder) -> Iterator[None]:
    """Take a run away that failed by its settings before it saved anything: they have to change."""
    try:
        yield
    except (TrainingError, MemoryError, RuntimeError):
        if not folder.history_file.exists():
            folder.config_file.unlink(missing_ok=True)
        raise


_MAY_CHANGE = ("epochs", "device", "source")  # the last if the same data are elsewhere now


def resumed(config: Config, changes: Mapping[str, Value]) -> Config:
    """Settle the settings of a resumed run: its own, but for what may change, see above.

    Raises
    ------
    ConfigError
        If another setting differs from the run's.
    """
    flat, said = config.flat(), Config.from_flat(changes).flat()
    for key in changes:
        if key not in _MAY_CHANGE and said[key] != flat[key]:
            raise ConfigError(
                f"--resume goes on with the run's own settings: {key} is {flat[key]!r} there, "
                f"not {said[key]!r}; leave it out or start a new run"
            )
    later = Config.from_flat(flat, {key: said[key] for key in changes if key in _MAY_CHANGE})
    if later.training.epochs < config.training.epochs:
        raise ConfigError(
            f"the run has {config.training.epochs} epochs, --epochs may only raise that"
        )
    return later
