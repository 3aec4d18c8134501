"""Programs that begin with everything imported, since thousands of them are started.

A process imports what the commands need, and splits itself for every call. Run as a program it is
that process: it reads a call from each line of standard input, and answers with how it ended.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from starving.program import SECONDS, Done
from starving.rights import drop_rights

_NAMES = 4096
_LAYOUT = f"lll{_NAMES}s{_NAMES}s"
_LIMITS = {"files": resource.RLIMIT_FSIZE, "memory": resource.RLIMIT_AS}
_MODULES = (
    "bayespress.training", "bayespress.data", "bayespress.bulk", "bayespress.kernels",
    "bayespress.cli.train", "bayespress.cli.compress", "bayespress.cli.export",
    "bayespress.cli.predict", "bayespress.cli.bulk", "bayespress.cli.report",
    "bayespress.cli.push", "bayespress.cli.sweep", "bayespress.sweep", "onnx",
)  # fmt: skip


_LEARNT = ("torch", "sympy", "optuna", "sqlalchemy", "pyarrow", "onnx")


class Zygote:
    """Starts programs; use it as a context.

    Parameters
    ----------
    folder
        For its own files, which are never starved.
    shim
        The library that lets writes fail, if there is one.
    """

    def __init__(self, folder: Path, shim: Path | None) -> None:
        self._state = folder / "state"
        self._streams = folder / "out", folder / "err"
        self._modules = folder / "modules"
        self._state.write_bytes(bytes(struct.calcsize(_LAYOUT)))
        self._shim = {} if shim is None else {"LD_PRELOAD": str(shim), "STARVE": str(self._state)}
        self.can_fail = shim is not None
        places = [str(Path(__file__).parents[1]), *(path for path in sys.path if path)]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            env={
                **os.environ,
                **self._shim,
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": os.pathsep.join(places),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def call(
        self,
        arguments: Sequence[str],
        root: Path,
        env: Mapping[str, str],
        *,
        fail_at: int = 0,
        error: int = 0,
        **limits: int,
    ) -> Done:
        """Run ``bayespress`` in a folder.

        Parameters
        ----------
        arguments, root, env
            Its words, its folder, its environment.
        fail_at, error
            From which write on below the folder the system says what; 0 only counts.
        limits
            Bytes of ``files``, of ``memory``, and of ``more_memory`` than is used at the start.
        """
        name = f"{root}/".encode()
        self._state.write_bytes(struct.pack(_LAYOUT, 0, fail_at, error, name, b""))
        # A file that may not grow would cut short what is printed, too.
        pipes = _pipes(self._streams) if "files" in limits else contextlib.nullcontext()
        job = {
            "arguments": list(arguments),
            "root": str(root),
            "env": {**env, **self._shim},
            "limits": limits,
            "streams": [str(path) for path in self._streams],
            "modules": None if fail_at or limits else str(self._modules),
        }
        with pipes as handles:
            code = self._ended(job)
            if code is None:
                return Done(-9, "", f"it hung for {SECONDS} s")
            said = (
                map(_drained, handles) if handles else [path.read_bytes() for path in self._streams]
            )
            out, err = (content.decode(errors="replace") for content in said)
        return Done(code, out, err)

    def _ended(self, job: Mapping[str, Any]) -> int | None:
        """Start a program, and wait for its end; None if it hangs, then it is killed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        child = int(self._line(SECONDS) or 0)
        code = self._line(SECONDS)
        if code is None:
            os.killpg(child, signal.SIGKILL)
            self._line(SECONDS)
        return None if code is None else int(code)

    def writes(self) -> int:
        """Tell how often the last program wrote."""
        return int(self._read()[0])

    def failed(self) -> str:
        """Tell what failed first."""
        return bytes(self._read()[4]).partition(b"\0")[0].decode(errors="replace")

    def _read(self) -> tuple[Any, ...]:
        return struct.unpack(_LAYOUT, self._state.read_bytes())

    def _line(self, seconds: float) -> str | None:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        return os.read(self._process.stdout.fileno(), 16).decode() if ready else None


@contextlib.contextmanager
def _pipes(paths: Sequence[Path]) -> Iterator[list[int]]:
    """Let these paths be pipes as long as the context lasts; each holds 64 kB."""
    handles = []
    for path in paths:
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        handles.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    try:
        yield handles
    finally:
        for path, handle in zip(paths, handles, strict=True):
            os.close(handle)
            path.unlink()


def _drained(handle: int) -> bytes:
    pieces = []
    # What a program started may end a little later, and have the pipe open still.
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(handle, 65_536):
            pieces.append(piece)
    return b"".join(pieces)


def _serve() -> None:
    """Answer calls until there are no more."""
    for module in _MODULES:
        __import__(module)
    gc.freeze()
    while line := sys.stdin.buffer.readline():
        job = json.loads(line)
        child = os.fork()
        if not child:
            _become(job)
            return
        os.write(1, f"{child:<16}".encode())
        _, status = os.waitpid(child, 0)
        if job["modules"]:
            _learn(Path(job["modules"]))
        os.write(1, f"{os.waitstatus_to_exitcode(status):<16}".encode())


def _learn(file: Path) -> None:
    """Import what a sound program did, for those that follow."""
    for name in file.read_text().split():
        # Others read the environment when they are imported.
        if name not in sys.modules and name.partition(".")[0] in _LEARNT:
            with contextlib.suppress(Exception):  # some are made and not imported
                __import__(name)
    gc.collect()
    gc.freeze()


def _become(job: dict[str, Any]) -> None:
    """Be the program; how it ends is how this process ends."""
    from bayespress.cli import main  # noqa: PLC0415 - in the zygote alone

    os.setsid()
    for number, path in enumerate([os.devnull, *job["streams"]]):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        handle = os.open(path, flags)
        os.dup2(handle, number)
        os.close(handle)
    # Python's own remember whether they can seek.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(job["root"])
    os.environ.clear()
    os.environ.update(job["env"])
    for name, size in job["limits"].items():
        if name == "more_memory":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            _limit("memory", pages * resource.getpagesize() + size)
        else:
            _limit(name, size)
    _pretend(job["env"])
    sys.argv = ["bayespress", *job["arguments"]]
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    if job["modules"]:
        Path(job["modules"]).write_text("\n".join(sys.modules))
    sys.stdout.flush()
    sys.stderr.flush()
    # To take the interpreter down would touch, and so copy, all that was imported.
    os._exit(code if isinstance(code, int) else 0)


def _pretend(env: Mapping[str, str]) -> None:
    """Let public data sets come from a server of ours, and keep what took no time to encode."""
    from bayespress.data import downloads  # noqa: PLC0415 - in the zygote alone
    from bayespress.training import encoding  # noqa: PLC0415

    for key, item in json.loads(env.get("STARVE_DOWNLOADS", "{}")).items():
        if key in downloads.DOWNLOADS:
            downloads.DOWNLOADS[key] = downloads.Download(*item)
    if "STARVE_KEEP_ENCODED" in env:
        encoding._WORTH_SECONDS = 0.0
    if "STARVE_DROP_RIGHTS" in env:
        drop_rights(now=True)


def _limit(name: str, size: int) -> None:
    resource.setrlimit(_LIMITS[name], (size, size))


if __name__ == "__main__":
    _serve()
