"""Run the command line in a process of its own, and judge how it ended."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 300
"""After which a program is taken to hang."""

_SCRATCH = ("tmp", "home")
_REMEDY = re.compile(
    r"free some|choose another|run the same command again|continue with: |BAYESPRESS_\w+|"
    r"lower --|check the network|try again|set HF_HOME|make room|pip install|start the run anew|"
    r"(?:write|copy) or download it (?:again|once more)|elsewhere"
)
_PROGRESS = re.compile(r"^[\d,]+ rows, [\d,]+ rows/s, [\d:]+ remaining$")
_SECONDS_OF_AN_EPOCH = re.compile(rb'"seconds": [0-9.e-]+')


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The last line on standard error."""
        return (self.err.splitlines() or [""])[-1]


def environment(root: Path, cache: Path, **more: str | None) -> dict[str, str]:
    """Give a program a home, a place for temporary files and a cache; None takes a variable."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("BAYESPRESS_", "XDG_", "HF_", "STARVE_"))
    }
    places = {"HOME": root / "home", "TMPDIR": root / "tmp", "BAYESPRESS_CACHE": cache}
    for name in ("home", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    kept |= {name: str(path) for name, path in places.items()}
    kept |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "100"}
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    kept |= {name: value for name, value in more.items() if value is not None}
    return {name: value for name, value in kept.items() if more.get(name, "") is not None}


def call(
    arguments: Sequence[str],
    root: Path,
    env: Mapping[str, str],
    *,
    first: Callable[[], None] | None = None,
    stdout: int | None = None,
    program: Sequence[str] = ("-m", "bayespress.cli"),
    seconds: float = SECONDS,
) -> Done:
    """Run ``bayespress`` in a folder; `first` is called in the new process."""
    command = [sys.executable, *program, *arguments]
    process = subprocess.Popen(
        command,
        cwd=root,
        env=dict(env),
        preexec_fn=first,  # noqa: PLW1509 - limits of the new process
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return Done(-9, "", f"it hung for {seconds} s")
    return Done(process.returncode, (out or b"").decode(), err.decode(errors="replace"))


def tree(root: Path) -> dict[str, bytes]:
    """Read all files below a folder; how long epochs took is left out."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and name.partition("/")[0] not in _SCRATCH:
            found[name] = _SECONDS_OF_AN_EPOCH.sub(b"", path.read_bytes())
    return found


def scratch(root: Path) -> list[str]:
    """Name what was left in the places for temporary files and in the home folder."""
    left = [path for name in _SCRATCH for path in (root / name).rglob("*") if path.is_file()]
    # A lock stays where something was compiled.
    return [path.relative_to(root).as_posix() for path in left if path.name != ".lock"]


def mistakes_of_line(done: Done, notes: str = "") -> list[str]:
    """Tell what is wrong with how a program refused: one line, exit code 2, a remedy."""
    wrong = []
    if done.code != 2:
        wrong.append(f"exit code {done.code}")
    others = [
        line
        for line in done.err.splitlines()[:-1]
        if line.strip() and not _PROGRESS.match(line) and not (notes and re.search(notes, line))
    ]
    if "Traceback" in done.err:
        wrong.append("a traceback")
    elif others:
        wrong.append(f"more than one line, first {others[0]!r}")
    if not done.line.startswith("error: "):
        wrong.append(f"the last line is {done.line!r}")
    elif not _REMEDY.search(done.line):
        wrong.append(f"no remedy in {done.line!r}")
    return wrong


def told(done: Done, otherwise: Sequence[str]) -> list[str]:
    """Give the command that an error says to go on with, or the same again."""
    text = done.line.partition("continue with: bayespress ")[2]
    return shlex.split(text) if text else list(otherwise)


@dataclass
class Report:
    """What was found, of one part.

    Attributes
    ----------
    runs
        Programs that were judged.
    refused
        Those that ended with a line of error, which is as it should be.
    worked
        Those that did without what was taken away.
    wrong
        What is not as it should be, by what was run.
    lines
        Different lines of error, with an example of where each came from.
    """

    runs: int = 0
    refused: int = 0
    worked: int = 0
    wrong: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    figures: dict[str, object] = field(default_factory=dict)

    def note(self, what: str, done: Done, mistakes: Sequence[str]) -> None:
        """Count a program, and say what is wrong with it."""
        self.runs += 1
        self.refused += done.code == 2
        self.worked += done.code == 0
        if done.code == 2:
            self.lines.setdefault(re.sub(r"\d+", "#", done.line), what)
        sys.stderr.write(f"{'WRONG' if mistakes else 'ok':5} {what}\n")
        for mistake in mistakes:
            self.wrong.append(f"{what}: {mistake}")
            sys.stderr.write(f"      {mistake}\n")

    def to_dict(self) -> dict[str, object]:
        """Give the figures."""
        return {
            "runs": self.runs,
            "refused_in_one_line": self.refused,
            "worked_all_the_same": self.worked,
            "wrong": len(self.wrong),
            **({"examples_of_wrong": self.wrong[:10]} if self.wrong else {}),
            **self.figures,
        }
