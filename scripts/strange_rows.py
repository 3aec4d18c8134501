"""Train on 10,000, 100,000 and 1,000,000 rows, and watch time and memory.

    python scripts/strange_rows.py
    python scripts/strange_rows.py --rows 10000 100000 --ways csv

Rows of 8 to 15 words and one of two labels are read from one file of CSV, which is held in memory,
and from Parquet files as `hf:folder --streaming`, which keeps texts on disk. One epoch of a small
network follows. The memory of the largest process is told as Linux tells it, and what each row
took beyond the fewest rows. Prints a JSON object; the exit code is 1 if a run fails.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))
from processes import family, highest

WORDS = [f"w{number}" for number in range(20_000)]
FILES, AT_ONCE = 4, 50_000
TRAIN = (
    *("--epochs", "1", "--embedding-size", "8", "--hidden-size", "8", "--batch-size", "1024"),
    *("--max-length", "20", "--vocabulary-size", "20000"),
)


def rows(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Draw so many texts and labels."""
    source = random.Random(seed)
    for _ in range(count):
        words = source.choices(WORDS, k=source.randint(8, 15))
        yield " ".join(words), "ab"[source.randint(0, 1)]


def write(way: str, folder: Path, count: int, seed: int) -> str:
    """Write rows; give the source as the command names it."""
    if way == "csv":
        path = folder / "rows.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(itertools.chain([("text", "label")], rows(count, seed)))
        return str(path)
    import pyarrow as pa  # noqa: PLC0415 - not everybody has it
    from pyarrow import parquet  # noqa: PLC0415

    made, schema = rows(count, seed), pa.schema([("text", pa.string()), ("label", pa.string())])
    for number in range(FILES):
        name = folder / f"train-{number:05d}-of-{FILES:05d}.parquet"
        left = count // FILES + (count % FILES if number == 0 else 0)
        with parquet.ParquetWriter(name, schema) as writer:
            while left > 0 and (some := list(itertools.islice(made, min(left, AT_ONCE)))):
                columns = [list(column) for column in zip(*some, strict=True)]
                writer.write_table(pa.table(columns, schema=schema))
                left -= len(some)
    return f"hf:{folder}"


def train(way: str, count: int, seed: int) -> dict[str, Any]:
    """Train on so many rows; give seconds and megabytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rows"
        folder.mkdir()
        source = write(way, folder, count, seed)
        more = [] if way == "csv" else ["--streaming"]
        command = [sys.executable, "-m", "bayespress.cli", "train", source, *TRAIN, *more]
        caches = {"BAYESPRESS_CACHE": f"{name}/cache", "HF_DATASETS_CACHE": f"{name}/cache"}
        began, most = time.perf_counter(), 0.0
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*command, "--output", f"{name}/run"],
                env={**os.environ, **caches},
                stdout=said,
                stderr=said,
            )
            while process.poll() is None:
                most = max([most, *map(highest, family(process.pid))])
                time.sleep(0.05)
            said.seek(0)
            if process.returncode:
                raise SystemExit(f"{way}, {count:,} rows: {said.read()[-500:].decode()}")
    seconds = round(time.perf_counter() - began, 1)
    print(f"{way}, {count:,} rows: {seconds} s, {most:.0f} MB", file=sys.stderr, flush=True)
    return {"way": way, "rows": count, "seconds": seconds, "peak_mb": round(most)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--ways", nargs="+", choices=("csv", "streamed"), default=["csv", "streamed"]
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    lines = [train(way, count, given.seed) for way in given.ways for count in given.rows]
    for line in lines:
        least = next(one for one in lines if one["way"] == line["way"])
        if line["rows"] > least["rows"]:
            more = (line["peak_mb"] - least["peak_mb"]) * 1e6 / (line["rows"] - least["rows"])
            line["bytes_a_row_more"] = round(more)
    print(json.dumps({"seed": given.seed, "runs": lines}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
