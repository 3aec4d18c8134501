"""Time `bayespress predict --input` on a large file, and watch its memory.

    BAYESPRESS_DATA=DIR python benchmarks/bulk.py examples/models/imdb.bpr --rows 1000000

The test reviews of IMDB are written again and again into one file of CSV, JSON lines or Parquet.
The command runs as a process; twenty times a second the resident memory of it and its workers is
read from /proc. `peak_mb` is the largest sum, `largest_mb` that of the largest single process;
memory that processes share counts for each. README.md explains how to read the line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

sys.path.append(str(Path(__file__).parents[1] / "scripts"))
from processes import family, resident

from bayespress import data
from bayespress.config import DataConfig

_AT_ONCE = 50_000


def main() -> None:
    """Measure, and print one line of JSON for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kind", choices=("csv", "jsonl", "parquet"), default="csv")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / f"reviews.{said.kind}"
        write(source, said.rows)
        for workers in said.workers:
            output = Path(name) / f"answers-{workers}"
            measured = run(said.model, source, output, workers)
            size = round(source.stat().st_size / 1e6)
            line = {"kind": said.kind, "rows": said.rows, "input_mb": size, "workers": workers}
            print(json.dumps({"model": said.model.stem, **line, **measured}), flush=True)


def write(path: Path, count: int) -> None:
    """Write so many rows of reviews."""
    texts = data.load_split(DataConfig(source="imdb"), "test").texts
    rows = enumerate(itertools.islice(itertools.cycle(texts), count))
    if path.suffix == ".parquet":
        write_parquet(path, rows)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            csv.writer(file).writerows(itertools.chain([("id", "text")], rows))
        else:
            objects = ({"id": number, "text": text} for number, text in rows)
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in objects)


def write_parquet(path: Path, rows: Iterator[tuple[int, str]]) -> None:
    """Write row groups as large as pyarrow makes them if one says nothing: of a million rows."""
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    tables = []
    while some := list(itertools.islice(rows, _AT_ONCE)):
        numbers, texts = zip(*some, strict=True)
        tables.append(pa.table([numbers, texts], schema=schema))
    parquet.write_table(pa.concat_tables(tables), path)


def run(model: Path, source: Path, output: Path, workers: int) -> dict[str, Any]:
    """Run the command; give its time and its memory."""
    command = [sys.executable, "-m", "bayespress.cli", "predict", model, "--input", source]
    began, worked, peak, largest = time.perf_counter(), processor_seconds(), 0.0, 0.0
    with subprocess.Popen(
        [*map(str, command), "--output", str(output), "--workers", str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        while process.poll() is None:
            sizes = [resident(number) for number in family(process.pid)]
            peak, largest = max(peak, sum(sizes)), max(largest, *sizes)
            time.sleep(0.05)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"the command ended with {process.returncode}")
    rows = int(said.partition(": ")[2].partition(" rows")[0].replace(",", ""))
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "rows_per_s": round(rows / seconds),
        "processor_s": round(processor_seconds() - worked, 2),
        "peak_mb": round(peak),
        "largest_mb": round(largest),
        "load": round(os.getloadavg()[0], 1),
    }


def processor_seconds() -> float:
    """Time of processors that all ended processes of this one took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
