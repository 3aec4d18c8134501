"""``examples/ray_predict.py`` answers as ``predict --input`` does."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bayespress import runtime

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "examples" / "models" / "demo.bpr"


@pytest.mark.slow
def test_ray_gives_each_row_the_answer_of_its_text(tmp_path):
    pytest.importorskip("ray.data", reason="pip install 'bayespress[ray]'", exc_type=ImportError)
    texts = ["dull and tedious", None, "a wonderful, moving film"] * 20
    for name in ("a", "b"):
        table = pa.table({"id": [f"{name}{number}" for number in range(60)], "text": texts})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    command = [sys.executable, ROOT / "examples" / "ray_predict.py", MODEL, tmp_path / "*.parquet"]
    done = subprocess.run(
        [*map(str, command), str(tmp_path / "out")],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"answers to 2 files are in {tmp_path / 'out'}\n")
    rows = parquet.read_table(tmp_path / "out").sort_by("id").to_pylist()
    assert len(rows) == 120
    model = runtime.load_classifier(MODEL)
    known = [row["text"] or "" for row in rows]
    assert [row["label"] for row in rows] == model.predict(known)
    found = [row["probability"] for row in rows]
    assert found == pytest.approx(model.predict_proba(known).max(axis=1).tolist(), abs=2e-5)
