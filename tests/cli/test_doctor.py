"""``bayespress doctor``: what is there, what is not, and what to do."""

import json

import pytest

from bayespress.cli import doctor
from bayespress.compiler import BuildError
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.errors import EXTRAS_OF_MODULE
from tests.cli.helpers import worked


def findings():
    return {one["topic"]: one for one in json.loads(worked("doctor", "--json"))["findings"]}


def test_it_shows_a_line_for_everything():
    lines = worked("doctor").splitlines()
    found = findings()
    assert all(line[4:].startswith(topic) for line, topic in zip(lines, found, strict=True))
    assert {f"extra {extra}" for extra in EXTRAS_OF_MODULE.values()} < set(found)
    assert {line[:2] for line in lines} <= {"ok", "--"}
    assert found["extra train"]["is_well"]
    assert "torch 2." in found["extra train"]["found"]
    assert found["finished models"]["found"].startswith("numpy ")


def test_a_missing_package_comes_with_the_command_that_installs_it(monkeypatch):
    find_spec = doctor.importlib.util.find_spec
    monkeypatch.setattr(
        doctor.importlib.util,
        "find_spec",
        lambda name: None if name in {"sklearn", "torch"} else find_spec(name),
    )
    found = findings()
    assert found["extra sklearn"] == {
        "topic": "extra sklearn",
        "is_well": False,
        "found": "scikit-learn missing: pip install 'bayespress[sklearn]'",
    }
    assert found["extra train"]["found"] == "torch missing: pip install 'bayespress[train]'"
    assert "training steps" not in found


def test_a_missing_compiler_is_said(monkeypatch):
    def none():
        raise BuildError("there is no C compiler: install gcc or clang")

    monkeypatch.setattr(doctor, "compiler_version", none)
    lines = [" ".join(line.split()) for line in worked("doctor").splitlines()]
    assert "-- C compiler there is no C compiler: install gcc or clang" in lines


@pytest.mark.parametrize("folder", ["mine", None])
def test_it_tells_where_data_come_from(monkeypatch, folder):
    if folder:
        monkeypatch.setenv(DATA_VARIABLE, folder)
    expected = folder or "downloaded at need (BAYESPRESS_DATA names your own)"
    assert findings()["data"]["found"] == expected
