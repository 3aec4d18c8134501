"""Run a libFuzzer, in Python or in C, and read what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.fuzz import corpus
from scripts.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
TIMEOUT_S, MEMORY_MB = 10, 2048
_STATE = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)")
_STAT = re.compile(r"stat::(\w+):\s+(\d+)")
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")


@dataclass(frozen=True)
class Order:
    """How a target is fuzzed.

    Attributes
    ----------
    folder
        Where all work is done, empty.
    finds
        Where inputs that break a rule are written.
    runs, seconds
        Inputs, and the time at most; 0: any.
    seed
        Of the fuzzer.
    keep
        Whether what was found becomes the corpus.
    """

    folder: Path
    finds: Path
    runs: int
    seconds: int = 0
    seed: int = 1
    keep: bool = False


def of_python(name: str, order: Order) -> dict[str, Any]:
    """Fuzz a reader in Python."""
    target, costs = TARGETS[name], order.folder / "costs.json"
    command = [str(_launcher(order.folder, name, costs))]
    line = run(name, command, [*target.seeds()], target.words, target.longest, order)
    if costs.exists():
        line |= json.loads(costs.read_text(encoding="utf-8")) | {"runs": line["runs"]}
    return line


def _launcher(folder: Path, name: str, costs: Path) -> Path:
    """Write a program that runs a target: libFuzzer starts itself again by its name."""
    file = folder / "launch"
    words = shlex.join([sys.executable, "-m", "scripts.fuzz.under_atheris", name, str(costs)])
    file.write_text(f'#!/bin/sh\nFUZZ_LAUNCHER="$0" exec {words} "$@"\n', encoding="utf-8")
    file.chmod(0o700)
    return file


def run(
    name: str,
    command: Sequence[str],
    seeds: Iterable[bytes],
    words: Iterable[bytes],
    longest: int,
    order: Order,
) -> dict[str, Any]:
    """Fuzz, and minimise what was found; give figures."""
    folder = order.folder
    grown, small = folder / "grown", folder / "small"
    corpus.unpack([*seeds, *corpus.kept(name)], grown)
    small.mkdir()
    corpus.write_dictionary(words, folder / "words.txt")
    usual = [
        f"-max_len={longest}", f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={MEMORY_MB}",
        "-print_final_stats=1", f"-artifact_prefix={order.finds.resolve()}/{name}-",
        f"-dict={folder / 'words.txt'}",
    ]  # fmt: skip
    began = time.perf_counter()
    said, code = _told([*command, str(grown), *_limits(order), *usual], folder)
    seconds = time.perf_counter() - began
    states, done = _STATE.findall(said), _DONE.search(said)
    last = states[-1] if states else ("0", "0", "0", "0", "0")
    line = {
        "target": name, "seed": order.seed, "runs": int(done[1] if done else last[0]),
        "finds": int(code != 0), "seconds": round(seconds, 1), "coverage": int(last[1]),
        "features": int(last[2]), "corpus_found": len(list(grown.iterdir())),
    }  # fmt: skip
    told = {name: int(value) for name, value in _STAT.findall(said)}
    line["peak_rss_mb"] = told.get("peak_rss_mb", 0)
    line["runs_per_s"] = round(line["runs"] / seconds)
    if code:
        sys.stderr.write(said[-4000:])
        return line
    _told([*command, "-merge=1", str(small), str(grown), *usual], folder)
    found = corpus.packed(small)
    if order.keep and found:
        corpus.keep(name, corpus.spread(found))
    kept = corpus.kept(name)
    return line | {
        "corpus_minimised": len(found), "corpus_kept": len(kept),
        "corpus_kept_bytes": sum(map(len, kept)),
    }  # fmt: skip


def _limits(order: Order) -> list[str]:
    return [f"-runs={order.runs}", f"-max_total_time={order.seconds}", f"-seed={order.seed}"]


def _told(command: Sequence[str], folder: Path) -> tuple[str, int]:
    """Run a command; give what it wrote on standard error, and its status."""
    log = folder / "log.txt"
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    with log.open("wb") as file:
        done = subprocess.run(
            command, stdout=file, stderr=file, check=False, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)},
        )  # fmt: skip
    return log.read_text(encoding="utf-8", errors="replace"), done.returncode
