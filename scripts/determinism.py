"""Train the same settings in several surroundings, and tell which of them change the result.

    python scripts/determinism.py
    python scripts/determinism.py --source reviews.csv --seed 3 -- --hidden-size 20

The first run is what the others are held against: one thread, one process, compiled kernels for
this processor. Prints a line of JSON for each; ends with status 1 if one that must give equal bytes
(another process, folder and hash seed) does not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILES = ("model.bpr", "best.safetensors", "checkpoint.safetensors")
TOLD = ("test_accuracy_file", "compression_ratio", "file_bytes", "best_epoch")
# The compiler, without the instructions of this processor and with those that are named.
COMPILER = """#!/bin/sh
keep=""
for a in "$@"; do case "$a" in -march=*|-mprefer*) ;; *) keep="$keep $a";; esac; done
exec {compiler} $keep -march={instructions}
"""


@dataclass(frozen=True)
class Surroundings:
    """What is other than in the first run."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: int = 1
    must_be_equal: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Run in all surroundings, and hold each against the first."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog="Behind a -- come settings for the training."
    )
    parser.add_argument("--source", default="demo", help="what is learned from  [demo]")
    parser.add_argument("--seed", type=int, default=1, help="of the training  [1]")
    words = list(sys.argv[1:] if arguments is None else arguments)
    cut = words.index("--") if "--" in words else len(words)
    given, further = parser.parse_args(words[:cut]), words[cut + 1 :]
    source = Path(given.source).resolve() if Path(given.source).exists() else given.source
    settings = [str(source), "--seed", str(given.seed), *further]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, problems = None, 0
        for number, around in enumerate(all_surroundings(folder)):
            print(f"{around.name}…", file=sys.stderr)
            run = train(folder / f"run {number}", around, settings)
            first = first or run
            line = compared(around, run, first)
            problems += around.must_be_equal and not line["equal_bytes"]
            print(json.dumps({**line, "seed": given.seed}), flush=True)
    sys.exit(problems > 0)


def all_surroundings(folder: Path) -> list[Surroundings]:
    """Name them; those of other processors need gcc or clang on an x86-64."""
    found = [
        Surroundings("first"),
        Surroundings(
            "another process, folder and hash seed", {"PYTHONHASHSEED": "4242"}, must_be_equal=True
        ),
        Surroundings("two threads", {"OMP_NUM_THREADS": "2"}),
        Surroundings("two processes", processes=2),
        Surroundings("no compiled kernels", {"BAYESPRESS_KERNELS": "0"}),
    ]
    compiler = shutil.which("cc") or shutil.which("gcc")
    if platform.machine() != "x86_64" or compiler is None:
        return found
    for instructions in ("haswell", "x86-64"):
        if instructions == "haswell" and "avx2" not in Path("/proc/cpuinfo").read_text():
            continue
        script = folder / f"cc-{instructions}"
        script.write_text(COMPILER.format(compiler=compiler, instructions=instructions))
        script.chmod(0o755)
        # A cache of its own: there, the compiler is the same and the processor is too.
        environment = {"CC": str(script), "BAYESPRESS_CACHE": str(folder / instructions)}
        found.append(Surroundings(f"kernels for {instructions}", environment))
    return found


def train(folder: Path, around: Surroundings, settings: Sequence[str]) -> Path:
    """Train; return the run's folder."""
    folder.mkdir()
    command = [sys.executable, "-m", "bayespress.cli"]
    if around.processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(around.processes)]
        command = [sys.executable, *torchrun, "-m", "bayespress.cli"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "1"}
    subprocess.run(
        [*command, "train", *settings, "--output", "run"],
        cwd=folder,
        env={**environment, **around.environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "run"


def compared(around: Surroundings, run: Path, first: Path) -> dict[str, Any]:
    """Tell what a run gave, and from which epoch on it is another than the first."""
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    equal = all((run / name).read_bytes() == (first / name).read_bytes() for name in FILES)
    losses, others = losses_of(first), losses_of(run)
    # Another run may end sooner.
    pairs = enumerate(zip(losses, others, strict=False))
    epoch = next((k for k, (one, other) in pairs if one != other), None)
    return {
        "surroundings": around.name,
        "equal_bytes": equal,
        "first_epoch_that_differs": None if epoch is None else epoch + 1,
        "by": None if epoch is None else abs(others[epoch] / losses[epoch] - 1),
        **{key: result[key] for key in TOLD if key in result},
    }


def losses_of(run: Path) -> list[float]:
    """Read the training loss of each epoch."""
    lines = (run / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["nll"] for line in lines]


if __name__ == "__main__":
    main()
