"""The benchmark of several cells prints what its readers look for."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.export.helpers import needs_compiler

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "networks.py"


@needs_compiler
def test_both_kinds_of_cells_have_a_line(tmp_path):
    options = ["--neurons", "2", "--texts", "2", "--repeats", "1", "--pooling", "max"]
    done = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False,
        env={**os.environ, "BAYESPRESS_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = list(map(json.loads, done.stdout.splitlines()))
    assert [line["cell"] for line in lines] == ["lstm", "gru"]
    for line in lines:
        assert (line["layers"], line["directions"], line["texts"]) == (2, 2, 2)
        assert min(line["numpy_s"], line["c_s"], line["ratio"]) > 0
        assert line["largest_difference"] < 1e-5
