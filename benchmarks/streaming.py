"""Read a large data set whole and streamed, and see how much memory each takes.

    python benchmarks/streaming.py --texts 300000

writes a data set of so many texts as Parquet, six files of them, and prints one JSON line for each
way, each in a process of its own. README.md explains how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FILES = 6
WORDS = 50_000


def write(folder: Path, texts: int) -> int:
    """Write texts of 60 to 179 words, drawn by Zipf's law; return how many bytes they have."""
    import pyarrow as pa  # noqa: PLC0415 - the process that measures shall not have it
    from pyarrow import parquet  # noqa: PLC0415

    random = np.random.default_rng(1)
    words = np.array([f"w{number:x}" for number in random.integers(0, 2**40, WORDS)], dtype=object)
    share = (1 / np.arange(1, WORDS + 1)).cumsum()
    share /= share[-1]
    size = 0
    for file in range(FILES):
        made = []
        for _ in range(texts // FILES):
            drawn = np.searchsorted(share, random.random(random.integers(60, 180)))
            made.append(" ".join(words[drawn]))
        size += sum(map(len, made))
        table = pa.table({"text": made, "label": random.integers(0, 2, len(made))})
        name = f"train-{file:05d}-of-{FILES:05d}.parquet"
        parquet.write_table(table, folder / name, row_group_size=5000)
    return size


def measure(source: str, *, streaming: bool) -> dict[str, object]:
    """Load, choose the words, encode; tell what this process had in memory at most."""
    import datasets  # noqa: F401, PLC0415 - part of the start

    from bayespress import data  # noqa: PLC0415
    from bayespress.config import Config  # noqa: PLC0415
    from bayespress.training.prepare import fingerprint, prepare  # noqa: PLC0415

    start, began = peak_mb(), time.perf_counter()
    said = {"source": source, "max_length": 100, "streaming": streaming}
    config = Config.from_flat(said)
    splits = data.load(config.data)
    loaded = peak_mb()
    digest = fingerprint(splits)
    prepare(config, splits, digest)
    return {
        "way": "streamed" if streaming else "whole",
        "start_mb": start,
        "load_mb": loaded - start,
        "all_mb": peak_mb() - start,
        "seconds": round(time.perf_counter() - began, 1),
        "digest": digest[:8],
    }


def peak_mb() -> int:
    """Largest resident memory of this program so far, as Linux tells it.

    What getrusage tells begins with that of the process which started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=300_000)
    parser.add_argument("--read", choices=("whole", "streamed"), help="used by the program itself")
    parser.add_argument("--source")
    given = parser.parse_args()
    if given.read:
        print(json.dumps(measure(given.source, streaming=given.read == "streamed")))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "texts"
        folder.mkdir()
        size = write(folder, given.texts)
        for way in ("whole", "streamed"):
            caches = {"BAYESPRESS_CACHE": f"{name}/{way}", "HF_DATASETS_CACHE": f"{name}/{way}"}
            command = [sys.executable, __file__, "--read", way, "--source", f"hf:{folder}"]
            done = subprocess.run(
                command, env={**os.environ, **caches}, capture_output=True, text=True, check=True
            )
            print(json.dumps({"texts_mb": size >> 20, **json.loads(done.stdout)}), flush=True)


if __name__ == "__main__":
    main()
