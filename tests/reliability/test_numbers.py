"""Numbers that nobody should train with, and sizes at both ends."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bayespress import conversion
from bayespress.compact import CompactGRU, CompactLSTM
from bayespress.conversion.twins import check_finite
from bayespress.errors import ConversionError, TrainingError
from bayespress.export.javascript import write_js
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.storage import CACHE_VARIABLE
from bayespress.training import RunFolder, Trainer
from bayespress.training.listener import Silent
from tests.cli.helpers import TINY, TINY_LANGUAGE, call, refused, rows, write_csv
from tests.compact.strategies import encoder_of, random_network
from tests.export.helpers import needs_compiler
from tests.export.node import NODE, needs_node
from tests.loading import load_file as load_script
from tests.training.language_helpers import make_config, make_splits

SCRIPT = Path(__file__).parents[2] / "scripts" / "strange_numbers.py"
AT_ONCE = ("--batch-size", "5000", "--epochs", "1")
RATES = ("learning-rate", "group-learning-rate", "log-sigma-learning-rate")


@pytest.fixture
def source(tmp_path):
    return write_csv(tmp_path / "reviews.csv", rows())


@pytest.mark.parametrize("rate", ["1e7", "1e30", "1e38"])
def test_weights_that_a_last_step_blew_up_are_not_shipped(tmp_path, source, rate):
    run = tmp_path / "run"
    line = refused("train", source, *TINY, *AT_ONCE, "--output", run, "--learning-rate", rate)
    assert line.startswith("error: training diverged: embedding.weight.mean reaches ")
    assert " in epoch 1, 1e+06 is allowed: lower --learning-rate (now " in line
    assert not run.exists()


def test_a_language_model_whose_weights_blow_up_is_not_shipped(tmp_path):
    (tmp_path / "book.txt").write_text("the cat sat on a mat\n" * 200)
    run = tmp_path / "run"
    line = refused(
        *("train", tmp_path / "book.txt", *TINY_LANGUAGE, "--epochs", "1", "--output", run),
        *("--learning-rate", "1e30"),
    )
    assert "lower --learning-rate (now 1e+30)" in line
    assert not run.exists()


@pytest.mark.parametrize("flag", RATES)
def test_the_rate_that_is_too_high_is_the_one_that_is_named(tmp_path, source, flag):
    line = refused("train", source, *TINY, "--output", tmp_path / "run", f"--{flag}", "1e30")
    assert f"lower --{flag} (now 1e+30) or set --clip-norm" in line


class BlowUp(Silent):
    """Spoils a weight when the second epoch begins."""

    def __init__(self, value):
        self.value, self.trainer = value, None

    def on_epoch_begin(self, epoch, _steps):
        if epoch == 2:
            with torch.no_grad():
                self.trainer.net.output.bias.fill_(self.value)


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_what_an_earlier_epoch_saved_outlives_one_that_diverges(tmp_path, value):
    folder, listener = RunFolder(tmp_path / "run"), BlowUp(value)
    trainer = listener.trainer = Trainer(make_config(epochs=3), make_splits(), folder, listener)
    with pytest.raises(TrainingError, match=r"training diverged: output.bias reaches 1e\+09 in "):
        trainer.fit()
    assert trainer.progress.epoch == 1
    for file in (folder.best_file, folder.checkpoint_file):
        tensors = load_file(file)
        assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())
        assert float(tensors["net.output.bias"].abs().max()) < 1e6


def test_a_share_of_validation_texts_that_is_none_is_named(tmp_path, source):
    line = refused(
        "train", source, *TINY, "--output", tmp_path / "run", "--validation-fraction", "1e-9"
    )
    assert "there is none of 102 texts: raise --validation-fraction (now 1e-09), add texts" in line


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_module_with_weights_that_are_no_numbers_is_refused_by_their_name(value):
    module = torch.nn.Sequential(torch.nn.Embedding(9, 3), torch.nn.Linear(3, 2))
    twin = conversion.convert(module)
    for model, change in ((module, "0.weight"), (twin, "0.weight.log_sigma")):
        with torch.no_grad():
            dict(model.named_parameters())[change][8, 2] = value
    with pytest.raises(ConversionError, match=r"^0\.weight has values that are not finite, so its"):
        conversion.convert(module)
    with pytest.raises(ConversionError, match=r"^0\.weight\.log_sigma has values that are not fin"):
        conversion.shrink(twin, torch.tensor([[1, 2]]))


def test_weights_that_are_all_zero_are_no_sign_of_divergence():
    layer = torch.nn.Linear(3, 2)
    torch.nn.init.zeros_(layer.weight)
    check_finite(conversion.convert(torch.nn.Sequential(layer)))


@needs_compiler
@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("kind", [CompactGRU, CompactLSTM])
@pytest.mark.parametrize("layers", [[[4], [4]], [[3, 2]]])
def test_means_over_100_000_tokens_agree_in_every_language(tmp_path, monkeypatch, kind, layers):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    words = [f"w{number}" for number in range(50)]
    encoder = encoder_of(words, max_length=200_000)
    model = random_network(encoder, kind, layers, outputs=3, pooling="mean", seed=3)
    text = " ".join(np.random.default_rng(0).choice(words, 100_000))
    expected = TextPredictor(model).predict_proba([text])
    np.testing.assert_allclose(NativePredictor(model).predict_proba([text]), expected, atol=5e-7)
    write_js(model, tmp_path / "model.mjs")
    (tmp_path / "ask.mjs").write_text(
        'import { predict } from "./model.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        'console.log(JSON.stringify(predict(readFileSync(0, "utf8")).probabilities));\n'
    )
    told = subprocess.run(
        [NODE, "ask.mjs"], cwd=tmp_path, input=text.encode(), capture_output=True, check=True
    )
    np.testing.assert_allclose([json.loads(told.stdout)], expected, atol=5e-7)


@pytest.mark.slow
def test_the_script_tells_cases_that_end_well_from_others(tmp_path, source, monkeypatch):
    script = load_script(SCRIPT)
    runs = script.Runs(tmp_path)
    good = runs.train(str(source), *script.TINY)
    assert good["largest_difference"] <= script.LIMIT
    bad = runs.train(str(source), *script.TINY, "--learning-rate", "1e30")
    assert bad["refused"].endswith("or set --clip-norm")
    monkeypatch.setattr(script, "LIMIT", -1.0)
    with pytest.raises(script.CaseError, match="differs from the masked network"):
        runs.train(str(source), *script.TINY)


def test_one_class_more_than_texts_of_it(tmp_path):
    made = [*rows(), ("lonely film", "single")]
    source = write_csv(tmp_path / "reviews.csv", made)
    done = call("train", source, *TINY, "--epochs", "2", "--output", tmp_path / "run")
    assert (done.code, done.err) == (0, "")
