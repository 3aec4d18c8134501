"""The oldest versions that are tested are those that pyproject names."""

import tomllib
from pathlib import Path

import pytest

from tests.loading import load_file

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script():
    return load_file(ROOT / "scripts" / "check_versions.py")


def test_every_dependency_has_an_oldest_version(script):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bounds = script.lower_bounds(project)
    assert {"numpy", "torch", "click", "optuna", "mkdocstrings[python]"} <= bounds.keys()
    table = project["project"]
    assert f"torch>={bounds['torch']}" in table["optional-dependencies"]["train"]
    assert not any(name.startswith(("ray", "matplotlib")) for name in bounds)


def test_the_strictest_of_two_bounds_counts(script):
    extras = {"one": ["a>=1.9"], "two": ["A>=1.10", "bayespress[one]"]}
    project = {
        "project": {"dependencies": ["b_c>=2"], "optional-dependencies": extras},
        "build-system": {"requires": ["a>=1.2"]},
    }
    assert script.lower_bounds(project) == {"a": "1.10", "b-c": "2"}


@pytest.mark.parametrize("requirement", ["a", "a==1", "a>=1,<2", "a>=1; python_version>'3'"])
def test_a_dependency_without_a_lower_bound_is_named(script, requirement):
    project = {
        "project": {"dependencies": [requirement], "optional-dependencies": {}},
        "build-system": {"requires": []},
    }
    with pytest.raises(SystemExit, match="has no lower bound that can be tested"):
        script.lower_bounds(project)
