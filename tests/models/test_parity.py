"""Equality with what the authors' program computes on the same parameters."""

import math

import numpy as np
import pytest
import torch
from tests import authors

from bayespress.compression.masks import aggregate
from bayespress.nn import kl, set_threshold
from bayespress.objective import nll

DTYPES = [(torch.float64, 1e-12), (torch.float32, 1e-5)]
every_classifier = pytest.mark.parametrize("path", authors.CLASSIFIERS, ids=lambda path: path.stem)


@every_classifier
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize(("key", "threshold"), [("det", math.inf), ("clip", 3.0)])
def test_outputs_without_noise_match(path, dtype, tolerance, key, threshold):
    fixture = authors.load(path)
    net = authors.build(fixture, dtype).eval()
    set_threshold(net, threshold)
    ids, mask, _ = authors.batch(fixture)
    actual = authors.probabilities(net(ids, mask)).detach().numpy()
    np.testing.assert_allclose(actual.squeeze(), fixture[f"out/{key}"].squeeze(), atol=tolerance)
    vectors = net.embedding(ids)
    np.testing.assert_allclose(
        vectors.detach() * mask[..., None], fixture[f"out/{key}_emb"] * mask[..., None].numpy(),
        atol=10 * tolerance,
    )  # fmt: skip
    _, (h, _) = net.lstm(vectors.transpose(0, 1), mask=mask.t())
    np.testing.assert_allclose(h[0].detach(), fixture[f"out/{key}_lstm"], atol=tolerance)


@every_classifier
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_kl_and_its_gradient_match(path, dtype, tolerance):
    fixture = authors.load(path)
    net = authors.build(fixture, dtype)
    divergence = kl(net)
    assert divergence.item() == pytest.approx(float(fixture["kl/total"]), rel=tolerance)
    if not divergence.requires_grad:
        return
    divergence.backward()
    expected = authors.own_names(fixture, "kl_grad")
    for name, parameter in net.named_parameters():
        if parameter.grad is None:
            np.testing.assert_array_equal(expected[name], 0)
        else:
            np.testing.assert_allclose(
                parameter.grad, expected[name], rtol=10 * tolerance, atol=tolerance, err_msg=name
            )


@every_classifier
def test_masks_match(path):
    fixture = authors.load(path)
    masks = aggregate(authors.build(fixture, torch.float64))
    for name, actual in (
        ("vocab", masks.vocab),
        ("emb", masks.emb),
        ("hidden", masks.hidden),
        ("gates", masks.gates),
        ("w_emb", masks.embedding_weight),
        ("w_inp", masks.weight_ih.transpose(1, 2)),
        ("w_hid", masks.weight_hh.transpose(1, 2)),
        ("w_dense", masks.output_weight.t()),
    ):
        expected = fixture[f"masks/{name}"].reshape(actual.shape)
        np.testing.assert_array_equal(actual, expected, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("path", authors.MOMENTS, ids=lambda path: path.stem)
def test_noise_moments_match(path):
    """Mean, variance and the covariance between examples, which shows what noise they share."""
    fixture = authors.load(path)
    count, theirs = 4_000, 20_000
    net = authors.build(fixture, torch.float32).train()
    ids, mask, _ = authors.batch(fixture)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        draws = torch.stack(
            [authors.probabilities(net(ids, mask, generator)).flatten() for _ in range(count)]
        ).numpy()
    covariance = fixture["mc/cov"]
    spread = np.sqrt(np.diag(covariance))
    # Both sides are Monte-Carlo estimates: five standard errors of their difference.
    error = 5 * np.sqrt(1 / count + 1 / theirs)
    np.testing.assert_array_less(
        np.abs(draws.mean(axis=0) - fixture["mc/mean"].flatten()), error * spread + 1e-5
    )
    difference = np.cov(draws.T, bias=True) - covariance
    np.testing.assert_array_less(np.abs(difference), error * np.outer(spread, spread) * 1.5 + 1e-6)


class EfficientAdam:
    """Adam as at the end of section 2 of Kingma & Ba 2015: epsilon is not bias-corrected.

    torch.optim.Adam corrects it, which shows in the fifth digit where gradients are near epsilon.
    """

    def __init__(self, parameters, rate):
        self.rate, self.t = rate, 0
        self.moments = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    @torch.no_grad()
    def step(self):
        self.t += 1
        rate = self.rate * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for parameter, first, second in self.moments:
            first.lerp_(parameter.grad, 1 - 0.9)
            second.lerp_(parameter.grad.square(), 1 - 0.999)
            parameter.sub_(rate * first / (second.sqrt() + 1e-8))


@pytest.mark.parametrize(
    "path", [p for p in authors.CLASSIFIERS if "DCDCCD" in p.stem], ids=lambda path: path.stem
)
def test_five_steps_of_adam_match(path):
    fixture = authors.load(path)
    net = authors.build(fixture, torch.float64).train()
    ids, mask, labels = authors.batch(fixture)
    rate, clip, _ = (float(x) for x in fixture["train/lr_clip_trainsize"])
    adam = EfficientAdam(list(net.parameters()), rate)
    steps = []
    for _ in range(5):
        net.zero_grad()
        loss = nll(net(ids, mask), labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), clip if clip > 0 else math.inf)
        adam.step()
        steps.append([loss.item(), norm.item()])
    np.testing.assert_allclose(steps, fixture["train/loss_and_norm"], rtol=1e-7)
    expected = authors.own_names(fixture, "train/param_after")
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(parameter.detach(), expected[name], atol=1e-7, err_msg=name)
