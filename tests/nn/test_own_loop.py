"""The layers in a training loop of the user's own."""

import pytest
import torch
from torch import nn

from bayespress.nn import LSTM, Embedding, Linear, kl, named_variational_parameters
from bayespress.objective import nll

WORDS, STEPS = 30, 6


class Net(nn.Module):
    def __init__(self, generator):
        super().__init__()
        self.embedding = Embedding(WORDS, 8, log_sigma=-5.0, generator=generator)
        self.lstm = LSTM(8, 8, batch_first=True, log_sigma=-5.0, generator=generator)
        self.output = Linear(8, 1, log_sigma=-5.0, generator=generator)

    def forward(self, ids, generator=None):
        output, _ = self.lstm(self.embedding(ids, generator), generator=generator)
        return self.output(output[:, -1], generator)


def toy(count, generator):
    """One word in each text decides: even or odd among the first two; the others say nothing."""
    ids = torch.randint(2, WORDS, (count, STEPS), generator=generator)
    labels = torch.randint(0, 2, (count,), generator=generator)
    position = torch.randint(0, STEPS, (count, 1), generator=generator)
    return ids.scatter(1, position, labels.unsqueeze(1)), labels


@pytest.fixture(scope="module")
def trained():
    generator = torch.Generator().manual_seed(1)
    ids, labels = toy(600, generator)
    num_train, epochs, size = len(ids), 30, 50
    net = Net(generator)
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(epochs):
        kl_weight = min(1.0, 2 * epoch / epochs)
        for batch in torch.randperm(num_train, generator=generator).split(size):
            loss = nll(net(ids[batch], generator), labels[batch])
            loss = loss + kl_weight * kl(net) / num_train
            adam.zero_grad()
            loss.backward()
            adam.step()
    return net.eval()


@pytest.mark.slow
def test_a_toy_task_is_learned(trained):
    ids, labels = toy(200, torch.Generator().manual_seed(2))
    assert ((trained(ids).squeeze(1) > 0) == labels).float().mean() > 0.97


@pytest.mark.slow
def test_most_weights_are_pruned_and_the_words_that_decide_stay(trained):
    kept = {name: p.keep() for name, p in named_variational_parameters(trained)}
    share = sum(int(k.sum()) for k in kept.values()) / sum(k.numel() for k in kept.values())
    assert share < 0.3
    words = kept["embedding.z_vocab"] & kept["embedding.weight"].any(1)
    assert words[:2].any()
    assert words[2:].float().mean() < 0.5


def test_batch_size_and_length_may_change_from_call_to_call():
    net = Net(torch.Generator().manual_seed(1))
    for shape in ((1, 1), (4, 9), (2, 3)):
        assert net(torch.zeros(shape, dtype=torch.long)).shape == (shape[0], 1)


def test_the_whole_net_can_be_saved_and_loaded():
    one, other = (Net(torch.Generator().manual_seed(seed)).eval() for seed in (1, 2))
    other.load_state_dict(one.state_dict())
    ids = torch.arange(WORDS).view(5, 6)
    assert torch.equal(one(ids), other(ids))
