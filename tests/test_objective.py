import math

import pytest
import torch
from torch import nn

from bayespress.nn import Linear, kl
from bayespress.objective import negative_elbo, nll


def test_one_output_is_the_log_odds_of_class_one():
    probability = torch.tensor([0.2, 0.9])
    logits = (probability / (1 - probability)).log().unsqueeze(1)
    expected = -(math.log(1 - 0.2) + math.log(0.9)) / 2
    assert nll(logits, torch.tensor([0, 1])).item() == pytest.approx(expected)


def test_several_outputs_are_a_softmax():
    probabilities = torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    expected = -(math.log(0.5) + math.log(0.8)) / 2
    assert nll(probabilities.log(), torch.tensor([2, 1])).item() == pytest.approx(expected)


def test_one_output_equals_two_of_which_one_is_zero():
    logits, labels = torch.linspace(-4, 4, 9).unsqueeze(1), torch.arange(9) % 2
    both = torch.cat([torch.zeros(9, 1), logits], dim=1)
    torch.testing.assert_close(nll(logits, labels), nll(both, labels))


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_largest_logits_have_a_finite_value_and_gradient(outputs):
    logits = torch.full((2, outputs), -1e4)
    logits[:, 0] = 1e4
    logits.requires_grad_()
    value = nll(logits, torch.tensor([0, 1]))
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_double_precision_is_kept(outputs):
    logits = torch.zeros(2, outputs, dtype=torch.float64)
    assert nll(logits, torch.tensor([0, 1])).dtype == torch.float64


@pytest.mark.parametrize("form", ["chirkova", "molchanov"])
def test_the_bound_is_nll_plus_weighted_divergence_per_example(form):
    layer = Linear(3, 2)
    loss, divergence = negative_elbo(
        torch.tensor(0.7), layer, kl_weight=0.5, num_train=100, form=form
    )
    torch.testing.assert_close(divergence, kl(layer, form))
    torch.testing.assert_close(loss, 0.7 + 0.5 * kl(layer, form) / 100)


def test_gradients_flow_through_both_terms():
    layer, x = Linear(3, 1), torch.ones(4, 3)
    likelihood = nll(layer(x), torch.tensor([0, 1, 1, 1]))
    loss, _ = negative_elbo(likelihood, layer, kl_weight=1.0, num_train=4)
    loss.backward()
    weight = layer.weight.mean
    together = weight.grad.clone()
    (alone,) = torch.autograd.grad(kl(layer) / 4, weight)
    assert not torch.allclose(together, alone)
    assert not torch.equal(alone, torch.zeros_like(alone))


def test_a_dense_network_has_no_second_term():
    loss, divergence = negative_elbo(
        torch.tensor(0.7), nn.Linear(3, 2), kl_weight=1.0, num_train=10
    )
    assert loss == torch.tensor(0.7)
    assert divergence == 0


@pytest.mark.parametrize("outputs", [1, 3])
def test_weights_multiply_each_examples_likelihood(outputs):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, outputs, generator=generator)
    labels = torch.tensor([0, 1, 1, 0, 1])
    weights = torch.tensor([2.0, 0.0, 1.0, 0.5, 3.0])
    single = [nll(logits[k : k + 1], labels[k : k + 1]) for k in range(5)]
    expected = sum(weight * one for weight, one in zip(weights, single, strict=True)) / 5
    torch.testing.assert_close(nll(logits, labels, weights), expected)
    torch.testing.assert_close(nll(logits, labels, torch.ones(5)), nll(logits, labels))
