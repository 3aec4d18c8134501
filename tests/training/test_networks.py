"""Training of other networks than the papers': GRUs, stacks, both directions, poolings, dropout."""

import numpy as np
import pytest

from bayespress.config import Config
from bayespress.errors import ConfigError
from bayespress.history import read_history
from bayespress.runtime import TextPredictor, load_classifier
from bayespress.training import RunFolder, Trainer, finish
from tests.training.test_trainer import Stop, make_splits, same_tensors, train

NETWORKS = [
    {"cell": "gru"},
    {"cell": "gru", "layers": 2, "bidirectional": True, "pooling": "max", "dropout": 0.2},
    {"cell": "lstm", "layers": 3, "pooling": "mean"},
    {"cell": "lstm", "bidirectional": True},
]
SMALL = {"epochs": 5, "finetune_epochs": 1, "shrink_after": 1, "kl_weight": 3.0, "schedule": "fast"}
each_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda one: " ".join(map(str, one)))


@each_network
def test_resumed_equals_uninterrupted_and_the_file_equals_the_network(tmp_path, network):
    changes = {**SMALL, **network}
    whole, _ = train(tmp_path, "whole", **changes)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "broken", listener=Stop(3, 1), **changes)
    broken = RunFolder(tmp_path / "broken")
    Trainer(broken.config(), make_splits(), broken).fit()
    assert same_tensors(whole.checkpoint_file, broken.checkpoint_file)
    test = make_splits().test
    result = finish(whole, test)
    assert result["largest_difference"] < 1e-5
    model = load_classifier(whole.artifact_file).model
    assert model.layers[0][0].name == network["cell"]
    assert (len(model.layers), len(model.layers[0])) == (
        network.get("layers", 1), 1 + network.get("bidirectional", False),
    )  # fmt: skip
    assert model.pooling == network.get("pooling", "last")
    assert np.isfinite(TextPredictor(model).predict_proba(list(test.texts))).all()


def test_live_shrinking_makes_the_cells_of_a_network_smaller(tmp_path):
    strong = {**SMALL, "epochs": 14, "kl_weight": 8.0, "log_sigma_learning_rate": 0.05}
    strong["group_log_sigma_learning_rate"] = 0.1
    folder, trainer = train(tmp_path, "run", **strong, **NETWORKS[1])
    neurons = [record.neurons[0] for record in read_history(folder.history_file)]
    assert neurons[-1] < neurons[0]
    assert sum(cell.hidden_size for cell in trainer.net.recurrent.cells()) <= neurons[-2]


def test_a_language_model_has_none_of_this():
    with pytest.raises(ConfigError, match=r"cell is a setting of classifiers.*layers is a setting"):
        Config.from_flat({"task": "lm", "cell": "gru", "layers": 2})
