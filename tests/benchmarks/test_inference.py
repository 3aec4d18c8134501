"""The benchmark of inference measures every engine and prints what its readers look for."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bayespress.compact import save
from tests.compact.strategies import encoder_of, random_model
from tests.export.helpers import needs_compiler

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "inference.py"
KEYS = {"model", "engine", "input", "batch", "texts_per_s", "ratio_to_dense_torch", "threads"}
DENSE = ["torch"]
if all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime")):
    DENSE.append("onnxruntime")


def run(folder, info):
    words = ["good", "bad", "it"]
    model = random_model(encoder_of(words, max_length=5), 2, 3, [0, 4, 5, 7], 1, info=info)
    save(model, folder / "tiny.bpr")
    rows = (f"{'good it' if n % 2 else 'bad'} {n} it,{n % 2}\n" for n in range(40))
    (folder / "texts.csv").write_text("text,label\n" + "".join(rows))
    command = [sys.executable, SCRIPT, folder / "tiny.bpr", folder / "texts.csv"]
    options = ["--repeats", "1", "--starts", "1", "--texts", "5", "--batches", "1", "3"]
    environment = {**os.environ, "BAYESPRESS_CACHE": str(folder / "cache")}
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False, env=environment
    )


@needs_compiler
@pytest.mark.skipif(shutil.which("size") is None, reason="no size")
def test_every_engine_has_its_lines(tmp_path):
    done = run(tmp_path, {"words": [3, 31], "dims": [2, 4], "neurons": [3, 8]})
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stdout
    *timed, native, program = map(json.loads, done.stdout.splitlines())
    assert all(line.keys() >= KEYS for line in timed)
    # The program's time is a difference, which one pair on a busy machine may have below zero.
    assert all(line["texts_per_s"] > 0 for line in timed if line["engine"] != "C program")
    sides = [(line["engine"], line["input"], line["batch"]) for line in timed]
    assert sides == [
        *((engine, what, batch) for batch in (1, 3) for engine in (*DENSE, "numpy", "C")
          for what in ("ids", "text")),
        ("C program", "text", 10_000),
        ("cold predict", "text", 1),
    ]  # fmt: skip
    assert [line["ratio_to_dense_torch"] for line in timed if line["engine"] == "torch"] == [1] * 4
    assert {line["model"] for line in timed} == {"tiny"}
    for line in (native, program):
        assert line["writable_bytes"] == 0
        assert min(line["constant_bytes"], line["code_bytes"], line["stack_bytes"]) > 0


def test_a_model_that_does_not_know_its_origin_is_refused(tmp_path):
    done = run(tmp_path, {})
    assert done.returncode == 1
    assert "the model does not say what it was made from" in done.stderr
