"""Texts of strangers: one answer in Python, C and JavaScript, or one refusal."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bayespress.compact import CompactLSTM, save
from bayespress.export.c import write_c
from bayespress.export.javascript import write_js
from bayespress.runtime import TextPredictor
from bayespress.storage import CACHE_VARIABLE
from tests.cli.helpers import call
from tests.compact.strategies import encoder_of, random_network
from tests.export.helpers import COMPILER, command, needs_compiler
from tests.export.node import NODE, needs_node
from tests.loading import load_file

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def script():
    return load_file(SCRIPTS / "strange_texts.py")


def test_named_texts_have_all_planes_and_move_an_answer(script):
    every = "".join(script.TEXTS.values())
    assert {ord(character) >> 16 for character in every} == set(range(17))
    assert all("\n" not in text for text in script.TEXTS.values())
    assert all(not _is_utf8(content) for content in script.NOT_UTF8.values())
    for _, model in script.networks():
        answers = TextPredictor(model).predict_proba(list(script.TEXTS.values()))
        assert len(np.unique(answers.round(4), axis=0)) > len(script.TEXTS) / 2


def _is_utf8(content):
    try:
        return content.decode() is not None
    except UnicodeDecodeError:
        return False


@pytest.mark.slow
def test_every_runtime_gives_strings_the_same_answer(script, tmp_path):
    found = script.Differences()
    _, model = list(script.networks())[1]
    assert "numpy one by one" in script.check_strings(model, tmp_path, found)
    assert found.wrong == []
    assert found.compared >= 3 * len(script.TEXTS)


@pytest.mark.slow
@needs_compiler
def test_commands_give_lines_the_same_answer_and_refuse_bytes_alike(script, tmp_path, monkeypatch):
    few = {name: script.NOT_UTF8[name] for name in ("UTF-16", "half a pair of surrogates")}
    monkeypatch.setattr(script, "NOT_UTF8", few)
    found, (_, model) = script.Differences(), next(script.networks())
    save(model, tmp_path / "model.bpr")
    script.check_bytes(model, tmp_path / "model.bpr", tmp_path, found)
    script.check_refusals(model, tmp_path / "model.bpr", tmp_path, found)
    assert found.wrong == []


def test_a_difference_is_found(script):
    found = script.Differences()
    good = np.array([[0.4, 0.6]])
    found.near("a", ["text"], good, good, 1e-5)
    assert (found.wrong, found.compared) == ([], 1)
    found.near("a", ["text"], good + 1e-4, good, 1e-5)
    found.near("b", ["text"], good * np.nan, good, 1e-5)
    found.near("c", ["text"], good[:0], good, 1e-5)
    found.equal("d", 1, 2)
    assert [line[0] for line in found.wrong] == ["a", "b", "c", "d"]


@pytest.mark.slow
@needs_compiler
@needs_node
def test_characters_of_all_planes_are_split_alike(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    planes = load_file(SCRIPTS / "strange_planes.py")
    found = planes.Differences()
    models = dict(planes.language_models())
    planes.check_language_model("word words", models["word words lowercase"], 211, found)
    assert found.wrong == []
    assert found.compared > 2 * planes.END // 211


@pytest.mark.slow
@needs_compiler
@needs_node
def test_a_long_line_gets_the_same_answer_in_every_way(monkeypatch, capsys):
    monkeypatch.syspath_prepend(SCRIPTS)
    lines = load_file(SCRIPTS / "strange_lines.py")
    monkeypatch.setattr(lines, "SHAPES", {"sigmas": lines.SHAPES["sigmas"]})
    monkeypatch.setattr(lines, "MOST", 1e9)  # of a small text, memory says nothing
    assert lines.main(["--mb", "1.5"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {line["way"] for line in figures["lines"]} == {
        "command", "C program", "JavaScript", "predict --input",
    }  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("layers", [[[3]], [[3, 2], [2, 2]]])
def test_the_example_in_c_reads_lines_of_any_length(tmp_path, layers):
    encoder = encoder_of(["good", "bad"], max_length=10**6)
    model = random_network(encoder, CompactLSTM, layers, outputs=3, seed=5)
    write_c(model, tmp_path / "c")
    command(COMPILER, "-O1", "-o", "model", "main.c", "model.c", "-lm", cwd=tmp_path / "c")
    texts = ["", "good", "bad " * 40_000 + "good", " " * (1 << 20) + "bad", "good"]
    told = command("./model", cwd=tmp_path / "c", input="\n".join(texts).encode()).decode()
    answers = TextPredictor(model).predict_proba(texts)
    for line, row in zip(told.splitlines(), answers, strict=True):
        label, _, probability = line.partition("\t")
        assert label == model.labels[row.argmax()]
        assert float(probability) == pytest.approx(row.max(), abs=2e-6)


@needs_node
@pytest.mark.parametrize(
    "text",
    ["x" * 8_000_000 + " good", "good " * 1_600_000, "\0" * 8_000_000],
    ids=["a word", "words", "zero bytes"],
)
def test_javascript_reads_a_long_text_with_little_memory(tmp_path, text):
    model = random_network(encoder_of(["good", "bad"]), CompactLSTM, [[3]], outputs=3, seed=5)
    write_js(model, tmp_path / "model.mjs")
    (tmp_path / "ask.mjs").write_text(
        'import { predict } from "./model.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        'console.log(JSON.stringify(predict(readFileSync(0, "latin1")).probabilities));\n'
    )
    told = subprocess.run(
        [NODE, "--max-old-space-size=48", "ask.mjs"],
        cwd=tmp_path, input=text.encode(), capture_output=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr.decode()[-300:]
    expected = TextPredictor(model).predict_proba([text])[0]
    np.testing.assert_allclose(json.loads(told.stdout), expected, atol=1e-5)


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_line_ends_in_a_field_do_not_break_its_row(tmp_path, ending):
    delimiter = "," if ending == ".csv" else "\t"
    texts = ["good\rbad", "good\r", "\r", "good\nbad", "good\r\nbad", "good"]
    with (tmp_path / f"texts{ending}").open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(
            [("text", "more"), *((text, "x") for text in texts)]
        )
    model = random_network(encoder_of(["good", "bad"]), CompactLSTM, [[3]], seed=5)
    save(model, tmp_path / "model.bpr")
    done = call(
        *("predict", tmp_path / "model.bpr", "--input", tmp_path / f"texts{ending}"),
        *("--output", tmp_path / "answers", "--workers", "1"),
    )
    assert done.code == 0
    with (tmp_path / "answers" / f"texts{ending}").open(newline="") as file:
        header, *found = csv.reader(file, delimiter=delimiter)
    assert header == ["text", "more", "label", "probability"]
    assert [row[0] for row in found] == texts
    assert {len(row) for row in found} == {4}
