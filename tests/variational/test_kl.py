import pytest
import torch
from torch.nn.functional import softplus

from bayespress.variational import APPROXIMATIONS, kl_log_uniform, kl_normal
from bayespress.variational.kl import CLIP

every_form = pytest.mark.parametrize("form", APPROXIMATIONS)


def chirkova(log_alpha):
    return 0.5 * softplus(-log_alpha) - 0.03 - 0.64 * torch.sigmoid(1.5 * (log_alpha + 1.3))


def molchanov(log_alpha):
    k1, k2, k3 = 0.63576, 1.87320, 1.48695
    return 0.5 * softplus(-log_alpha) - k1 * torch.sigmoid(k2 + k3 * log_alpha) + k1


def by_autograd(mean, log_sigma, form):
    log_alpha = 2 * log_sigma - torch.log(mean**2)
    formula = {"chirkova": chirkova, "molchanov": molchanov}[form]
    return formula(log_alpha.clamp(-8, 8)).sum()


def posterior(*shape, seed=0, dtype=torch.float64):
    """Means of both signs, and log alphas from below -8 to above 8."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(shape, generator=generator, dtype=dtype)
    log_alpha = 24 * torch.rand(shape, generator=generator, dtype=dtype) - 12
    log_sigma = 0.5 * log_alpha + mean.abs().log()
    return mean.requires_grad_(), log_sigma.detach().requires_grad_()


def with_log_alpha(values):
    log_alpha = torch.as_tensor(values, dtype=torch.float64)
    return torch.ones_like(log_alpha).requires_grad_(), (0.5 * log_alpha).requires_grad_()


@every_form
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4), (1,), (0,), ()])
def test_value_and_gradient_equal_those_of_autograd(form, shape):
    inputs = posterior(*shape)
    actual, expected = kl_log_uniform(*inputs, form), by_autograd(*inputs, form)
    torch.testing.assert_close(actual, expected)
    for ours, theirs in zip(
        torch.autograd.grad(3 * actual, inputs),
        torch.autograd.grad(3 * expected, inputs),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


@every_form
@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_tensors_larger_than_a_chunk_are_summed_whole(form, size):
    inputs = posterior(size, seed=size)
    actual, expected = kl_log_uniform(*inputs, form), by_autograd(*inputs, form)
    torch.testing.assert_close(actual, expected)
    for ours, theirs in zip(
        torch.autograd.grad(actual, inputs), torch.autograd.grad(expected, inputs), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@every_form
def test_the_gradient_is_that_of_finite_differences(form):
    inputs = with_log_alpha([-7.5, -3.0, -1.0, 0.0, 0.5, 3.0, 7.5])
    assert torch.autograd.gradcheck(lambda m, s: kl_log_uniform(m, s, form), inputs)


@every_form
def test_tensors_that_are_not_contiguous_are_read_in_their_order(form):
    mean, log_sigma = posterior(300, 400)
    actual = kl_log_uniform(mean.t(), log_sigma.t(), form)
    actual.backward()
    expected = torch.autograd.grad(by_autograd(mean, log_sigma, form), (mean, log_sigma))
    torch.testing.assert_close((mean.grad, log_sigma.grad), expected)


@every_form
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_mean_of_exactly_zero_has_a_finite_value_and_no_gradient(form, dtype):
    mean = torch.tensor([0.0, -0.0, 1.0], dtype=dtype, requires_grad=True)
    log_sigma = torch.full_like(mean, -3.0).requires_grad_()
    value = kl_log_uniform(mean, log_sigma, form)
    value.backward()
    assert torch.isfinite(value)
    for gradient in (mean.grad, log_sigma.grad):
        assert gradient[:2].tolist() == [0, 0]
        assert torch.isfinite(gradient).all()
        assert gradient[2] != 0


@every_form
def test_there_is_no_gradient_outside_of_the_clip(form):
    inputs = with_log_alpha([-50.0, -CLIP - 0.01, CLIP + 0.01, 50.0])
    value = kl_log_uniform(*inputs, form)
    for gradient in torch.autograd.grad(value, inputs):
        assert gradient.tolist() == [0, 0, 0, 0]
    at_the_clip = kl_log_uniform(*with_log_alpha([-CLIP, -CLIP, CLIP, CLIP]), form)
    torch.testing.assert_close(value, at_the_clip)


@every_form
def test_the_smallest_and_largest_numbers_have_finite_gradients(form):
    mean = torch.tensor([2e-38, -2e-38, 3e38], requires_grad=True)
    log_sigma = torch.tensor([-87.0, -86.0, 88.0], requires_grad=True)
    kl_log_uniform(mean, log_sigma, form).backward()
    assert torch.isfinite(mean.grad).all()
    assert torch.isfinite(log_sigma.grad).all()


@every_form
def test_more_noise_is_never_dearer(form):
    log_alpha = torch.linspace(-8, 8, 200, dtype=torch.float64)
    value, slope = APPROXIMATIONS[form](log_alpha)
    assert (value.diff() < 0).all()
    assert (slope < 0).all()


def test_the_forms_differ_by_a_constant_and_agree_in_their_gradient():
    log_alpha = torch.linspace(-8, 8, 200, dtype=torch.float64)
    (one, one_slope), (other, other_slope) = (form(log_alpha) for form in APPROXIMATIONS.values())
    torch.testing.assert_close(other - one, torch.full_like(one, 0.67), atol=0.01, rtol=0)
    torch.testing.assert_close(one_slope, other_slope, atol=1e-2, rtol=0)


def test_the_authors_form_is_the_default():
    inputs = posterior(5)
    assert kl_log_uniform(*inputs) == kl_log_uniform(*inputs, "chirkova")


def test_the_normal_divergence_is_that_of_torch():
    mean, log_sigma = posterior(4, 3)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, log_sigma.exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(kl_normal(mean, log_sigma), expected.sum())
    mean, log_sigma = with_log_alpha([-2.0, 0.0, 1.0])
    assert torch.autograd.gradcheck(kl_normal, (mean, log_sigma))
    assert kl_normal(torch.zeros(3), torch.zeros(3)) == 0
