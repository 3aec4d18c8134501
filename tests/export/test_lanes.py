"""A network that suits vector instructions is the same network."""

import numpy as np
import pytest
from hypothesis import given

from bayespress.compact import CompactGRU
from bayespress.export.c.lanes import in_lanes
from bayespress.runtime import TextPredictor
from tests.compact.strategies import encoder_of, models, networks, random_model, random_network

ENCODER = encoder_of(["a", "b"])


@given(models())
def test_it_answers_alike(model):
    ids = [np.arange(count, dtype=np.int32) % (len(model.embedding) + 1) for count in range(12)]
    wider = in_lanes(model)
    before, after = (TextPredictor(one).logits(ids) for one in (model, wider))
    np.testing.assert_allclose(after, before, atol=1e-5)


@given(networks())
def test_a_network_of_any_kind_answers_alike(model):
    ids = [np.arange(count, dtype=np.int32) % (len(model.embedding) + 1) for count in range(12)]
    before, after = (TextPredictor(one).logits(ids) for one in (model, in_lanes(model)))
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_each_cell_is_widened_for_itself():
    model = random_network(ENCODER, CompactGRU, [[3, 17], [8, 0]], live=0.6, seed=1)
    wide = in_lanes(model)
    assert [[cell.hidden_size for cell in layer] for layer in wide.layers] == [[8, 17], [8, 0]]
    assert [len(cell.live_gates) for cell in wide.layers[0]] == [
        24, len(model.layers[0][1].live_gates),
    ]  # fmt: skip
    assert wide.output_weight.shape == model.output_weight.shape


@pytest.mark.parametrize(("hidden", "wider"), [(1, 8), (8, 8), (9, 16), (16, 16)])
def test_all_gates_of_eight_neurons_or_a_multiple_are_live(hidden, wider):
    lstm = in_lanes(random_model(ENCODER, 2, hidden, [0, 2], 1)).lstm
    assert lstm.hidden_size == wider
    assert lstm.live_gates.tolist() == list(range(4 * wider))
    assert lstm.weight_ih.shape == (4 * wider, 2)
    assert lstm.weight_hh.shape == (4 * wider, wider)


@pytest.mark.parametrize(("hidden", "live"), [(0, []), (3, []), (17, [0, 5])])
def test_a_large_network_and_one_without_live_gates_stay_as_they_are(hidden, live):
    model = random_model(ENCODER, 2, hidden, live, 1)
    assert in_lanes(model) is model
