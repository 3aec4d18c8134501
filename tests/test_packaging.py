"""The wheel and the source archive: built, and the wheel at work where only its needs are."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

import bayespress

ROOT = Path(__file__).parents[1]
NEEDED = (
    "bayespress/py.typed",
    "bayespress/recipes/imdb-fast.toml",
    "bayespress/kernels/source/lstm.c",
    "bayespress/export/c/source/classifier.c",
    "bayespress/export/templates/classifier.mjs",
    "bayespress/data/demo/LICENSE.txt",
)


def asked_for_by(name):
    """Names of all packages that one cannot do without, as their metadata say."""
    for requirement in distribution(name).requires or ():
        if ";" not in requirement:  # else it is for an extra, or another Python
            found = re.match(r"[\w.-]+", requirement)[0]
            yield found
            yield from asked_for_by(found)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with wheel and source archive."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    """An interpreter that has the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for name in asked_for_by("bayespress"):
        for file in distribution(name).files:
            top = file.parts[0]
            if top != ".." and not (packages / top).exists():
                (packages / top).symlink_to(distribution(name).locate_file(top))
    return folder / "bin" / "python"


def run(python, *arguments, **changes):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [python, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        **changes,
    )


def test_wheel_and_source_archive_hold_what_is_needed(built):
    (wheel,), (source,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert set(NEEDED) <= set(names)
    assert all(name.startswith("bayespress") for name in names)
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in NEEDED} | {"LICENSE", "README.md", "CHANGELOG.md"} <= names


def test_an_installed_wheel_runs_finished_models(python, tmp_path):
    model = str(ROOT / "examples" / "models" / "demo.bpr")
    done = run(
        python, "-m", "bayespress.cli", "predict", model, "a funny, moving film", cwd=tmp_path
    )
    assert '"label": "positive"' in done.stdout, done.stderr
    (tmp_path / "texts.csv").write_text("text\nfunny and moving\n")
    done = run(
        *(python, "-m", "bayespress.cli", "predict", model, "--input", "texts.csv"),
        *("--output", "answers"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    answers = (tmp_path / "answers" / "texts.csv").read_text()
    assert answers.startswith("text,label,probability\nfunny and moving,positive,0.")
    done = run(python, "-c", "import bayespress; print(bayespress.__file__)", cwd=tmp_path)
    assert str(python.parents[1]) in done.stdout


def test_without_extras_each_command_names_what_it_needs(python, tmp_path):
    done = run(python, "-m", "bayespress.cli", "train", "demo", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("pip install 'bayespress[train]'\n")
    done = run(python, "-m", "bayespress.cli", "doctor", cwd=tmp_path)
    assert done.returncode == 0
    for extra in ("train", "onnx", "sklearn"):
        assert f"pip install 'bayespress[{extra}]'" in done.stdout


def test_citation_and_changelog_speak_of_this_version():
    assert f"version: {bayespress.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_a_users_typed_script_passes_the_type_checker(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import bayespress\n"
        "model = bayespress.load('model.bpr')\n"
        "if isinstance(model, bayespress.TextPredictor):\n"
        "    labels: list[str] = model.predict(['What a lovely evening'])\n"
        "    reveal_type(model.predict_proba(['x']))\n"
    )
    done = run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(tmp_path),
        str(script),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "numpy.ndarray" in done.stdout
