"""Equal seeds give equal bytes: in another process, another folder, with another hash seed."""

import os
import subprocess
import sys

import pytest

from tests.cli.helpers import TINY, rows, write_csv

NETWORKS = {"papers": [], "others": ["--cell", "gru", "--layers", "2", "--bidirectional",
                                     "--pooling", "max", "--dropout", "0.2"]}  # fmt: skip


def trained(folder, hash_seed, flags):
    folder.mkdir(parents=True)
    write_csv(folder / "reviews.csv", rows())
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1",
                   "BAYESPRESS_CACHE": str(folder / "cache")}  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "bayespress.cli",
        "train",
        "reviews.csv",
        *TINY,
        "--epochs",
        "5",
        *flags,
    ]
    subprocess.run(
        [*command, "--output", "run"], cwd=folder, env=environment, check=True, capture_output=True
    )
    return folder / "run"


@pytest.mark.parametrize("network", NETWORKS)
def test_a_run_is_the_same_in_another_process_folder_and_hash_seed(tmp_path, network):
    first = trained(tmp_path / "one", "1", NETWORKS[network])
    second = trained(tmp_path / "deep" / "er" / "two", "4242", NETWORKS[network])
    for name in ("model.bpr", "config.toml", "best.safetensors"):
        files = [*first.rglob(name)], [*second.rglob(name)]
        assert len(files[0]) == len(files[1])
        for one, other in zip(*files, strict=True):
            assert one.read_bytes() == other.read_bytes(), name
    assert (first / "model.bpr").exists()
