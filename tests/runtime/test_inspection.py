"""What a classifier's network consists of, cell by cell, and what its words do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

from bayespress.compact import CompactGRU, CompactLSTM, dumps
from bayespress.runtime import TextPredictor, inspect
from tests.compact.strategies import encoder_of, networks, random_network, small_model

WORDS = encoder_of(["good", "bad", "naïve"])


@settings(max_examples=60)
@given(networks())
def test_every_network_can_be_inspected(model):
    found = inspect(model, len(dumps(model)))
    cells = [cell for layer in model.layers for cell in layer]
    assert [cell.neurons for cell in found.cells] == [cell.hidden_size for cell in cells]
    assert found.neurons == len(found.gates) == sum(cell.neurons for cell in found.cells)
    computed = [value is None for neuron in found.gates for value in neuron.values()]
    assert sum(computed) == found.live_gates == sum(cell.live_gates for cell in found.cells)
    assert found.live_gates >= sum(len(cell.live_gates) for cell in cells)
    names = [found.name_of(cell) for cell in found.cells]
    assert len(set(names)) == len(cells)
    assert names[0] or len(cells) == 1
    for (summary, gates), cell in zip(found.gates_by_cell(), cells, strict=True):
        assert all(tuple(neuron) == cell.gates == summary.gate_names for neuron in gates)
    assert {word.word for word in found.words} <= set(model.encoder.vocabulary.rows)
    assert set(found.to_dict()) >= {"cells", "gates", "multi_label", "words", "labels", "weights"}


@pytest.mark.parametrize(("layers", "names"), [
    ([[2]], [""]),
    ([[2], [1]], ["layer 1", "layer 2"]),
    ([[2, 1]], ["forwards", "backwards"]),
    (
        [[2, 1], [1, 3]],
        ["layer 1, forwards", "layer 1, backwards", "layer 2, forwards", "layer 2, backwards"],
    ),
])  # fmt: skip
def test_cells_are_named_by_layer_and_direction_where_there_are_several(layers, names):
    found = inspect(random_network(WORDS, CompactLSTM, layers), 1)
    assert [found.name_of(cell) for cell in found.cells] == names


def gru(bias, hidden_bias, live, activation="sigmoid"):
    model = random_network(WORDS, CompactGRU, [[1]], activation=activation)
    (cell,) = model.layers[0]
    changed = dataclasses.replace(
        cell,
        weight_ih=cell.weight_ih[live],
        weight_hh=cell.weight_hh[live],
        bias=np.array(bias, np.float32),
        hidden_bias=np.array([hidden_bias], np.float32),
        live_gates=np.array(live, np.int64),
    )
    return dataclasses.replace(model, layers=((changed,),))


def test_constant_gates_of_a_gru_are_shown_with_their_values():
    (gates,) = inspect(gru([1, 9, 0.5], 2, [], "hard_sigmoid"), 1).gates
    assert gates == {
        "r": pytest.approx(0.7),
        "z": 1.0,
        "n": pytest.approx(np.tanh(0.5 + 0.7 * 2), rel=1e-6),
    }
    found = inspect(gru([1, 9, 0.5], 2, [1, 2]), 1)
    assert [name for name, value in found.gates[0].items() if value is None] == ["z", "n"]


def test_a_new_gate_without_weights_is_constant_unless_a_reset_gate_bears_on_it():
    moved, still = inspect(gru([1, 9, 0.5], 2, [0]), 1), inspect(gru([1, 9, 0.5], 0, [0]), 1)
    assert (moved.gates[0]["n"], moved.live_gates) == (None, 2)
    assert (still.gates[0]["n"], still.live_gates) == (pytest.approx(np.tanh(0.5)), 1)


@pytest.mark.parametrize("outputs", [1, 2, 4])
def test_of_several_labels_a_word_is_told_by_the_one_that_it_moves_most(outputs):
    model = random_network(WORDS, CompactGRU, [[2, 2]], outputs=outputs, multi_label=True)
    silent, *others = TextPredictor(model).logits([np.array([row]) for row in range(4)])
    found = inspect(model, 1)
    assert found.multi_label
    assert {word.word for word in found.words} == {"good", "bad", "naïve"}
    for word in found.words:
        change = others[["good", "bad", "naïve"].index(word.word)] - silent
        most = int(np.abs(change).argmax())
        assert (word.effect, word.toward) == (pytest.approx(change[most]), f"class {most}")


def test_of_two_classes_the_effect_is_on_the_log_odds_of_the_second():
    found = inspect(small_model(), 1)
    assert not found.multi_label
    silent, good = TextPredictor(small_model()).logits([np.array([0]), np.array([1])])[:, 0]
    (word,) = [word for word in found.words if word.word == "good"]
    assert word.effect == pytest.approx(good - silent)
    assert word.toward == ("class 1" if good > silent else "class 0")
