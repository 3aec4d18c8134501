"""What only a mistake in a program can bring about is refused too, and says what it is."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from bayespress import compact, kernels
from bayespress.bulk import workers
from bayespress.compact.layout import with_layers
from bayespress.config import Config, DataConfig
from bayespress.conversion import convert, shrink
from bayespress.data import LabelledTexts
from bayespress.data.stored import TextStore
from bayespress.errors import ArtifactError, ConfigError, ConversionError, DataError, RunError
from bayespress.hub.release import read_facts, release_of
from bayespress.report import read_run
from bayespress.runtime.network import numpy_cell
from bayespress.storage import CACHE_VARIABLE, StorageError
from bayespress.sweep import space
from bayespress.training import RunFolder, Trainer
from bayespress.training.judge import judge_of
from bayespress.training.run import load_tensors, save_tensors
from tests.cli.helpers import rows, write_csv
from tests.compact.language_strategies import small_language_model
from tests.compact.strategies import small_model
from tests.training import language_helpers
from tests.training.test_trainer import make_config, make_splits, train


@pytest.fixture
def gru(tmp_path):
    return train(tmp_path, epochs=1, cell="gru")[1]


@pytest.fixture
def classifier(tmp_path):
    return train(tmp_path, epochs=1)[1]


def test_a_network_of_other_cells_has_no_single_lstm(gru):
    message = "this network has other cells than a single LSTM"
    with pytest.raises(ValueError, match=message):
        _ = gru.net.lstm
    with pytest.raises(ValueError, match=message):
        _ = gru.task.interface.to_compact(gru.net, {}).lstm


def test_a_language_model_takes_no_other_cells(gru):
    layers = gru.task.interface.to_compact(gru.net, {}).layers
    with pytest.raises(TypeError, match="a language model has an LSTM, got CompactGRU"):
        with_layers(small_language_model(), layers)


def test_a_cell_of_no_kind_does_not_run():
    with pytest.raises(TypeError, match="there is no cell SimpleNamespace"):
        numpy_cell(SimpleNamespace())


def test_an_output_layer_without_a_bias_is_not_made_compact(classifier):
    classifier.net.output.bias = None
    with pytest.raises(ValueError, match="the output layer must have a bias"):
        classifier.task.interface.to_compact(classifier.net, {})


def test_a_language_model_answers_no_files():
    with pytest.raises(ArtifactError, match="a language model names no classes"):
        workers._predictor(compact.dumps(small_language_model()), False)


def test_kernels_that_go_away_in_the_middle_are_missed():
    gone = "compiled kernels went away between two calls: switched off"
    with kernels.use(False), pytest.raises(RuntimeError, match=gone):
        kernels.needed()


def test_a_kernel_without_memory_says_so():
    with pytest.raises(MemoryError, match="a compiled kernel found no memory for its scratch"):
        sys.modules["bayespress.kernels.library"]._raise_without_memory(1)


def test_a_classifier_and_a_language_model_are_told_apart(classifier, tmp_path):
    _, language = language_helpers.train(tmp_path, "lm", epochs=1)
    nothing = np.zeros(0, np.int32)
    ours, theirs = classifier.task, language.task
    calls = {
        "a classifier's is needed, got Lang": lambda: ours.restrict(theirs.interface, nothing),
        "a language model's is needed, got C": lambda: theirs.restrict(ours.interface, nothing),
        "^a classifier is needed, got Lang": lambda: ours.validate(language.net),
        "a classifier is needed, got Lan": lambda: ours.interface.to_compact(language.net, {}),
        "a language model is needed, got": lambda: theirs.interface.to_compact(classifier.net, {}),
    }
    for message, call in calls.items():
        with pytest.raises(TypeError, match=message):
            call()


def test_a_judge_measures_its_own_kind_of_model(tmp_path):
    source = str(write_csv(tmp_path / "reviews.csv", rows()))
    (tmp_path / "text.txt").write_text("one two three\n" * 90)
    for changes, model, message in [
        ({"source": source}, small_language_model(), "only a classifier has an accuracy"),
        (
            {"source": source, "label_separator": ";"},
            small_language_model(),
            "only a classifier gives labels",
        ),
        (
            {"source": str(tmp_path / "text.txt"), "task": "lm"},
            small_model(),
            "only a language model has a perplexity",
        ),
    ]:
        judge = judge_of(DataConfig(**changes))
        with pytest.raises(TypeError, match=message):
            judge(model)


class Restless(nn.Module):
    """Answers in another way each time."""

    def __init__(self):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(9, 4), nn.LSTM(4, 3, batch_first=True)
        self.fc, self.calls = nn.Linear(3, 2), 0

    def forward(self, ids):
        self.calls += 1
        return self.fc(self.rnn(self.embedding(ids))[1][0][-1]) + self.calls


def test_a_model_whose_smaller_copy_says_something_else_is_refused():
    model = convert(Restless())
    with pytest.raises(ConversionError, match=r"\(an output moves by [0-9.e+]+\)"):
        shrink(model, torch.ones(2, 5, dtype=torch.long))


def test_texts_that_find_no_place_say_where_to_look(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"cannot store texts: .*another place with BAYESPRESS"):
        TextStore()


@pytest.mark.parametrize("content", ["[1]", "{", "\udcff"])
def test_facts_that_are_damaged_are_named(tmp_path, content):
    (tmp_path / "config.json").write_text(content, "utf-8", "surrogateescape")
    with pytest.raises(ArtifactError, match=r"is damaged \(.*\): write or download it again"):
        read_facts(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ArtifactError, match="it is no JSON object"):
        read_facts(tmp_path / "config.json")


def test_a_release_without_its_model_says_so(tmp_path):
    for name in ("config.json", "README.md"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "model.bpr").mkdir()
    with pytest.raises(ArtifactError, match=r"model\.bpr cannot be read: "):
        release_of(tmp_path)


def test_a_report_names_what_is_no_run_and_what_is_damaged(classifier, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="empty holds no run: name the folder of a run, or a model"):
        read_run(tmp_path / "empty")
    (classifier.folder.path / "result.json").write_text("[]")
    with pytest.raises(RunError, match=r"result\.json is damaged \(it is no JSON object\); remove"):
        read_run(classifier.folder.path)


def test_a_setting_is_searched_once():
    searches = [space.parse("hidden_size=4,5"), space.parse("hidden_size=6,7")]
    with pytest.raises(
        ConfigError, match="--search names hidden_size twice: write all of its values in one"
    ):
        space.check(searches, lambda _: Config())


def test_the_best_epoch_needs_validation_data(tmp_path):
    splits = make_splits()
    without = replace(splits, validation=LabelledTexts((), ()))
    message = (
        "the best epoch is chosen on validation data and there is none of 120 texts: raise --val"
    )
    with pytest.raises(DataError, match=message):
        train(tmp_path, splits=without)


def test_a_checkpoint_of_another_network_is_refused(classifier):
    file = classifier.folder.checkpoint_file
    tensors, values = load_tensors(file)
    save_tensors(file, {**tensors, "net.output.bias": torch.zeros(7)}, values)
    with pytest.raises(RunError, match="the checkpoint does not fit the network: size mismatch"):
        Trainer(make_config(epochs=1), make_splits(), RunFolder(classifier.folder.path))


def test_a_checkpoint_of_another_version_is_refused(classifier, monkeypatch):
    file = classifier.folder.checkpoint_file
    tensors, values = load_tensors(file)
    monkeypatch.setattr("bayespress.training.run.FORMAT", 999)
    save_tensors(file, tensors, values)
    monkeypatch.undo()
    with pytest.raises(RunError, match="written by another version of bayespress; start the run"):
        load_tensors(file)
