"""Networks of every kind in numpy, held against torch's own layers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.compact import CompactGRU, CompactLSTM, dumps, loads
from bayespress.runtime import TextPredictor
from tests.compact.strategies import LAYERS, encoder_of, networks, random_network

WORDS = [f"w{number}" for number in range(9)]
POOLINGS = st.sampled_from(["last", "mean", "max"])


@settings(max_examples=60)
@given(
    st.sampled_from([CompactLSTM, CompactGRU]), LAYERS, POOLINGS, st.integers(0, 999),
    st.sampled_from([0.5, 1.0]),
)  # fmt: skip
def test_a_network_answers_as_torch_does(kind, layers, pooling, seed, live):
    model = random_network(
        encoder_of(WORDS), kind, layers, pooling=pooling, outputs=3, seed=seed, live=live
    )
    random = np.random.default_rng(seed)
    texts = [random.integers(0, 10, length) for length in [7, 1, 0, 12, 3]]
    np.testing.assert_allclose(
        TextPredictor(model).logits(texts), [torch_logits(model, text) for text in texts], atol=1e-5
    )


def torch_logits(model, ids):
    """One text after the other, by torch.nn.LSTM and GRU with zeros for gates that are not live."""
    states = torch.from_numpy(np.vstack([np.zeros(model.embedding.shape[1]), model.embedding])[ids])
    ends = [torch.zeros(cell.hidden_size) for cell in model.layers[-1]]
    for layer in model.layers:
        every = []
        for direction, cell in enumerate(layer):
            order = -1 if direction else 1
            out = _read(cell, states.float().numpy()[::order].copy())
            ends[direction] = out[-1] if len(out) else torch.zeros(cell.hidden_size)
            every.append(out.flip(0) if direction else out)
        states = torch.cat(every, dim=1)
        if layer is model.layers[-1]:
            pooled = {
                "last": lambda: torch.cat(ends),
                "mean": lambda states=states: states.mean(0),
                "max": lambda states=states: states.amax(0),
            }
            none = torch.zeros(model.output_weight.shape[1])
            read = pooled[model.pooling]() if len(ids) else none
    return (read.numpy() @ model.output_weight.T + model.output_bias).astype(np.float32)


@torch.no_grad()
def _read(cell, inputs):
    size = cell.hidden_size
    if size == 0 or len(inputs) == 0:
        return torch.zeros(len(inputs), size)
    # torch has no layer without inputs: one more, of zeros.
    inputs = np.pad(inputs, ((0, 0), (0, 1)))
    layer = (torch.nn.LSTM if cell.name == "lstm" else torch.nn.GRU)(inputs.shape[1], size)
    full = {
        name: np.zeros((len(cell.gates) * size, matrix.shape[1]), np.float32)
        for name, matrix in (
            ("weight_ih", np.pad(cell.weight_ih, ((0, 0), (0, 1)))),
            ("weight_hh", cell.weight_hh),
        )
    }
    full["weight_ih"][cell.live_gates, :-1] = cell.weight_ih
    full["weight_hh"][cell.live_gates] = cell.weight_hh
    full |= {"bias_ih": cell.bias, "bias_hh": np.zeros_like(cell.bias)}
    if cell.name == "gru":
        full["bias_hh"][2 * size :] = cell.hidden_bias
    layer.load_state_dict({f"{name}_l0": torch.from_numpy(a) for name, a in full.items()})
    return layer(torch.from_numpy(inputs))[0]


@given(networks())
def test_a_network_comes_back_from_its_file_bit_by_bit(model):
    data = dumps(model)
    assert dumps(loads(data)) == data
    again = loads(data)
    assert (again.pooling, again.multi_label, again.labels) == (
        model.pooling, model.multi_label, model.labels,
    )  # fmt: skip
    text = [np.arange(len(model.embedding) + 1)]
    np.testing.assert_array_equal(
        TextPredictor(again).logits(text), TextPredictor(model).logits(text)
    )


def test_a_hard_sigmoid_is_that_of_a_gru_too():
    model = random_network(encoder_of(WORDS), CompactGRU, [[2]], activation="hard_sigmoid", seed=3)
    cell = model.layers[0][0]
    x, h = model.embedding[4], np.zeros(2)
    for _ in range(2):
        inputs, recurrent = cell.weight_ih @ x + cell.bias, cell.weight_hh @ h
        r, z = (
            np.clip(0.2 * (inputs + recurrent)[k * 2 : k * 2 + 2] + 0.5, 0, 1) for k in range(2)
        )
        new = np.tanh(inputs[4:] + r * (recurrent[4:] + cell.hidden_bias))
        h = (1 - z) * new + z * h
    expected = h @ model.output_weight.T + model.output_bias
    np.testing.assert_allclose(
        TextPredictor(model).logits([np.array([5, 5])])[0], expected, atol=1e-6
    )


def test_each_of_several_labels_has_a_probability_of_its_own():
    model = random_network(encoder_of(WORDS), CompactLSTM, [[2]], outputs=3, multi_label=True)
    predictor = TextPredictor(model)
    odds = predictor.logits([model.encoder.encode("w1 w2")])
    np.testing.assert_allclose(
        predictor.predict_proba(["w1 w2"]), 1 / (1 + np.exp(-odds)), rtol=1e-6
    )


@pytest.mark.parametrize("layers", [[[2]], [[2, 1]], [[2], [3]]])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_trajectory_is_what_shorter_texts_give(layers, pooling):
    model = random_network(encoder_of(WORDS), CompactGRU, layers, pooling=pooling, outputs=2)
    predictor, ids = TextPredictor(model), np.array([3, 1, 4, 1, 5])
    expected = predictor.logits([ids[:end] for end in range(6)])
    np.testing.assert_allclose(predictor.trajectory(ids), expected, atol=1e-6)
