"""Install the wheel into empty environments, alone and with each extra, and use what it brings.

    python scripts/check_extras.py [EXTRA …]

Each environment is made anew in a temporary folder, with the versions of ``constraints.txt`` where
that names them. Prints a line of JSON for each; ends with status 1 if one fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "examples" / "models" / "demo.bpr"

_TRAIN = (
    "-m", "bayespress.cli", "train", "demo", "--epochs", "1", "--dense-epochs", "0",
    "--finetune-epochs", "0", "--output", "run",
)  # fmt: skip
_FIT = """
from bayespress import TextClassifier
texts, labels = ["good film", "bad film"] * 8, ["yes", "no"] * 8
settings = {"embedding_size": 4, "hidden_size": 4, "min_documents": 1}
print(TextClassifier(settings, epochs=2).fit(texts, labels).predict(["good"]))
"""
USES: dict[str, Sequence[Sequence[str]]] = {
    "": [
        ("-m", "bayespress.cli", "predict", str(MODEL), "a lovely film"),
        ("-c", f"import bayespress; print(bayespress.load({str(MODEL)!r}).predict(['dull']))"),
    ],
    "train": [_TRAIN, ("-m", "bayespress.cli", "predict", "run", "a lovely film")],
    "hf": [("-c", "import bayespress, datasets; print(datasets.__version__)")],
    "hub": [("-m", "bayespress.cli", "push", str(MODEL), "me/demo", "--output", "card")],
    "sklearn": [("-c", _FIT)],
    "onnx": [
        ("-m", "bayespress.cli", "export", str(MODEL), "--to", "onnx", "--output", "m.onnx"),
    ],
    "docs": [("-m", "mkdocs", "--version")],
    "tensorboard": [("-c", "from tensorboard.summary import Writer; print(Writer)")],
    "sweep": [
        ("-m", "bayespress.cli", "sweep", "demo", "--search", "hidden_size=4", "--epochs", "1",
         "--dense-epochs", "0", "--finetune-epochs", "0", "--output", "sweep"),
    ],
    "fuzz": [("-c", "import atheris; print(atheris.Setup)")],
    "ray": [("-c", "import ray.data; print(ray.__version__)")],
    "bench": [("-c", "import fasttext, matplotlib, sklearn; print(matplotlib.__version__)")],
}  # fmt: skip
"""What is run with each extra; the empty name is the base install."""


def main() -> None:
    """Check the extras that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", default=list(USES), metavar="EXTRA")
    extras = parser.parse_args().extras
    unknown = set(extras) - set(USES)
    if unknown:
        parser.error(
            f"there is no extra {min(unknown)!r}; there are {', '.join(filter(None, USES))}"
        )
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        lines = [check(extra, wheel, Path(folder)) for extra in extras]
    sys.exit(any(line["problem"] is not None for line in lines))


def build(folder: Path) -> Path:
    """Build the wheel with the environment that runs this."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check(extra: str, wheel: Path, folder: Path) -> dict[str, object]:
    """Install the wheel with an extra into an empty environment, and use it there."""
    started = time.perf_counter()
    place = folder / f"with-{extra or 'nothing'}"
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    wanted = f"bayespress[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    pip = (
        "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-c",
        str(ROOT / "constraints.txt"), wanted,
    )  # fmt: skip
    problem = next(filter(None, (fault(python, one, place) for one in (pip, *USES[extra]))), None)
    line = {
        "extra": extra,
        "seconds": round(time.perf_counter() - started, 1),
        "megabytes": sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) // 2**20,
        "problem": problem,
    }
    print(json.dumps(line), flush=True)
    shutil.rmtree(place)  # torch alone is a gigabyte
    return line


def fault(python: str, arguments: Sequence[str], place: Path) -> str | None:
    """Run a command; give the last lines that it wrote if it fails."""
    command = [python, *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return f"{' '.join(arguments[:4])}: {(done.stderr or done.stdout)[-400:]}"


if __name__ == "__main__":
    main()
