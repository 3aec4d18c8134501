"""Masks of a network at its full size, whatever live shrinking did to it."""

import numpy as np
import pytest

from bayespress.compression import Size
from bayespress.config import Config
from bayespress.history import read_history
from bayespress.training import RunFolder, Trained, load_best
from bayespress.training.interfaces import LanguageInterface
from bayespress.training.masks import kept_weights
from bayespress.training.state import FullSize
from tests.cli.helpers import TINY, TINY_LANGUAGE, rows, worked, write_csv
from tests.compact.language_strategies import word_encoder


@pytest.fixture
def classifier(tmp_path):
    source = write_csv(tmp_path / "x.csv", rows())
    worked("train", source, *TINY, "--epochs", "4", "--output", tmp_path / "run")
    return RunFolder(tmp_path / "run")


def counts(kept):
    return {name: (int(mask.sum()), mask.size) for name, mask in kept.masks.items()}


def test_a_classifiers_counts_are_those_of_its_history(classifier):
    kept = kept_weights(load_best(classifier))
    record = read_history(classifier.history_file)[kept.epoch - 1]
    assert counts(kept) == record.weights
    assert list(kept.masks) == ["embedding", "weight_ih", "weight_hh", "output"]


def test_a_language_models_counts_are_those_of_its_history(tmp_path):
    (tmp_path / "x.txt").write_text("the cat sat on the mat .\n" * 60)
    command = ["train", tmp_path / "x.txt", *TINY_LANGUAGE, "--epochs", "2"]
    worked(*command, "--output", tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    kept = kept_weights(load_best(folder))
    record = read_history(folder.history_file)[kept.epoch - 1]
    assert counts(kept) == record.weights
    assert list(kept.masks) == ["weight_ih", "weight_hh", "output"]


def test_what_was_sliced_away_is_pruned_and_tokens_keep_their_columns():
    encoder = word_encoder()
    tokens = len(encoder.tokens)
    interface = LanguageInterface(encoder, inputs=(1, 4, 7))
    config = Config.from_flat({"task": "lm", "code": "LLLL"})
    net = interface.build(config, Size(4, None, ((3,),), tokens)).eval()
    full = FullSize(Size(tokens, None, ((8,),), tokens), 0)
    kept = kept_weights(Trained(net, interface, "LLLL", 5, full))
    assert kept.sliced
    assert kept.epoch == 5
    assert kept.masks["weight_ih"].shape == (32, tokens)
    assert np.flatnonzero(kept.masks["weight_ih"].any(axis=0)).tolist() == [1, 4, 7]
    rows = np.flatnonzero(kept.masks["weight_hh"].any(axis=1))
    assert rows.tolist() == [8 * gate + neuron for gate in range(4) for neuron in range(3)]
    assert np.flatnonzero(kept.masks["output"].any(axis=0)).tolist() == [0, 1, 2]
