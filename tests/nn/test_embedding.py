import math

import pytest
import torch

from bayespress.nn import Embedding

WORDS, DIMENSIONS = 6, 3


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def make(prior="D", vocab_prior="C", padding_idx=None, log_sigma=-1.0):
    return Embedding(
        WORDS, DIMENSIONS, padding_idx, prior=prior, vocab_prior=vocab_prior,
        log_sigma=log_sigma, group_log_sigma=log_sigma, generator=generator(),
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4), (2, 0), (0, 3)])
@pytest.mark.parametrize("kinds", ["DC", "DD", "LL", "NN", "LC"])
@pytest.mark.parametrize("training", [False, True])
def test_an_output_has_a_vector_for_every_id(shape, kinds, training):
    ids = torch.randint(0, WORDS, shape, generator=generator())
    assert make(*kinds).train(training)(ids).shape == (*shape, DIMENSIONS)


def test_without_sparsity_it_is_the_embedding_of_torch():
    ours = make(padding_idx=0)
    theirs = torch.nn.Embedding(WORDS, DIMENSIONS, padding_idx=0)
    theirs.weight.data.copy_(ours.weight.mean)
    ids = torch.tensor([[1, 2, 0, 2], [5, 0, 1, 1]])
    assert torch.equal(ours(ids), theirs(ids))
    for module in (ours, theirs):
        module(ids).square().sum().backward()
    torch.testing.assert_close(ours.weight.mean.grad, theirs.weight.grad)


@pytest.mark.parametrize("kinds", ["DC", "LL", "NN", "LD"])
def test_the_padding_row_is_zero_and_learns_nothing_from_data(kinds):
    embedding = make(*kinds, padding_idx=2)
    ids = torch.tensor([[2, 1], [2, 2]])
    output = embedding(ids, generator())
    assert (output[ids == 2] == 0).all()
    assert (output[0, 1] != 0).all()
    output.sum().backward()
    assert (embedding.weight.mean.grad[2] == 0).all()
    assert embedding.weight.mean[2].tolist() == [0, 0, 0]


def test_weights_have_one_sample_for_the_whole_batch():
    output = make("L", "C")(torch.tensor([[1, 3, 1], [4, 1, 3]]), generator())
    assert torch.equal(output[0, 0], output[0, 2])
    assert torch.equal(output[0, 0], output[1, 1])
    assert torch.equal(output[0, 1], output[1, 2])


def test_a_word_that_recurs_in_a_sequence_shares_its_group_variable():
    embedding = make("D", "L")
    ids = torch.tensor([[1, 3, 1, 1], [4, 1, 3, 1]])
    z = (embedding(ids, generator()) / embedding.weight.mean[ids]).mean(-1).detach()
    torch.testing.assert_close(z[0, 0].expand(3), z[0, [0, 2, 3]])
    torch.testing.assert_close(z[1, 1], z[1, 3])
    assert len({round(float(v), 4) for v in (z[0, 0], z[0, 1], z[1, 0], z[1, 1], z[1, 2])}) == 5


def test_group_variables_are_of_the_words_own_posterior():
    embedding = make("D", "L")
    with torch.no_grad():
        embedding.z_vocab.mean.copy_(torch.arange(WORDS))
        embedding.z_vocab.log_sigma.copy_(torch.full((WORDS,), math.log(0.1)))
    ids = torch.tensor([[4, 2]]).repeat(4000, 1)
    z = (embedding(ids, generator()) / embedding.weight.mean[ids]).mean(-1).detach()
    torch.testing.assert_close(z.mean(0), torch.tensor([4.0, 2.0]), atol=0.01, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([0.1, 0.1]), atol=0.01, rtol=0)


def test_only_rows_of_the_batch_get_a_gradient():
    embedding = make("L", "L")
    embedding(torch.tensor([[1, 3, 1]]), generator()).sum().backward()
    touched = [False, True, False, True, False, False]
    for parameter in embedding.parameters():
        assert (parameter.grad.view(WORDS, -1).abs().sum(1) > 0).tolist() == touched


def test_pruned_words_and_weights_are_zero_in_evaluation():
    embedding = make("L", "L", log_sigma=-9.0).eval()
    with torch.no_grad():
        embedding.weight.mean.fill_(0.5)
        embedding.weight.log_sigma[1, 0] = 9.0
        embedding.z_vocab.log_sigma[3] = 9.0
    output = embedding(torch.tensor([[1, 3, 2]]))
    assert output.tolist() == [[[0, 0.5, 0.5], [0, 0, 0], [0.5, 0.5, 0.5]]]


def test_the_seed_decides_the_noise_and_evaluation_has_none():
    embedding, ids = make("L", "L"), torch.tensor([[1, 3, 1]])
    one, same, other = (embedding(ids, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    embedding.eval()
    assert torch.equal(embedding(ids), embedding(ids))


def test_padding_does_not_change_the_vectors_of_words():
    embedding = make("D", "D", padding_idx=0)
    ids = torch.tensor([[1, 3]])
    for padded in ([[0, 0, 1, 3]], [[1, 3, 0, 0]]):
        output = embedding(torch.tensor(padded))
        real = torch.tensor(padded) != 0
        assert torch.equal(output[real], embedding(ids)[0])


def test_initial_values_are_those_of_the_papers():
    embedding = Embedding(500, 20, 0, generator=generator())
    assert 0.049 < embedding.weight.mean.abs().max() <= 0.05
    assert (embedding.z_vocab.mean == 1).all()
    assert (embedding.num_embeddings, embedding.embedding_dim) == (500, 20)
    assert repr(embedding).startswith("Embedding(\n  500, 20, padding_idx=0")
