"""What a compact model is made of, beside that it predicts what the masked network does."""

import numpy as np
import pytest
import torch

from bayespress.compression import (
    ShrinkPlan,
    Size,
    aggregate_live,
    shrink,
    statistics,
    to_compact,
    to_principal_axes,
)
from bayespress.runtime import TextPredictor
from tests.compression.test_networks import LABELS, make
from tests.compression.test_removal_is_exact import TOLERANCE, predict


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_group_variables_below_zero_fold_under_every_pooling(cell, pooling):
    net, encoder = make(cell, 2, 1, pooling, share=0.0, group_share=0.0)
    with torch.no_grad():
        for one in net.recurrent.cells():
            one.z_hidden.mean.copy_(torch.tensor([-0.7, 0.8, -1.3]))
    raw = ["good bad fine", "fine", "bad bad good fine"]
    model = to_compact(net, encoder, LABELS)
    masked = predict(net, encoder, raw)
    np.testing.assert_allclose(TextPredictor(model).predict_proba(raw), masked, atol=TOLERANCE)


def test_signs_are_turned_in_the_last_layer_alone():
    net, encoder = make("gru", 2, 1, "max", share=0.0, group_share=0.0)
    with torch.no_grad():
        for one in net.recurrent.cells():
            one.z_hidden.mean.copy_(torch.tensor([-0.7, 0.8, -1.3]))
    (lower,), (upper,) = to_compact(net, encoder, LABELS).layers
    below, above = (cell.hidden_bias.detach().numpy() for cell in net.recurrent.cells())
    np.testing.assert_array_equal(lower.hidden_bias, below)
    np.testing.assert_array_equal(upper.hidden_bias, above * [-1, 1, -1])


def test_facts_and_the_kind_of_answer_are_carried_along():
    net, encoder = make("lstm", 1, 1, "last")
    plain = to_compact(net, encoder, LABELS)
    assert (plain.info, plain.multi_label, plain.labels) == ({}, False, LABELS)
    facts = {"seed": 3}
    told = to_compact(net, encoder, LABELS, facts, multi_label=True)
    assert (told.info, told.multi_label) == ({"seed": 3}, True)
    facts["seed"] = 4
    assert told.info == {"seed": 3}


def one_of_each_pruned():
    """A network of 4 dimensions, two layers of 3 neurons and 3 classes, of which one each goes.

    The row of zeros, which no word has, is never kept.
    """
    net, _ = make("lstm", 2, 1, "last", code="LLLLLL", share=0.0, group_share=0.0)
    lower, upper = net.recurrent.cells()
    with torch.no_grad():
        net.embedding.z_vocab.log_sigma[2] = 9.0
        lower.z_input.log_sigma[1] = 9.0
        lower.z_hidden.log_sigma[0] = 9.0
        upper.z_hidden.log_sigma[2] = 9.0
    return net


def test_counts_and_ratios_are_those_of_the_network_that_is_left():
    net = one_of_each_pruned()
    counts, rows = statistics(net), Size.of(net).rows
    assert counts.words == (rows - 2, rows)
    assert counts.dims == (3, 4)
    assert counts.neurons == (4, 6)
    assert counts.gates == (4 * 4, 4 * 6)
    assert counts.groups == {
        "z_vocab": (rows - 2, rows), "z_input": (3, 4), "z_hidden": (4, 6), "z_gates": (24, 24),
    }  # fmt: skip
    before = rows * 4 + 4 * 3 * (4 + 3) + 4 * 3 * (3 + 3) + 3 * 3
    after = (rows - 2) * 3 + 4 * 2 * (3 + 2) + 4 * 2 * (2 + 2) + 3 * 2
    assert counts.stored_compression_ratio == pytest.approx(before / after)
    assert counts.dense_ratio == pytest.approx((before + 4 * 6 + 3) / (after + 4 * 4 + 3))
    assert counts.dense_bytes == 4 * (before + 4 * 6 + 3)
    assert sum(total for _, total in counts.weights.values()) == before


def test_what_went_before_counts_as_pruned():
    net = one_of_each_pruned()
    own = Size.of(net)
    full = Size(2 * own.rows, 8, ((6,), (6,)), own.outputs)
    counts = statistics(net, full)
    assert counts.words == (own.rows - 2, 2 * own.rows)
    assert counts.dims == (3, 8)
    assert counts.neurons == (4, 12)
    assert counts.paper["gates"][1] == counts.groups["z_gates"][1] == 48
    assert counts.dense_bytes == 4 * full.dense_parameters
    assert counts.to_dict()["dims"] == (3, 8)
    assert Size.from_dict({**vars(full), "hidden": [[6], [6]]}) == full


def test_nothing_that_is_kept_makes_the_ratio_finite():
    net, _ = make("lstm", 1, 1, "last", share=0.0, group_share=0.0)
    with torch.no_grad():
        net.output.weight.log_sigma.fill_(9.0)
    assert not aggregate_live(net).hidden.any()
    assert statistics(net).stored_compression_ratio == sum(Size.of(net).weights.values())


def test_principal_axes_keep_the_precision_of_the_network():
    net, _ = make("lstm", 1, 1, "last", share=0.0, group_share=0.0)
    to_principal_axes(net.double(), 0.5)
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float64}


def test_what_is_not_learned_is_not_learned_after_shrinking():
    net = one_of_each_pruned()
    net.output.weight.mean.requires_grad_(False)
    masks = aggregate_live(net)
    shrink(net, ShrinkPlan.from_masks(masks, masks.vocab.nonzero().flatten()))
    assert net.output.weight.mean.shape == (3, 2)
    assert not net.output.weight.mean.requires_grad
    assert net.embedding.weight.mean.requires_grad
