"""Equality of language models with what the authors' program computes on the same parameters."""

import math
import re

import numpy as np
import pytest
import torch
from tests import authors

from bayespress.compression import statistics
from bayespress.compression.masks import aggregate
from bayespress.nn import kl, set_threshold
from bayespress.objective import nll

DTYPES = [(torch.float64, 1e-12), (torch.float32, 1e-5)]
every_model = pytest.mark.parametrize("path", authors.LANGUAGE_MODELS, ids=lambda path: path.stem)


def batch(fixture, dtype):
    """Ids, next ids, and the state before."""
    ids, following = (torch.from_numpy(fixture[f"in/{name}"]).long() for name in "xy")
    if "in/hid" not in fixture:
        return ids, following, None
    h, c = torch.from_numpy(fixture["in/hid"]).to(dtype)
    return ids, following, (h[None], c[None])


def hidden_states(fixture, key):
    """h of every step: with a carried state they come with c."""
    value = fixture[f"out/{key}_lstm"]
    return value[0] if value.ndim == 4 else value


@every_model
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize(("key", "threshold"), [("det", math.inf), ("clip", 3.0)])
def test_outputs_without_noise_match(path, dtype, tolerance, key, threshold):
    fixture = authors.load(path)
    net = authors.build_language_model(fixture, dtype).eval()
    set_threshold(net, threshold)
    ids, following, state = batch(fixture, dtype)
    with torch.no_grad():
        logits, last = net(ids, state)
        hidden, _ = net.lstm(ids, state)
        loss = nll(logits.flatten(0, 1), following.flatten()).item()
    actual = torch.softmax(logits.flatten(0, 1), dim=1)
    np.testing.assert_allclose(actual, fixture[f"out/{key}"], atol=tolerance)
    np.testing.assert_allclose(hidden, hidden_states(fixture, key), atol=tolerance)
    expected = fixture[f"out/{key}_nll_bits"]
    assert [loss, loss / math.log(2)] == pytest.approx(expected, abs=10 * tolerance)
    if state is not None:
        np.testing.assert_allclose(torch.cat(last), fixture[f"out/{key}_last_hid"], atol=tolerance)


@every_model
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_kl_and_its_gradient_match(path, dtype, tolerance):
    fixture = authors.load(path)
    net = authors.build_language_model(fixture, dtype)
    divergence = kl(net)
    assert divergence.item() == pytest.approx(float(fixture["kl/total"]), rel=tolerance)
    if not divergence.requires_grad:
        return
    divergence.backward()
    expected = authors.own_language_names(fixture, "kl_grad")
    for name, parameter in net.named_parameters():
        actual = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        np.testing.assert_allclose(
            actual, expected[name], rtol=10 * tolerance, atol=tolerance, err_msg=name
        )


@every_model
def test_masks_counts_and_ratio_match(path):
    fixture = authors.load(path)
    net = authors.build_language_model(fixture, torch.float64)
    authors.assert_masks(fixture, aggregate(net))
    stats = statistics(net)
    counts = re.findall(r"(\w+): (\d+)/(\d+)", str(fixture["eval/text"]))
    theirs = [(int(kept), int(total)) for _, kept, total in counts]
    w_x, w_h, z_x, z_h, gates, dense = theirs
    assert [stats.weights[name] for name in ("weight_ih", "weight_hh", "output")] == [
        w_x, w_h, dense,
    ]  # fmt: skip
    assert [stats.paper[name] for name in ("words", "neurons", "gates")] == [z_x, z_h, gates]
    assert stats.paper["dims"] is None
    assert stats.compression_ratio == pytest.approx(float(fixture["eval/overall"]), rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("path", authors.LANGUAGE_MOMENTS, ids=lambda path: path.stem)
def test_noise_moments_match(path):
    """Mean, variance and the covariance between tokens, which shows what noise they share."""
    fixture = authors.load(path)
    net = authors.build_language_model(fixture, torch.float32).train()
    ids, _, state = batch(fixture, torch.float32)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        draws = torch.stack(
            [torch.softmax(net(ids, state, generator)[0], dim=2).flatten() for _ in range(12_000)]
        ).numpy()
    authors.assert_moments(fixture, draws)


@pytest.mark.parametrize(
    "path",
    [p for p in authors.LANGUAGE_MODELS if "DCCD" in p.stem],
    ids=lambda path: path.stem,
)
def test_five_steps_of_adam_match(path):
    fixture = authors.load(path)
    net = authors.build_language_model(fixture, torch.float64).train()
    ids, following, state = batch(fixture, torch.float64)
    carried = [state]

    def loss():
        logits, last = net(ids, carried[0])
        if state is not None:
            carried[0] = tuple(part.detach() for part in last)
        return nll(logits.flatten(0, 1), following.flatten())

    steps = authors.train(fixture, net, loss)
    np.testing.assert_allclose(steps, fixture["train/loss_and_norm"], rtol=1e-7)
    expected = authors.own_language_names(fixture, "train/param_after")
    for name, parameter in net.named_parameters():
        np.testing.assert_allclose(parameter.detach(), expected[name], atol=1e-7, err_msg=name)
