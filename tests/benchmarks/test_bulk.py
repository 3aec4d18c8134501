"""The benchmark of ``predict --input``, and what it is for: memory does not grow with the file."""

import json
from pathlib import Path

import pytest

from tests.loading import load_file

ROOT = Path(__file__).parents[2]
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    bulk = load_file(ROOT / "benchmarks" / "bulk.py")
    line = json.dumps({"text": "a wonderful film with a dull plot " * 60}) + "\n"
    measured = []
    for megabytes in (24, 96):
        source = tmp_path / f"{megabytes}.jsonl"
        count = megabytes * 1_000_000 // len(line)
        with source.open("w") as file:
            file.writelines(line for _ in range(count))
        model = ROOT / "examples" / "models" / "demo.bpr"
        measured.append(bulk.run(model, source, tmp_path / f"out-{megabytes}", 1))
        assert measured[-1]["rows_per_s"] > 0
    # Of 72 MB more that are read; how many parts wait at once differs by some tens.
    assert measured[1]["peak_mb"] < measured[0]["peak_mb"] + 50
