import math

import pytest
import torch

from bayespress.nn import Linear


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def make(prior="L", **options):
    return Linear(3, 2, prior=prior, generator=generator(), **options)


@pytest.mark.parametrize("bias", [True, False])
def test_without_sparsity_it_is_the_linear_layer_of_torch(bias):
    ours, theirs = make("D", bias=bias), torch.nn.Linear(3, 2, bias=bias)
    theirs.weight.data.copy_(ours.weight.mean)
    if bias:
        ours.bias.data.fill_(0.3)
        theirs.bias.data.fill_(0.3)
    x = torch.randn(4, 5, 3, generator=generator())
    torch.testing.assert_close(ours(x), theirs(x))
    for module in (ours, theirs):
        module(x).square().sum().backward()
    torch.testing.assert_close(ours.weight.mean.grad, theirs.weight.grad)


@pytest.mark.parametrize("prior", ["L", "N"])
def test_outputs_have_the_moments_of_random_weights(prior):
    layer = make(prior, log_sigma=-1.0)
    x = torch.tensor([[1.0, -2.0, 0.5]])
    count = 20_000
    draws = layer(x.expand(count, 3), generator()).detach()
    variance = (x.square() * math.exp(-2.0)).sum().item()
    expected = (x @ layer.weight.mean.t()).squeeze(0).detach()
    error = 5 * math.sqrt(variance / count)
    assert ((draws.mean(0) - expected).abs() < error).all()
    assert ((draws.var(0) / variance - 1).abs() < 5 * math.sqrt(2 / count)).all()
    assert torch.corrcoef(draws.T)[0, 1].abs() < 5 / math.sqrt(count)


def test_noise_is_drawn_for_each_example_and_output():
    output = make(log_sigma=0.0)(torch.ones(6, 3), generator())
    assert len(output.unique()) == 12


def test_a_zero_input_has_a_finite_gradient():
    layer, x = make(), torch.zeros(2, 3, requires_grad=True)
    layer(x, generator()).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in layer.parameters())


def test_gradients_equal_finite_differences():
    layer = make(log_sigma=-1.0).double()
    x = torch.randn(4, 3, generator=generator(), dtype=torch.float64)
    parameters = tuple(layer.parameters())
    assert torch.autograd.gradcheck(
        lambda y, *_: layer(y, generator()), (x.requires_grad_(), *parameters)
    )


def test_pruned_weights_are_zero_in_evaluation():
    layer = make("L", bias=False).eval()
    with torch.no_grad():
        layer.weight.mean.fill_(1.0)
        layer.weight.log_sigma[0, 1:] = 9.0
    assert layer(torch.tensor([1.0, 2.0, 4.0])).tolist() == [1, 7]


def test_the_seed_decides_the_noise_and_evaluation_has_none():
    layer, x = make(), torch.ones(4, 3)
    one, same, other = (layer(x, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_initial_values_are_those_of_the_papers():
    layer = Linear(40, 10, generator=generator())
    limit = math.sqrt(6 / 50)
    assert 0.95 * limit < layer.weight.mean.abs().max() <= limit
    assert (layer.bias == 0).all()
    assert (layer.in_features, layer.out_features) == (40, 10)
    assert repr(layer).startswith("Linear(\n  40, 10, bias=True")
