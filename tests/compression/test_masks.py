"""The papers' rule, where one weight decides."""

import torch

from bayespress.compression import aggregate
from tests.compression.test_axes import make_net

PRUNED = 30.0


def prune(parameter, *index):
    with torch.no_grad():
        parameter.log_sigma[index] = PRUNED
    parameter.threshold = 3.0


def test_a_dimension_without_weights_of_words_goes_alone():
    net = make_net("LLLLLL")
    for parameter in (net.embedding.weight, net.lstm.weight_ih):
        prune(parameter, ..., 0)  # so that both know a threshold that prunes
    prune(net.embedding.weight, ..., 3)
    kept = aggregate(net).emb
    assert kept.tolist() == [number not in (0, 3) for number in range(6)]


def test_a_word_without_weights_goes_where_words_have_no_group_variable():
    net = make_net("LCLCCL")
    prune(net.embedding.weight, 4)
    kept = aggregate(net).vocab
    assert not kept[4]
    assert kept.sum() == 28  # the padding's row is another that goes
