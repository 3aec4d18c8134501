"""What is published: from a run, a file, a fitted estimator; and the folder it is written to."""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest

import bayespress
from bayespress import compact
from bayespress.errors import ArtifactError, ConfigError, RunError
from bayespress.hub import Facts, release_of
from bayespress.runtime import TextPredictor
from tests.cli.helpers import TINY_LANGUAGE, rows, worked
from tests.compact.strategies import small_model


def test_a_run_tells_its_figures_and_settings(trained):
    result = json.loads((trained.run / "result.json").read_text())
    facts = release_of(trained.run).facts
    assert facts.source == trained.source.name
    assert [(f.split, f.measure) for f in facts.figures] == [
        ("test", "accuracy"),
        ("validation", "accuracy"),
    ]
    assert facts.figures[0].value == result["test_accuracy_file"]
    assert (facts.epoch, facts.epochs) == (result["best_epoch"], 8)
    assert facts.versions == result["versions"]


def test_a_model_file_alone_tells_what_it_holds(demo):
    release = release_of(demo)
    assert release.content == demo.read_bytes()
    assert release.facts == Facts("demo")


def test_a_folder_has_the_file_the_facts_and_the_card(trained, tmp_path):
    paths = release_of(trained.run).write(tmp_path / "out", "me/reviews")
    assert [path.name for path in paths] == ["model.bpr", "config.json", "README.md"]
    assert (tmp_path / "out/model.bpr").read_bytes() == trained.model.read_bytes()
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config["library_name"] == "bayespress"
    assert config["model_sha256"] == hashlib.sha256(trained.model.read_bytes()).hexdigest()
    assert config["model"]["compression_ratio"] > 1
    assert str(trained.source.parent) not in (tmp_path / "out/README.md").read_text()
    assert str(trained.source.parent) not in (tmp_path / "out/config.json").read_text()


def test_an_edited_card_is_published_as_it_is(trained, tmp_path):
    release_of(trained.run).write(tmp_path)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\nmine\n")
    again = release_of(tmp_path)
    assert again.write_card("me/x") == "---\nlicense: mit\n---\nmine\n"
    assert again.facts == release_of(trained.run).facts
    with pytest.raises(ConfigError, match=r"say licence and language in README\.md"):
        again.telling("mit")


def test_a_rounded_file_is_measured_anew(trained, tmp_path):
    worked("compress", trained.run, "--output", tmp_path / "tiny.bpr", "--precision", "int8")
    release = release_of(trained.run, tmp_path / "tiny.bpr")
    assert release.content == (tmp_path / "tiny.bpr").read_bytes()
    test, validation = release.facts.figures
    model = compact.load(tmp_path / "tiny.bpr")
    evaluated = json.loads(worked("evaluate", tmp_path / "tiny.bpr", trained.source, "--json"))
    assert (test.value, test.count) == (evaluated["accuracy"], evaluated["texts"])
    assert validation.count is not None
    assert release.config()["model"]["precision"] == model.info["precision"]


def test_a_rounded_file_whose_data_are_elsewhere_has_no_figures(trained, tmp_path):
    run = shutil.copytree(trained.run, tmp_path / "run")
    settings = (run / "config.toml").read_text().replace(str(trained.source), "/gone/reviews.csv")
    (run / "config.toml").write_text(settings)
    other = tmp_path / "other.bpr"
    compact.save(small_model(), other)
    assert release_of(run, other).facts.figures == ()


def test_a_language_model_tells_perplexity(tmp_path):
    (tmp_path / "letters.txt").write_text("Dear friend, so it is.\nIt is so good.\n" * 40)
    run = tmp_path / "run"
    worked("train", tmp_path / "letters.txt", *TINY_LANGUAGE, "--epochs", "2", "--output", run)
    result = json.loads((run / "result.json").read_text())
    test, validation = release_of(run).facts.figures
    assert (test.measure, test.value) == ("perplexity", pytest.approx(result["test_perplexity"]))
    assert (validation.split, validation.measure) == ("validation", "perplexity")
    worked("train", tmp_path / "letters.txt", *TINY_LANGUAGE, "--level", "char", "--epochs", "1",
           "--output", tmp_path / "char")  # fmt: skip
    assert release_of(tmp_path / "char").facts.figures[0].measure == "bits_per_character"


def test_a_fitted_estimator_is_one_line():
    texts, labels = zip(*rows(60), strict=True)
    settings = {"embedding_size": 4, "hidden_size": 4, "batch_size": 16, "min_documents": 1}
    classifier = bayespress.TextClassifier(settings, epochs=2, random_state=1)
    classifier.fit(texts, labels)
    release = release_of(classifier)
    assert release.model is classifier.compact_
    assert [figure.split for figure in release.facts.figures] == ["validation"]
    assert release.facts.settings["model"]["hidden_size"] == 4
    assert "data" not in release.facts.settings
    assert (release.facts.dataset, release.facts.epochs) == (None, 2)


def test_models_and_predictors_will_do():
    model = small_model()
    for source in (model, TextPredictor(model), release_of(model)):
        assert release_of(source).model is model


def test_an_unfinished_run_is_refused(tmp_path):
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(RunError, match=r"holds no finished model \(model\.bpr\): finish the run"):
        release_of(tmp_path)


def test_a_path_that_is_not_there_is_refused(demo, tmp_path):
    with pytest.raises(RunError, match="does not exist: name the folder of a run"):
        release_of(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match=r"gone\.bpr cannot be read"):
        release_of(demo, tmp_path / "gone.bpr")


def test_other_things_are_refused():
    with pytest.raises(TypeError, match=r"must be a run's folder, .* got int"):
        release_of(3)


def test_a_damaged_file_is_refused(demo, tmp_path):
    (tmp_path / "bad.bpr").write_bytes(demo.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match=r"bad\.bpr is damaged"):
        release_of(tmp_path / "bad.bpr")


def test_a_release_needs_neither_torch_nor_huggingface_hub(demo, tmp_path):
    code = (
        "import sys\n"
        "for name in ('torch', 'huggingface_hub', 'yaml'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from bayespress.hub import release_of\n"
        f"release_of({str(demo)!r}).write(Path({str(tmp_path)!r}))\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"model.bpr", "config.json", "README.md"}
