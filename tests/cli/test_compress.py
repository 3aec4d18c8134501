"""``bayespress compress``: one file, its precision, its size and what that costs."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bayespress import TextClassifier
from bayespress.cli.compress import _size
from bayespress.compact import load
from tests.cli.helpers import answers, call, refused, worked

TEXTS = ["good film", "bad film", "", "unseen"]


def test_the_exact_file_is_that_which_training_wrote(trained):
    said = worked("compress", trained.run, "--output", "exact.bpr", "--precision", "float32")
    assert Path("exact.bpr").read_bytes() == trained.model.read_bytes()
    assert answers("exact.bpr", *TEXTS) == answers(trained.run, *TEXTS)
    assert re.search(r"\n  weights +float32\n", said)


def test_the_default_is_smaller_and_says_what_it_costs(trained):
    said = worked("compress", trained.run, "--output", "small.bpr")
    for name in ("words", "dims", "neurons", "gates", "bytes", "compression_ratio", "size_ratio"):
        assert name in said
    assert said.startswith("epoch ")
    assert re.search(r"\n  weights +auto \(0.0625 sigma\)\n", said)
    assert re.search(r"\n  accuracy +100.00% +100.00%  on 15 validation texts\n", said)
    assert said.endswith("written to small.bpr\n")
    assert Path("small.bpr").stat().st_size < trained.model.stat().st_size
    assert [one["label"] for one in answers("small.bpr", "a good plot", "a bad plot")] == [
        "good",
        "bad",
    ]


@pytest.mark.parametrize("precision", ["float16", "int8", "int4", "auto"])
def test_a_file_says_its_precision(trained, precision):
    worked("compress", trained.run, "--output", "small.bpr", "--precision", precision)
    assert json.loads(worked("inspect", "small.bpr", "--json"))["info"]["precision"] == precision
    assert f"weights             {precision}" in worked("inspect", "small.bpr")


def test_an_exact_file_says_so_too(trained):
    assert "precision" not in load(trained.model).info
    assert "weights             float32" in worked("inspect", trained.model)


def test_a_size_is_kept_and_everything_tried_is_shown(trained):
    exact = trained.model.stat().st_size
    done = call("compress", trained.run, "--output", "s.bpr", "--target-size", exact - 1)
    size = Path("s.bpr").stat().st_size
    assert size < exact
    assert f"{size:,}" in done.out
    assert re.search(r"tried [^\n]+: [0-9,]+ bytes, accuracy 100.00%\n", done.err)
    assert f": {size:,} bytes," in done.err


def test_a_size_that_asks_for_more_pruning_gets_it(trained):
    line = refused("compress", trained.run, "--output", "s.bpr", "--target-size", "40")
    size = int(re.search(r"the smallest has (\d+)", line)[1])
    done = call("compress", trained.run, "--output", "s.bpr", "--target-size", size)
    assert Path("s.bpr").stat().st_size == size
    assert "log alpha up to" in done.out


def test_a_size_that_nothing_fits_is_refused(trained):
    line = refused("compress", trained.run, "--output", "s.bpr", "--target-size", "40")
    assert re.fullmatch(
        r"error: no file of at most 40 bytes was found: the smallest has \d+; ask for more, or "
        "train with a larger kl_weight or target_compression",
        line,
    )
    assert not Path("s.bpr").exists()


@pytest.mark.parametrize("text", ["8 parsecs", "", "KB", "-1", "1e3"])
def test_a_size_that_is_none_is_refused(trained, text):
    line = refused("compress", trained.run, "--output", "s.bpr", "--target-size", text)
    assert line == (f"error: --target-size must be a size such as 8KB, 2KiB or 1500, got {text!r}")


@pytest.mark.parametrize(("text", "size"), [
    ("8KB", 8000), ("8kb", 8000), ("2 KiB", 2048), ("1500", 1500), ("1.5k", 1500), ("1MB", 10**6),
    ("900B", 900), ("0.5MiB", 2**19),
])  # fmt: skip
def test_sizes_are_read_as_people_write_them(text, size):
    assert _size(text) == size


def test_a_size_and_a_precision_exclude_each_other(trained):
    line = refused(
        *("compress", trained.run, "--output", "s.bpr"),
        *("--target-size", "2KB", "--precision", "int8"),
    )
    assert line == "error: --target-size chooses the precision: leave --precision out"


def test_a_file_may_read_more_or_less_than_training_did(trained):
    worked("compress", trained.run, "--output", "short.bpr", "--max-length", "1")
    worked("compress", trained.run, "--output", "long.bpr", "--max-length", "500")
    assert [load(f"{name}.bpr").encoder.max_length for name in ("short", "long")] == [1, 500]
    text = "a " * 200 + "good"
    short, long, usual = (
        answers(f, text)[0]["probability"] for f in ("short.bpr", "long.bpr", trained.run)
    )
    assert answers("short.bpr", "a")[0]["probability"] == short != usual != long
    done = call("compress", trained.run, "--output", "s.bpr", "--max-length", "0")
    assert done.code == 2
    assert "'--max-length'" in done.err


def test_an_unknown_precision_is_refused(trained):
    line = refused("compress", trained.run, "--output", "s.bpr", "--precision", "float8")
    assert line.startswith("error: precision must be one of float32, float16, int8, auto (or int2")


def test_without_the_runs_data_the_cost_is_not_measured_but_a_size_needs_them(trained, tmp_path):
    run = shutil.copytree(trained.run, tmp_path / "run")
    settings = (run / "config.toml").read_text()
    (run / "config.toml").write_text(settings.replace(str(trained.source), "gone.csv"))
    done = call("compress", run, "--output", "small.bpr")
    assert "accuracy" not in done.out
    assert done.err.startswith("what the file costs is not measured: source gone.csv: ")
    assert "error: source gone.csv: there is no such file" in refused(
        "compress", run, "--output", "s.bpr", "--target-size", "2KB"
    )


def test_compress_replaces_a_file_only_if_told_to(trained, tmp_path):
    (tmp_path / "mine.bpr").write_text("precious")
    arguments = ("compress", trained.run, "--output", "mine.bpr", "--precision", "float32")
    assert refused(*arguments) == (
        "error: mine.bpr exists already: choose another --output, or add --force"
    )
    assert (tmp_path / "mine.bpr").read_text() == "precious"
    worked(*arguments, "--force")
    assert (tmp_path / "mine.bpr").read_bytes() == trained.model.read_bytes()


@pytest.mark.parametrize("labels", [["bad", "good"], [["bad"], ["good", "bad"]]])
def test_a_run_of_other_data_than_its_settings_say_is_compressed_unmeasured(labels):
    texts, numbers = ["bad film", "good film"] * 20, [0, 1] * 20
    settings = {"embedding_size": 3, "hidden_size": 3, "min_documents": 1}
    classifier = TextClassifier(settings, epochs=1, random_state=0, run="run")
    classifier.fit(texts, [labels[k] for k in numbers])
    done = call("compress", "run", "--output", "m.bpr")
    assert done.code == 0
    assert done.err.startswith("what the file costs is not measured: ")
    assert done.err.count("\n") == 1
