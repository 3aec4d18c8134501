import math

import pytest
import torch
from torch import nn

from bayespress.sparsity import Prior
from bayespress.variational import (
    THRESHOLD,
    VariationalParameter,
    kl,
    kl_log_uniform,
    kl_normal,
    named_variational_parameters,
    set_threshold,
)

every_kind = pytest.mark.parametrize("kind", list(Prior))
random_kinds = pytest.mark.parametrize("kind", [Prior.LOG_UNIFORM, Prior.NORMAL])


def make(log_alpha, kind=Prior.LOG_UNIFORM, mean=0.5):
    """A parameter whose elements have these log alphas."""
    log_alpha = torch.tensor(log_alpha, dtype=torch.float64)
    parameter = VariationalParameter(torch.full_like(log_alpha, mean), kind)
    if parameter.log_sigma is not None:
        with torch.no_grad():
            parameter.log_sigma.copy_(0.5 * log_alpha + math.log(abs(mean)))
    return parameter


def test_log_alpha_is_not_clipped():
    parameter = make([-20.0, 0.0, 20.0], mean=-0.5)
    torch.testing.assert_close(
        parameter.log_alpha(), torch.tensor([-20.0, 0.0, 20.0], dtype=torch.float64)
    )
    assert not parameter.log_alpha().requires_grad


def test_what_exceeds_the_threshold_is_pruned():
    parameter = make([THRESHOLD - 0.01, THRESHOLD + 0.01]).eval()
    assert parameter.keep().tolist() == [True, False]
    assert parameter().tolist() == [0.5, 0]


def test_what_meets_the_threshold_exactly_is_kept():
    parameter = make([1.0, 2.0, 3.0]).eval()
    parameter.threshold = parameter.log_alpha()[1].item()
    assert parameter.keep().tolist() == [True, True, False]
    assert parameter(rows=torch.tensor([2, 1])).tolist() == [0, 0.5]


def test_a_mean_of_zero_is_pruned():
    parameter = VariationalParameter(torch.tensor([0.0, 1.0]), "L").eval()
    assert parameter.keep().tolist() == [False, True]
    assert parameter().tolist() == [0, 1]


def test_an_infinite_threshold_prunes_nothing():
    parameter = make([2.0, 40.0]).eval()
    parameter.threshold = math.inf
    assert parameter.keep().all()
    assert parameter().tolist() == [0.5, 0.5]


def test_set_threshold_reaches_all_parameters_below_a_module():
    module = nn.Sequential(make([2.0]), nn.Sequential(make([2.0])))
    set_threshold(module, 1.0)
    assert [p.keep().tolist() for _, p in named_variational_parameters(module)] == [[False]] * 2


@pytest.mark.parametrize("kind", [Prior.NORMAL, Prior.DETERMINISTIC, Prior.CONSTANT])
def test_only_the_log_uniform_prior_prunes(kind):
    parameter = make([40.0, -40.0], kind).eval()
    assert parameter.keep().all()
    assert parameter().tolist() == parameter.mean.tolist()


def test_deterministic_is_an_ordinary_parameter():
    parameter = make([0.0, 0.0], Prior.DETERMINISTIC)
    assert [name for name, _ in parameter.named_parameters()] == ["mean"]
    assert torch.equal(parameter(), parameter.mean)
    assert parameter.log_alpha().tolist() == [-math.inf, -math.inf]
    assert parameter.kl() == 0


def test_constant_is_one_and_not_learned():
    parameter = make([0.0, 0.0], Prior.CONSTANT, mean=0.3)
    assert parameter.is_constant
    assert list(parameter.parameters()) == []
    assert parameter().tolist() == [1, 1]
    assert parameter.kl() == 0
    assert "mean" in parameter.state_dict()


@random_kinds
def test_random_kinds_learn_mean_and_log_sigma(kind):
    parameter = make([0.0, 1.0], kind)
    (parameter().sum() + parameter.kl()).backward()
    assert [name for name, _ in parameter.named_parameters()] == ["mean", "log_sigma"]
    assert all(p.grad.abs().sum() > 0 for p in parameter.parameters())


def test_log_sigma_starts_at_minus_three():
    assert VariationalParameter(torch.ones(2), "N").log_sigma.tolist() == [-3, -3]


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'X' is not a valid Prior"):
        VariationalParameter(torch.ones(2), "X")


@random_kinds
def test_samples_have_the_moments_of_the_posterior(kind):
    parameter = make([-2.0, 0.0, 3.5], kind, mean=2.0)
    count = 40_000
    draws = parameter(torch.Generator().manual_seed(1), samples=count).detach()
    sigma = parameter.log_sigma.detach().exp()
    error = 5 * sigma / math.sqrt(count)
    assert ((draws.mean(0) - 2.0).abs() < error).all()
    assert ((draws.std(0) - sigma).abs() < error).all()
    correlation = torch.corrcoef(draws.T) - torch.eye(3)
    assert correlation.abs().max() < 5 / math.sqrt(count)


