"""Files of texts, and the command that answers them by parts as small as tests need."""

import csv
import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bayespress.bulk import cutting, memory
from bayespress.cli import bulk as display
from bayespress.storage import CACHE_VARIABLE
from tests.cli.helpers import worked

MODEL = Path(__file__).parents[2] / "examples" / "models" / "demo.bpr"
WORDS = ["dull", "a", "wonderful", "film", "cast", 'the "best"', "tedious,", "plot", "naïve\nart"]
PART = 2_000


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where the model is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def small_parts_and_no_haste(monkeypatch, cache):
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.setattr(cutting, "PART_BYTES", PART)
    monkeypatch.setattr(display, "_QUIET_SECONDS", 600)


def texts_of(count=120, seed=1):
    source = random.Random(seed)
    return [" ".join(source.choices(WORDS, k=source.randint(0, 9))) for _ in range(count)]


def write(path, texts):
    """Write a table of texts, in the way that the file's ending says."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        parquet.write_table(pa.table({"id": range(len(texts)), "text": texts}), path)
        return path
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if kind in ("csv", "tsv"):
            writer = csv.writer(file, delimiter="," if kind == "csv" else "\t")
            writer.writerows([("id", "text"), *enumerate(texts)])
        elif kind == "txt":
            file.writelines(text.replace("\n", " ") + "\n" for text in texts)
        else:
            rows = ({"id": number, "text": text} for number, text in enumerate(texts))
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def read(path):
    """Read a table of answers as objects whose values are text, as CSV has them."""
    path = Path(path)
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        rows = parquet.read_table(path).to_pylist()
    else:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            if kind in ("csv", "tsv"):
                rows = list(csv.DictReader(file, delimiter="," if kind == "csv" else "\t"))
            else:
                rows = [json.loads(line) for line in file]
    return [{key: str(value) for key, value in row.items()} for row in rows]


def predict(*inputs, output="out", flags=()):
    """Answer files by a single process, which starts sooner than two."""
    named = [word for path in inputs for word in ("--input", path)]
    return worked("predict", MODEL, *named, "--output", output, "--workers", "1", *flags)


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and memory.FOLDER not in path.parts
    }
