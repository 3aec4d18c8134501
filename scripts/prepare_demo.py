"""Make the demo's data file from the source distribution of vaderSentiment 3.3.2.

    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    python scripts/prepare_demo.py vaderSentiment-3.3.2.tar.gz

The result depends on nothing but the archive's content.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import re
import tarfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/bayespress/data/demo/sentences.tsv.gz"
INNER_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SENTENCES = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
SHARES = (("train", 0.80), ("validation", 0.90), ("test", 1.0))

Sentence = tuple[str, str, str]


def read_member(archive: bytes, name: str) -> bytes:
    """Read one file of a gzipped tar archive."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        file = tar.extractfile(name)
        if file is None:
            raise SystemExit(f"{name} is not a file in the archive")
        return file.read()


def split_of(text: str) -> str:
    """Choose a split by the words of a sentence, so that equal sentences share their split."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    position = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") / 2**64
    return next(split for split, end in SHARES if position < end)


def sentences(source: str) -> Iterable[Sentence]:
    """Iterate over split, label and text; a mean rating of 0 says nothing and is left out."""
    for line in source.splitlines():
        _, rating, text = line.split("\t")
        if float(rating) != 0:
            yield split_of(text), "positive" if float(rating) > 0 else "negative", text.strip()


def pack(rows: Iterable[Sentence]) -> bytes:
    """Write tab-separated values, gzipped without a time stamp."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(("split", "label", "text"))
    writer.writerows(rows)
    packed = io.BytesIO()
    # GzipFile, unlike gzip.compress(), writes no byte that names the operating system.
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(table.getvalue().encode())
    return packed.getvalue()


def main() -> None:
    """Write the file and tell what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz")
    parser.add_argument("--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    source = read_member(read_member(arguments.sdist.read_bytes(), INNER_ARCHIVE), SENTENCES)
    rows = list(sentences(source.decode("utf-8")))
    arguments.output.write_bytes(pack(rows))
    for (split, label), count in sorted(Counter(row[:2] for row in rows).items()):
        print(split, label, count)
    print(arguments.output, arguments.output.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
