"""The posterior's sigmas of a finished model, and pruning more than training did."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bayespress.compact import arrays_of
from bayespress.compression import aggregate_live, prune_more, sigma_twin, to_compact
from bayespress.nn import named_variational_parameters
from tests.compression.helpers import shares
from tests.compression.test_removal_is_exact import CODES, make

networks = st.builds(
    lambda code, share, groups, seed: make(code, 1, share, groups, "zero", seed),
    st.sampled_from(CODES),
    shares,
    shares,
    st.integers(0, 99),
)


@given(networks)
def test_every_weight_of_a_model_has_its_sigma(made):
    net, encoder = made
    model = arrays_of(to_compact(net, encoder, ("a", "b")))
    twin = arrays_of(to_compact(sigma_twin(net), encoder, ("a", "b")))
    for name, array in model.items():
        assert twin[name].shape == array.shape
        if array.ndim == 2:
            assert (twin[name] >= 0).all()
            assert not twin[name][array == 0].any()


def test_a_sigma_is_folded_as_its_weight_is():
    net, encoder = make("LLLLLL", 1, 0.0, 0.0, "zero", 1)
    model, twin = (to_compact(n, encoder, ("a", "b")) for n in (net, sigma_twin(net)))
    for weight, sigma in (
        (model.lstm.weight_hh, twin.lstm.weight_hh),
        (model.embedding, twin.embedding),
        (model.output_weight, twin.output_weight),
    ):
        # Helpers give every weight the same ratio of sigma to mean: exp(-1).
        np.testing.assert_allclose(sigma, np.exp(-1) * np.abs(weight), rtol=1e-5)


@given(networks)
def test_a_frozen_network_has_the_same_sigmas(made):
    net, encoder = made
    expected = arrays_of(to_compact(sigma_twin(net), encoder, ("a", "b")))
    for _, parameter in named_variational_parameters(net):
        parameter.freeze()
    found = arrays_of(to_compact(sigma_twin(net), encoder, ("a", "b")))
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4)


@given(networks, st.sampled_from([3.0, 0.0, -1.5]), st.booleans())
def test_a_lower_threshold_prunes_what_is_over_it(made, threshold, is_frozen):
    net, _ = made
    before = copy.deepcopy(net)
    if is_frozen:
        for _, parameter in named_variational_parameters(net):
            parameter.freeze()
    prune_more(net, threshold)
    for (_, one), (_, other) in zip(
        named_variational_parameters(before), named_variational_parameters(net), strict=True
    ):
        expected = one.keep()
        if one.prior.value == "L":
            expected &= one.log_alpha() <= threshold
        assert torch.equal(other.keep(), expected)
        assert torch.equal(other()[expected], one()[expected])
        assert not other()[~expected].any()


def test_a_threshold_above_the_networks_own_brings_nothing_back():
    net, _ = make("LLLLLL", 1, 0.5, 0.5, "zero", 3)
    before = aggregate_live(net)
    prune_more(net, 10.0)
    assert torch.equal(aggregate_live(net).cells[0].weight_hh, before.cells[0].weight_hh)


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="threshold must be a number, got nan"):
        prune_more(make("LLLLLL", 1, 0.5, 0.5, "zero", 3)[0], float("nan"))
