import math

import pytest
import torch

from bayespress import kernels
from bayespress.nn import Linear
from bayespress.variational import Share


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


SHARED = {"example": 30, "sequence": 6, "batch": 2}
"""How many different outputs equal inputs have: of 3 sequences of 5 elements, 2 numbers each."""


@pytest.mark.parametrize("noise", SHARED)
def test_what_shares_a_sample_of_the_noise(noise):
    output = make(log_sigma=0.0, noise=noise)(torch.ones(3, 5, 3), generator())
    assert output.shape == (3, 5, 2)
    assert len(output.unique()) == SHARED[noise]
    if noise == "sequence":
        assert torch.equal(output, output[:, :1].expand_as(output))


@pytest.mark.parametrize("noise", SHARED)
@pytest.mark.parametrize("prior", ["L", "N"])
def test_every_kind_of_noise_has_the_variance_of_random_weights(noise, prior):
    layer = make(prior, log_sigma=-1.0, noise=noise)
    x = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
    source, count = generator(), 6_000
    if noise == "batch":  # one sample a call
        draws = torch.stack([layer(x, source) for _ in range(count)])
    else:
        draws = layer(x.expand(count, 2, 3), source)
    variance = x.square().sum(1, keepdim=True) * math.exp(-2.0)
    deviation = (draws.detach() - (x @ layer.weight.mean.t()).detach()) / variance.sqrt()
    assert (deviation.mean(0).abs() < 5 / math.sqrt(count)).all()
    assert ((deviation.square().mean(0) - 1).abs() < 5 * math.sqrt(2 / count)).all()
    # Outputs have weights, and noise, of their own.
    assert (deviation[..., 0] * deviation[..., 1]).mean(0).abs().max() < 5 / math.sqrt(count)
    # Elements of a sequence: on their own, with one sample, or by the weights that both read.
    together = (deviation[:, 0] * deviation[:, 1]).mean(0)
    cosine = torch.nn.functional.cosine_similarity(x[0], x[1], dim=0)
    expected = {"example": 0.0, "sequence": 1.0, "batch": cosine.item()}[noise]
    assert ((together - expected).abs() < 5 * math.sqrt(2 / count)).all()


def test_noise_of_a_batch_is_one_weight_matrix():
    layer, x = make(noise="batch"), torch.randn(4, 5, 3, generator=generator(2))
    weight = layer.weight(generator(3))
    torch.testing.assert_close(layer(x, generator(3)), x @ weight.t() + layer.bias)


@pytest.mark.parametrize("noise", SHARED)
@pytest.mark.parametrize("training", [False, True])
def test_a_share_computes_its_part_of_the_whole(noise, training):
    layer = make(log_sigma=0.0, noise=noise).train(training)
    x, share = torch.randn(4, 5, 3, generator=generator(2)), Share(1, 3, 4)
    whole = layer(x, generator(3))
    torch.testing.assert_close(layer(share.of(x), generator(3), share), share.of(whole))


@pytest.mark.parametrize("noise", SHARED)
def test_many_weights_are_multiplied_alike(noise):
    """From a certain size on, the products are others than torch's own."""
    layer = Linear(130, 130, noise=noise, log_sigma=-2.0, generator=generator())
    torch.nn.init.normal_(layer.bias, generator=generator(2))
    x = torch.randn(2, 3, 130, generator=generator(3))
    found = []
    for enabled in (True, False):
        layer.zero_grad()
        with kernels.use(enabled):
            output = layer(x, generator(4))
            output.square().sum().backward()
        found.append([output, *(p.grad for p in layer.parameters())])
    torch.testing.assert_close(*found, rtol=2e-4, atol=2e-4)
    mean = torch.nn.functional.linear(x, layer.eval().weight(), layer.bias)
    torch.testing.assert_close(layer(x), mean, rtol=1e-4, atol=1e-4)


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
