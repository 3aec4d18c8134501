"""Principal axes: the same predictions, and few dimensions that matter."""

import pytest
import torch

from bayespress.compression import to_principal_axes
from bayespress.config import ModelConfig
from bayespress.models import TextClassifierNet


def make_net(code="LLLLLL", rows=30, dims=6, hidden=4, padding=0):
    config = ModelConfig(code=code, embedding_size=dims, hidden_size=hidden, threshold=1e9)
    generator = torch.Generator().manual_seed(1)
    net = TextClassifierNet(rows, 2, config, padding_idx=padding, generator=generator)
    with torch.no_grad():  # group variables as training leaves them: not one
        for group in (net.embedding.z_vocab, net.lstm.z_input, net.lstm.z_hidden, net.lstm.z_gates):
            if group.log_sigma is not None:
                group.mean.normal_(1, 0.3, generator=generator)
    return net.eval()


def logits(net, rows=30):
    ids = torch.randint(0, rows, (5, 7), generator=torch.Generator().manual_seed(2))
    return net(ids, ids > 0)


@pytest.mark.parametrize("code", ["LLLLLL", "LCLCCL", "LLLCCL", "DCDCCD"])
@pytest.mark.parametrize(("padding", "scale"), [(0, 1.0), (None, 1.0), (0, 0.3)])
@pytest.mark.parametrize(
    ("rows", "dims", "hidden"), [(30, 6, 4), (30, 40, 4), (5, 9, 8), (30, 6, 1)]
)
def test_predictions_stay_the_same(code, padding, scale, rows, dims, hidden):
    net = make_net(code, rows, dims, hidden, padding)
    before = logits(net, rows)
    to_principal_axes(net, scale)
    torch.testing.assert_close(logits(net, rows), before, rtol=1e-4, atol=1e-6)


def test_dimensions_come_in_order_of_what_they_contribute():
    net = make_net()
    to_principal_axes(net)
    parts = [
        (net.embedding.weight.mean[:, e].norm() * net.lstm.weight_ih.mean[:, e].norm()).item()
        for e in range(6)
    ]
    assert parts == sorted(parts, reverse=True)
    for matrix in (net.embedding.weight.mean, net.lstm.weight_ih.mean):
        gram = matrix.t() @ matrix
        torch.testing.assert_close(gram, gram.diagonal().diag(), rtol=0, atol=1e-5)
    assert bool((net.lstm.z_input.mean == 1).all())
    assert bool((net.embedding.z_vocab.mean == 1).all())


def test_the_scale_divides_vectors_and_weights():
    nets = [make_net(), make_net()]
    for net, scale in zip(nets, (1.0, 0.25), strict=True):
        to_principal_axes(net, scale)
    whole, scaled = nets
    for part in ("embedding.weight.mean", "recurrent.layers.0.0.weight_ih.mean"):
        factor = 0.25 if "embedding" in part else 4.0
        torch.testing.assert_close(
            scaled.state_dict()[part].abs(), factor * whole.state_dict()[part].abs()
        )


def test_what_was_learned_along_one_direction_needs_one_dimension():
    net = make_net("LCLCCL", dims=6)
    with torch.no_grad():
        direction = torch.ones(6) / 6**0.5
        net.embedding.weight.mean.copy_(torch.linspace(-1, 1, 30)[:, None] * direction)
    to_principal_axes(net)
    sizes = net.embedding.weight.mean.norm(dim=0)
    assert sizes[0] > 0.1
    assert bool((sizes[1:] < 1e-4).all())
