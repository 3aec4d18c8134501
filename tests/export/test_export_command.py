"""The command ``export``."""

import pytest

from bayespress.cli.export import TARGETS
from bayespress.compact import CompactGRU, save
from tests.cli.helpers import refused, worked
from tests.compact.language_strategies import small_language_model
from tests.compact.strategies import encoder_of, random_network, small_model


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    save(small_model(), "model.bpr")


def labels_model():
    layers = [[2, 1], [1, 2]]
    return random_network(encoder_of(["good"]), CompactGRU, layers, outputs=3, multi_label=True)


def test_it_tells_what_it_wrote_and_what_to_type_next(tmp_path):
    said = worked("export", "model.bpr", "--to", "c", "--output", "in c", "--name", "mood")
    *files, advice = said.splitlines()
    names = ["mood.h", "mood.c", "main.c", "Makefile"]
    sizes = {name: (tmp_path / "in c" / name).stat().st_size for name in names}
    assert files == [f"{sizes[name]:>12,} bytes  in c/{name}" for name in names]
    assert advice == "next: make -C 'in c'"


@pytest.mark.parametrize(("target", "inside"), [("js", "export function"), ("html", "<title>Mood")])
@pytest.mark.parametrize("model", [small_model, small_language_model, labels_model])
def test_modules_and_pages_are_one_file(tmp_path, target, inside, model):
    save(model(), "any.bpr")
    command = ["export", "any.bpr", "--to", target, "--output", "one file", "--title", "Mood"]
    first, advice = worked(*command).splitlines()
    assert first == f"{(tmp_path / 'one file').stat().st_size:>12,} bytes  one file"
    assert advice.startswith("next: ")
    assert "'one file'" in advice
    assert inside in (tmp_path / "one file").read_text()
    assert "exists already" in refused(*command)
    worked(*command, "--force")


def test_a_language_model_in_a_runs_folder_is_found(tmp_path):
    (tmp_path / "run").mkdir()
    save(small_language_model(), "run/model.bpr")
    worked("export", "run", "--to", "c", "--output", "out")
    assert "model_next" in (tmp_path / "out/model.h").read_text()


def test_help_names_every_target():
    said = worked("export", "--help")
    assert f"--to [{'|'.join(TARGETS)}]" in said
    assert all(len(line) <= 80 for line in said.splitlines())


MISTAKES = {
    "target": (
        ["--to", "cc"],
        "--to must be one of c, js, html, onnx, got 'cc'; did you mean 'c'?",
    ),
    "no target": ([], "missing option '--to' (see 'bayespress export --help')"),
    "name": (["--to", "c", "--name", "a-b"], "the name 'a-b' is not one of C: give --name letters"),
    "output": (["--to", "c", "--output", "full"], "full is not empty: choose another --output, or"),
    "page is there": (
        ["--to", "html", "--output", "full/mine"],
        "full/mine exists already: choose",
    ),
    "page is a folder": (["--to", "js", "--output", "full"], "full is a folder: give --output the"),
    "file": (["--to", "c", "--output", "model.bpr"], "model.bpr is a file: give --output the name"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_answered_with_one_line_and_writes_nothing(tmp_path, arguments, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    before = sorted(tmp_path.rglob("*"))
    line = refused("export", "model.bpr", "--output", "out", *arguments)
    assert message in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["nothing.bpr", "notes.txt"])
def test_what_is_no_model_is_refused(tmp_path, name):
    (tmp_path / "notes.txt").write_text("not a model")
    line = refused("export", name, "--to", "c", "--output", "out")
    assert name in line
    assert not (tmp_path / "out").exists()


def test_force_writes_into_a_full_folder(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    worked("export", "model.bpr", "--to", "c", "--output", "full", "--force")
    worked("export", "model.bpr", "--to", "c", "--output", "full", "--force")
    assert (tmp_path / "full" / "mine").read_text() == "mine"
