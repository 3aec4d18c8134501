"""The finished models in ``examples/models``: what their page says of them is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bayespress
from bayespress import data, runtime
from bayespress.compact import by_alphabet, dumps, loads
from bayespress.config import DataConfig
from tests.cli.helpers import rows, write_csv

FOLDER = Path(__file__).parents[1] / "examples" / "models"
ROW = re.compile(r"\| `(\S+)` \| ([0-9,]+) \| ([0-9,]+) \| ([0-9.]+) % \|")
TABLE = {
    name: (*(int(number.replace(",", "")) for number in numbers), float(accuracy))
    for name, *numbers, accuracy in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
}
LIMITS = {"imdb.bpr": 2_000, "ag-news.bpr": 40_000, "demo.bpr": 4_000}
TEXTS = {
    "imdb.bpr": {"neg": "A dull, awful waste of two hours", "pos": "A wonderful, moving film"},
    "ag-news.bpr": {
        "World": "Troops killed in Baghdad as militants attack, ministry says",
        "Sports": "The striker scored twice as the team won the cup final",
        "Business": "Oil prices rise as shares of the company fall on profit warning",
        "Sci/Tech": "Microsoft releases new software for its web browser",
    },
    "demo.bpr": {"negative": "dull and tedious", "positive": "a funny, moving film"},
}


def test_the_page_lists_all_models():
    assert sorted(TABLE) == sorted(path.name for path in FOLDER.glob("*.bpr")) == sorted(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_a_model_has_the_bytes_and_words_that_the_page_tells(name):
    content = (FOLDER / name).read_bytes()
    size, words, _ = TABLE[name]
    assert len(content) == size <= LIMITS[name]
    model = loads(content)
    assert len(model.encoder.vocabulary.rows) == words
    # Another zlib may need some bytes more or less.
    assert abs(len(dumps(by_alphabet(model))) - size) < 0.02 * size


@pytest.mark.parametrize("name", LIMITS)
def test_a_model_answers(name):
    predictor = bayespress.load(FOLDER / name)
    assert predictor.predict(list(TEXTS[name].values())) == list(TEXTS[name])


def test_the_demos_model_is_as_accurate_as_the_page_tells():
    texts = data.load_split(DataConfig(source="demo"), "test")
    predictor = runtime.load_classifier(FOLDER / "demo.bpr")
    accuracy = runtime.evaluate(predictor, texts.texts, texts.labels).accuracy
    assert round(100 * accuracy, 2) == TABLE["demo.bpr"][2]


def test_a_tutorials_model_is_compressed_and_stays_plain_torch(tmp_path):
    script, source = FOLDER.parent / "compress_your_own.py", tmp_path / "reviews.csv"
    write_csv(source, rows(200))
    epochs = ["--dense-epochs", "1", "--sparse-epochs", "1", "--finetune-epochs", "1"]
    done = subprocess.run(
        [sys.executable, str(script), *epochs, "--source", str(source)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (line,) = (json.loads(one) for one in done.stdout.splitlines() if one.startswith("{"))
    assert line["test"]["masked"] == pytest.approx(line["test"]["shrunk"], abs=1e-3)
    assert line["parameters"]["shrunk"] <= line["parameters"]["dense"]
    assert "(lstm): LSTM(" in done.stdout
