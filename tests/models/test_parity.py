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
    authors.assert_masks(fixture, masks)
    for name, actual in (("emb", masks.emb), ("w_emb", masks.embedding_weight)):
        np.testing.assert_array_equal(actual, fixture[f"masks/{name}"], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("path", authors.MOMENTS, ids=lambda path: path.stem)
def test_noise_moments_match(path):
    """Mean, variance and the covariance between examples, which shows what noise they share."""
    fixture = authors.load(path)
    count = 4_000
    net = authors.build(fixture, torch.float32).train()
    ids, mask, _ = authors.batch(fixture)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        draws = torch.stack(
            [authors.probabilities(net(ids, mask, generator)).flatten() for _ in range(count)]
        ).numpy()
    authors.assert_moments(fixture, draws)


@pytest.mark.parametrize(
    "path", [p for p in authors.CLASSIFIERS if "DCDCCD" in p.stem], ids=lambda path: path.stem
)
def test_five_steps_of_adam_match(path):
    fixture = authors.load(path)
    net = authors.build(fixture, torch.float64).train()
    ids, mask, labels = authors.batch(fixture)
    steps = authors.train(fixture, net, lambda: nll(net(ids, mask), labels))
    np.testing.assert_allclose(steps, fixture["train/loss_and_norm"], rtol=1e-7)
    expected = authors.own_names(fixture, "train/param_after")
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(parameter.detach(), expected[name], atol=1e-7, err_msg=name)
