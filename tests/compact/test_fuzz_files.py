"""The script that damages files: it knows networks of every kind, and its damage is looked at."""

import json
import random
import re
from pathlib import Path

import pytest

from bayespress.compact import dumps, loads
from bayespress.errors import ArtifactError
from tests.compact.strategies import small_model
from tests.loading import load_file

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_files.py"


@pytest.fixture(scope="module")
def script():
    return load_file(SCRIPT)


def test_random_networks_are_of_every_kind_and_equal_for_equal_seeds(script):
    files = list(script.random_networks(200, seed=4))
    assert files == list(script.random_networks(200, seed=4))
    models = [loads(data) for data in files]
    kinds = {(model.layers[0][0].name, len(model.layers), len(model.layers[0])) for model in models}
    assert kinds == {(cell, depth, cells) for cell in ("lstm", "gru") for depth in (1, 2, 3)
                     for cells in (1, 2)}  # fmt: skip
    assert {model.pooling for model in models} == {"last", "mean", "max"}
    assert {model.multi_label for model in models} == {False, True}
    assert any(cell.hidden_size == 0 for model in models for la in model.layers for cell in la)


def test_damage_reaches_what_lies_behind_the_checksum(script):
    source, networks = random.Random(0), list(script.random_networks(60, seed=0))
    reasons = set()
    for _ in range(3000):
        try:
            loads(script.damaged(source.choice(networks), source))
        except ArtifactError as error:
            reasons.add(re.sub(r"'[^']*'|\\d+", "", str(error)))
    reasons = " ".join(reasons)
    assert "checksum" not in reasons
    for reason in ("kind of cell", "one cell nor two", "pooling is", "bitmap", "unknown kind",
                   "negative or more", "not of type", "layers"):  # fmt: skip
        assert reason in reasons


def test_a_run_prints_its_figures(script, tmp_path, capsys):
    (tmp_path / "model.bpr").write_bytes(dumps(small_model()))
    script.main([str(tmp_path / "model.bpr"), "--seconds", "0.3", "--networks", "5"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["files"] > figures["sound"] >= 0
    assert figures["seed"] == 1


def test_nothing_to_damage_is_refused(script, capsys):
    with pytest.raises(SystemExit):
        script.main(["--networks", "0"])
    assert "there is nothing to damage: give model files" in capsys.readouterr().err
