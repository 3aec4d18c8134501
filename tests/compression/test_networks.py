"""Networks of every kind: masked = shrunk = file, on raw text."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress import compact as artifact
from bayespress.compression import (
    ShrinkPlan,
    Size,
    aggregate,
    aggregate_live,
    shrink,
    statistics,
    to_compact,
    to_principal_axes,
)
from bayespress.config import ModelConfig, TextConfig
from bayespress.models import TextClassifierNet
from bayespress.runtime import TextPredictor
from bayespress.text import TextEncoder
from bayespress.variational import named_variational_parameters, set_threshold
from tests.compression.test_removal_is_exact import (
    TOLERANCE,
    WORDS,
    predict,
    prune_at_random,
    texts,
)

LABELS = ("a", "b", "c")


def make(cell, layers, directions, pooling, code="LLLLLL", share=0.5, group_share=0.3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    config = TextConfig(vocabulary_size=9, min_documents=1, max_length=6, lowercase=True)
    encoder = TextEncoder.fit([" ".join(WORDS[:k]) for k in range(1, len(WORDS) + 1)], config)
    settings = ModelConfig(
        code=code, embedding_size=4, hidden_size=3, cell=cell, layers=layers,
        bidirectional=directions == 2, pooling=pooling,
    )  # fmt: skip
    net = TextClassifierNet(encoder.vocabulary.num_rows, 3, settings, generator=generator).eval()
    prune_at_random(net, share, group_share, generator)
    with torch.no_grad():
        for one in net.recurrent.cells():
            one.bias.normal_(generator=generator)
            if cell == "gru":
                one.hidden_bias.normal_(generator=generator)
            for group in (one.z_hidden, one.z_gates, one.z_input):
                if group.log_sigma is not None:
                    # Negative ones too, of any size that keep and prune as before.
                    sign = torch.randn(group.mean.shape, generator=generator).sign()
                    group.mean.mul_(sign)
    return net, encoder


NETWORKS = st.builds(
    make,
    st.sampled_from(["lstm", "gru"]),
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from(["last", "mean", "max"]),
    st.sampled_from(["LLLLLL", "LCLCCL", "LLLCLL", "DCDCCD"]),
    st.sampled_from([0.0, 0.5, 0.95]),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.integers(0, 999),
)


@settings(max_examples=60)
@given(NETWORKS, st.lists(texts, min_size=1, max_size=4))
def test_nothing_that_is_removed_changes_a_prediction(made, raw):
    net, encoder = made
    masked = predict(net, encoder, raw)
    small, masks = copy.deepcopy(net), aggregate_live(net)
    small_encoder, rows = encoder.restrict(masks.vocab.numpy())
    shrink(small, ShrinkPlan.from_masks(masks, torch.from_numpy(rows)))
    np.testing.assert_allclose(predict(small, small_encoder, raw), masked, atol=TOLERANCE)
    np.testing.assert_allclose(predict(net, encoder, raw, left=False), masked, atol=TOLERANCE)
    model = artifact.loads(artifact.dumps(to_compact(net, encoder, LABELS)))
    np.testing.assert_allclose(TextPredictor(model).predict_proba(raw), masked, atol=TOLERANCE)
    assert Size.of(small).hidden == tuple(
        tuple(cell.hidden_size for cell in layer) for layer in model.layers
    )


@settings(max_examples=30)
@given(NETWORKS)
def test_shrinking_twice_removes_nothing_more(made):
    net, encoder = made
    _, rows = encoder.restrict(aggregate_live(net).vocab.numpy())
    shrink(net, ShrinkPlan.from_masks(aggregate_live(net), torch.from_numpy(rows)))
    again = aggregate_live(net)
    assert bool(again.hidden.all())
    assert bool(again.emb.all())


@settings(max_examples=30)
@given(NETWORKS)
def test_counts_are_of_what_is_there(made):
    net, _ = made
    counts, live = statistics(net), aggregate_live(net)
    model_gates = sum(int(cell.gates.sum()) for cell in live.cells)
    assert counts.gates == (model_gates, Size.of(net).gates)
    assert counts.neurons == (int(live.hidden.sum()), Size.of(net).neurons)
    weights = sum(total for _, total in counts.weights.values())
    matrices = sum(
        p.mean.numel()
        for n, p in named_variational_parameters(net)
        if n.rpartition(".")[2].startswith("weight")
    )
    assert weights == matrices
    assert Size.of(net).dense_parameters == matrices + sum(
        p.numel() for n, p in net.named_parameters() if "bias" in n
    )
    paper = aggregate(net).kept_weights()
    assert all(paper[name] >= count for name, count in live.kept_weights().items())


def test_a_neuron_that_only_the_layer_above_reads_stays():
    net, _ = make("lstm", 2, 1, "last", share=0.0, group_share=0.0)
    lower, upper = net.recurrent.cells()
    with torch.no_grad():
        lower.weight_hh.log_sigma.fill_(9.0)
        lower.weight_hh.mean.fill_(1e-6)
        upper.weight_ih.log_sigma[:, 1:] = 9.0
    live = aggregate_live(net)
    assert live.cells[0].hidden.tolist() == [True, False, False]
    assert live.cells[1].hidden.all()
    assert aggregate(net).cells[0].hidden.tolist() == [True, False, False]


def test_a_layer_that_nothing_reads_takes_all_below_with_it():
    net, encoder = make("gru", 3, 2, "mean", share=0.0, group_share=0.0)
    with torch.no_grad():
        for cell in net.recurrent.nested()[1]:
            cell.z_hidden.log_sigma.fill_(9.0)
    live = aggregate_live(net)
    assert not live.vocab.any()
    assert [int(cell.hidden.sum()) for cell in live.cells] == [0, 0, 0, 0, 3, 3]
    model = to_compact(net, encoder, LABELS)
    np.testing.assert_allclose(
        TextPredictor(model).predict_proba(["good bad"]), predict(net, encoder, ["good bad"]),
        atol=TOLERANCE,
    )  # fmt: skip


@pytest.mark.parametrize("directions", [1, 2])
def test_principal_axes_change_no_prediction(directions):
    net, encoder = make("gru", 2, directions, "max", share=0.0, group_share=0.0)
    set_threshold(net, math.inf)
    before = predict(net, encoder, ["good bad", "fine"])
    to_principal_axes(net, 0.5)
    np.testing.assert_allclose(predict(net, encoder, ["good bad", "fine"]), before, atol=TOLERANCE)