@random_kinds
def test_a_sample_is_mean_plus_sigma_times_noise_with_its_gradient(kind):
    parameter = make([0.0, 1.0], kind)
    sample = parameter(torch.Generator().manual_seed(7))
    noise = torch.randn(2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    torch.testing.assert_close(sample, parameter.mean + parameter.log_sigma.exp() * noise)
    sample.sum().backward()
    assert parameter.mean.grad.tolist() == [1, 1]
    torch.testing.assert_close(parameter.log_sigma.grad, parameter.log_sigma.detach().exp() * noise)


@every_kind
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_samples_and_rows_shape_the_result(kind, shape):
    parameter = VariationalParameter(torch.ones(shape), kind)
    rows = torch.tensor([2, 0, 2, 1])
    assert parameter().shape == shape
    assert parameter(rows=rows).shape == (4, *shape[1:])
    in_front = 5 if kind.is_random else 1
    assert parameter(samples=5).shape == (in_front, *shape)
    assert parameter(rows=rows, samples=5).shape == (in_front, 4, *shape[1:])
    assert parameter.eval()(samples=5).shape == (1, *shape)
    assert parameter(rows=rows, samples=5).shape == (1, 4, *shape[1:])


@every_kind
def test_no_rows_are_no_mistake(kind):
    rows = torch.zeros(0, dtype=torch.long)
    parameter = VariationalParameter(torch.ones(3, 2), kind)
    assert parameter(rows=rows).shape == (0, 2)
    assert parameter.eval()(rows=rows).shape == (0, 2)


@every_kind
def test_rows_are_rows_of_the_whole(kind):
    parameter = make([[-1.0, 5.0], [5.0, -1.0], [0.0, 0.0]], kind).eval()
    rows = torch.tensor([2, 0])
    assert torch.equal(parameter(rows=rows), parameter()[rows])


def test_a_row_that_recurs_gets_noise_anew_and_gradients_add_up():
    parameter = make([[0.0], [0.0]])
    first, second, other = parameter(rows=torch.tensor([1, 1, 0]))
    assert first != second
    (first + second + other).sum().backward()
    assert parameter.mean.grad.tolist() == [[1], [2]]


@every_kind
def test_the_seed_decides_the_noise(kind):
    parameter = make([0.0, 1.0, 2.0], kind)
    one, two = (parameter(torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert torch.equal(parameter(torch.Generator().manual_seed(4)), one) != kind.is_random


@every_kind
def test_evaluation_is_without_noise(kind):
    parameter = make([0.0, 1.0, 2.0], kind).eval()
    assert torch.equal(parameter(), parameter())


def test_the_divergence_of_a_module_is_the_sum_over_its_parameters():
    module = nn.ModuleDict(
        {"a": make([0.0, 1.0]), "b": make([2.0], "N"), "c": make([0.0], "D"), "d": nn.Linear(2, 2)}
    )
    a, b = module["a"], module["b"]
    for form in ("chirkova", "molchanov"):
        expected = kl_log_uniform(a.mean, a.log_sigma, form) + kl_normal(b.mean, b.log_sigma)
        torch.testing.assert_close(kl(module, form), expected)
    assert [name for name, _ in named_variational_parameters(module)] == ["a", "b", "c"]


def test_a_module_without_variational_parameters_has_no_divergence():
    assert kl(nn.Linear(2, 2)) == 0


@every_kind
def test_the_state_can_be_saved_and_loaded(kind):
    one, other = make([0.0, 1.0], kind), make([3.0, 4.0], kind, mean=0.1)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.eval()(), one.eval()())


@random_kinds
def test_what_is_frozen_is_kept_for_good_and_knows_its_sigma(kind):
    parameter = make([-20.0, 0.0, 2.9, 3.1], kind).eval()
    kept, sigma = parameter.keep(), parameter.sigma()
    pruned = parameter()
    parameter.freeze()
    parameter.freeze()  # a resumed run does so again
    torch.testing.assert_close(parameter(), pruned)
    torch.testing.assert_close(parameter.sigma(), sigma)
    with torch.no_grad():
        parameter.mean[kept] *= 1e-6
    assert torch.equal(parameter.keep(), kept)


def test_what_has_no_noise_has_a_sigma_of_zero():
    assert make([1.0], Prior.DETERMINISTIC).sigma().tolist() == [0.0]


def test_the_papers_approximation_is_the_default():
    module = nn.ModuleDict({"one": make([0.3, -2.0]), "two": make([1.0])})
    total = sum(parameter.kl("chirkova") for _, parameter in named_variational_parameters(module))
    torch.testing.assert_close(kl(module), total)
    assert kl(module) != kl(module, "molchanov")
