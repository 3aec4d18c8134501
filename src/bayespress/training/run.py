"""A run's folder: its files, made whole or not at all, and read without executing anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import tomli_w
from torch import Tensor

from bayespress.config import Config
from bayespress.errors import RunError
from bayespress.history import read_result
from bayespress.storage import is_unfinished, locked, parse_object, write_atomically, write_bytes

FORMAT = "1"
# How safetensors tells the number of the system's error, newer and older versions.
_SYSTEM_ERROR = re.compile(r"(?:os error|Os \{ code:) (\d+)")
_LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """Where one execution keeps its files.

    ``config.toml`` all settings; ``history.jsonl`` a line per epoch; ``checkpoint.safetensors``
    the state after the last epoch; ``best.safetensors`` the network after the best epoch;
    ``model.bpr`` the shipped file and ``result.json`` its figures, written at the end;
    ``tensorboard`` event files, where they were asked for.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """All settings."""
        return self.path / "config.toml"

    @property
    def history_file(self) -> Path:
        """A line per epoch."""
        return self.path / "history.jsonl"

    @property
    def checkpoint_file(self) -> Path:
        """The state to resume from."""
        return self.path / "checkpoint.safetensors"

    @property
    def best_file(self) -> Path:
        """The network after the best epoch."""
        return self.path / "best.safetensors"

    @property
    def artifact_file(self) -> Path:
        """The file to ship."""
        return self.path / "model.bpr"

    @property
    def result_file(self) -> Path:
        """Figures of the finished run."""
        return self.path / "result.json"

    @property
    def events_folder(self) -> Path:
        """TensorBoard's event file, where one was asked for."""
        return self.path / "tensorboard"

    def check_free(self) -> None:
        """Make sure that a new run may begin here.

        Raises
        ------
        RunError
            If something is here already.
        """
        if self.config_file.exists():
            raise RunError(
                f"{self.path} already holds a run: continue it with --resume, or choose another "
                "folder with --output"
            )
        if self.path.exists() and (not self.path.is_dir() or any(self._foreign())):
            raise RunError(f"{self.path} is not an empty folder: choose another with --output")

    def _foreign(self) -> Iterator[Path]:
        """Find what is here, but for what a run leaves that is killed before it saves anything."""
        for path in self.path.iterdir():
            if path.name != _LOCK and not is_unfinished(path):
                yield path

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from training here, see :func:`bayespress.storage.locked`."""
        return locked(self.path / _LOCK, f"another 'bayespress train --output {self.path}'")

    def clear_lock(self) -> None:
        """Remove the lock of a process that was killed when all but that was done."""
        if (self.path / _LOCK).exists():
            with self.locked():
                pass

    def save_config(self, config: Config) -> None:
        """Write the run's settings, which makes the folder a run.

        Raises
        ------
        StorageError
            If the folder cannot be written to.
        """
        tables = {
            name: {key: value for key, value in table.items() if value is not None}
            for name, table in config.tables().items()
        }
        write_bytes(self.config_file, tomli_w.dumps(tables).encode())

    def config(self) -> Config:
        """Read the run's settings.

        Raises
        ------
        RunError
            If there is no run here, or its settings are no text.
        ConfigError
            If its settings are damaged.
        """
        if not self.config_file.is_file():
            raise RunError(f"{self.path} holds no run (there is no {self.config_file.name} in it)")
        return Config.from_file(self.config_file)

    def save_result(self, result: Mapping[str, Any]) -> None:
        """Write the finished run's figures."""
        write_bytes(self.result_file, (json.dumps(result, indent=2) + "\n").encode())

    def result(self) -> dict[str, Any] | None:
        """Read the finished run's figures; None while it is not finished.

        Raises
        ------
        RunError
            If they are damaged.
        """
        return read_result(self.result_file) if self.result_file.exists() else None


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and JSON metadata atomically, as safetensors.

    Raises
    ------
    StorageError
        If they cannot be written.
    """
    # One entry: safetensors writes several in an order of its own, and equal runs shall be equal
    # files.
    texts = {"bayespress": json.dumps({"format": FORMAT, **metadata})}
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}

    def write(temporary: Path) -> None:
        try:
            safetensors.torch.save_file(contiguous, temporary, metadata=texts)
        except safetensors.SafetensorError as error:
            # Its own kind hides what the system said; a full disk is by far the likeliest.
            raise _as_os_error(error) from error

    write_atomically(path, write)


def _as_os_error(error: Exception) -> OSError:
    text = str(error)
    found = _SYSTEM_ERROR.search(text)
    return OSError(int(found[1]), text) if found else OSError(text)


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Say in one line that what was read of a file lacks something, or has it of another type.

    Raises
    ------
    RunError
        If the block meets that.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error!r}); start the run anew") from None


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    RunError
        If the file is missing, damaged, or written by a newer version.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{path} does not exist: the run has not finished an epoch yet") from None
    except (safetensors.SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise RunError(f"{path} is damaged ({reason}); start the run anew") from None
    try:
        values = parse_object(metadata.get("bayespress", "{}"))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); start the run anew") from None
    if values.pop("format", None) != FORMAT:
        raise RunError(f"{path} was written by another version of bayespress; start the run anew")
    return tensors, values
