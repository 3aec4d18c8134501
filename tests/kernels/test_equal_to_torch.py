"""Compiled kernels give what torch's own operations give, up to rounding."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress import kernels
from bayespress.nn import LSTM, Embedding, Linear
from bayespress.nn.gru_recurrence import run_gru
from bayespress.nn.output_loss import linear_cross_entropy
from bayespress.nn.products import linear, scale_pairs
from bayespress.nn.recurrence import run_lstm
from bayespress.nn.tokens import Tokens
from bayespress.optim import VariationalAdam
from bayespress.variational import VariationalParameter, kl_log_uniform, kl_normal
from tests import authors

pytestmark = pytest.mark.skipif(
    kernels.problem() is not None, reason=f"no compiled kernels: {kernels.problem()}"
)
CLOSE = {"rtol": 2e-5, "atol": 2e-5}
sizes = st.integers(1, 40)
seeds = st.integers(0, 99)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def both_ways(function, inputs):
    """Results and gradients, compiled and by torch alone."""
    found = []
    for enabled in (True, False):
        with kernels.use(enabled):
            results = function(*inputs)
            results = results if isinstance(results, tuple) else (results,)
            generator = torch.Generator().manual_seed(7)
            weights = [torch.randn(r.shape, generator=generator) for r in results]
            asked = [t for t in inputs if t is not None and t.requires_grad]
            found.append((results, torch.autograd.grad(results, asked, weights)))
    return found


def assert_equal_both_ways(function, *inputs):
    torch.testing.assert_close(*both_ways(function, inputs), **CLOSE)


@settings(max_examples=30)
@given(rows=st.integers(1, 300), inner=sizes, columns=sizes, seed=seeds)
def test_matrix_products_of_any_size(rows, inner, columns, seed):
    assert_equal_both_ways(linear, normal(rows, inner, seed=seed), normal(columns, inner))


def some_pairs(batch, words, steps, seed):
    generator = torch.Generator().manual_seed(seed)
    word = torch.randint(0, words, (batch, steps), generator=generator)
    return Tokens(torch.zeros(words, 1), word).pairs


@settings(max_examples=30)
@given(batch=sizes, words=sizes, steps=sizes, size=sizes, seed=seeds, which=st.sampled_from("vib"))
def test_vectors_of_pairs_with_any_group_variables(batch, words, steps, size, seed, which):
    pairs = some_pairs(batch, words, steps, seed)
    z_vocab = normal(len(pairs.word), seed=1) if which in "vb" else None
    z_input = normal(batch, size, seed=2) if which in "ib" else None
    assert_equal_both_ways(
        lambda x, *z: scale_pairs(
            x, pairs, z[0] if which in "vb" else None, z[-1] if which in "ib" else None
        ),
        *(t for t in (normal(words, size, seed=seed), z_vocab, z_input) if t is not None),
    )


@settings(max_examples=30)
@given(
    steps=st.integers(1, 6),
    batch=st.integers(1, 40),
    hidden=st.integers(1, 35),
    hard=st.booleans(),
    per_sequence=st.booleans(),
    masked=st.booleans(),
    seed=seeds,
)
def test_the_recurrence_of_any_size(steps, batch, hidden, hard, per_sequence, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    words, groups = 5, batch if per_sequence else 1
    row = torch.randint(0, words, (steps, batch), generator=generator)
    mask = torch.rand(steps, batch, generator=generator) > 0.3 if masked else None
    inputs = [
        normal(*shape, seed=seed + k)
        for k, shape in enumerate(
            [(words, 4 * hidden), (4 * hidden, hidden), (4 * hidden,), (groups, 4 * hidden),
             (groups, hidden), (batch, hidden), (batch, hidden)]
        )
    ]  # fmt: skip

    def run(projection, u, b, z_gates, z_hidden, h, c):
        output, state = run_lstm(
            projection, row, u / hidden, b, z_gates, z_hidden, (h, c), mask, hard=hard, shared=True
        )
        return output, *state

    assert_equal_both_ways(run, *inputs)


@settings(max_examples=40)
@given(
    steps=st.integers(0, 9), batch=st.integers(1, 20), hidden=sizes, hard=st.booleans(),
    per_sequence=st.booleans(), masked=st.booleans(), seed=seeds,
)  # fmt: skip
def test_gru_over_rows_that_sequences_share(steps, batch, hidden, hard, per_sequence, masked, seed):
    generator = torch.Generator().manual_seed(seed)
    words, groups = 5, batch if per_sequence else 1
    row = torch.randint(0, words, (steps, batch), generator=generator)
    mask = torch.rand(steps, batch, generator=generator) > 0.3 if masked else None
    shapes = [
        (words, 3 * hidden), (3 * hidden, hidden), (3 * hidden,), (hidden,), (groups, 3 * hidden),
        (groups, hidden), (batch, hidden),
    ]  # fmt: skip

    def run(projection, u, *others):
        return run_gru(projection, row, u / hidden, *others, mask, hard=hard, shared=True)

    assert_equal_both_ways(run, *(normal(*s, seed=seed + k) for k, s in enumerate(shapes)))


@pytest.mark.parametrize("divergence", [kl_log_uniform, kl_normal])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 70_001])
def test_divergences(divergence, size):
    mean, log_sigma = normal(size), normal(size, seed=1)
    found = both_ways(divergence, (mean, log_sigma))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


class Net(torch.nn.Module):
    """Every kind of layer and prior."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.embedding = Embedding(50, 7, 0, log_sigma=-2.0, generator=generator)
        self.lstm = LSTM(7, 9, prior="N", neurons_prior="C", log_sigma=-2.0, generator=generator)
        self.output = Linear(9, 3, prior="D", generator=generator)
        self.unused = VariationalParameter(torch.ones(3, 2), "L")

    def forward(self, ids, generator):
        _, (h, _) = self.lstm(self.embedding.tokens(ids, generator), generator=generator)
        return self.output(h[0], generator)


def train(net, optimizer, step, *, sparse_grad=False):
    net.embedding.weight.sparse_grad = sparse_grad
    noise = torch.Generator().manual_seed(5)
    for seed in range(4):
        ids = torch.randint(0, 50, (6, 4), generator=torch.Generator().manual_seed(seed))
        optimizer.zero_grad()
        net(ids, noise).square().sum().backward()
        step()
    return {**net.state_dict(), **{f"{k}": v for k, v in enumerate(_moments(net, optimizer))}}


def _moments(net, optimizer):
    for parameter in net.parameters():
        state = optimizer.state.get(parameter, {})
        yield from (state[key] for key in sorted(state))


@pytest.mark.parametrize("kl_weight", [0.01, None])
@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
@pytest.mark.parametrize("sparse_grad", [False, True])
@pytest.mark.parametrize("beta2", [0.999, 0.95])
@pytest.mark.parametrize("corrects_epsilon", [True, False])
def test_steps_with_the_divergence_are_those_of_adam_with_it_in_the_loss(
    kl_weight, clip_norm, sparse_grad, beta2, corrects_epsilon
):
    found = []
    start = Net()
    for enabled in (True, False):
        net = copy.deepcopy(start)
        # A large epsilon, so that its two forms differ.
        optimizer = VariationalAdam(
            net, lr=0.01, betas=(0.9, beta2), eps=1e-3, corrects_epsilon=corrects_epsilon
        )
        with kernels.use(enabled):
            step = lambda o=optimizer: o.step_with_kl(kl_weight, clip_norm)  # noqa: E731
            found.append(train(net, optimizer, step, sparse_grad=sparse_grad))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("corrects_epsilon", [True, False])
def test_log_sigmas_that_learn_later_than_their_means_count_their_own_steps(corrects_epsilon):
    """As where dense epochs come first."""
    found, start = [], Net()
    for enabled in (True, False):
        net = copy.deepcopy(start)
        optimizer = VariationalAdam(net, lr=0.01, eps=1e-3, corrects_epsilon=corrects_epsilon)
        with kernels.use(enabled):
            train(net.eval(), optimizer, lambda o=optimizer: o.step_with_kl(None))
            step = lambda o=optimizer: o.step_with_kl(0.01)  # noqa: E731
            found.append(train(net.train(), optimizer, step))
    weight = net.embedding.weight
    steps = [float(optimizer.state[one]["step"]) for one in (weight.mean, weight.log_sigma)]
    assert steps == [8, 4]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)


def test_without_the_compiler_the_step_is_torchs_adam():
    start = Net()
    ours, theirs = copy.deepcopy(start), copy.deepcopy(start)
    optimizer = VariationalAdam(ours, lr=0.01)
    adam = torch.optim.Adam(theirs.parameters(), lr=0.01)
    found = train(ours, optimizer, lambda: optimizer.step_with_kl(None))
    expected = train(theirs, adam, adam.step)
    torch.testing.assert_close(
        {k: v for k, v in found.items() if k in theirs.state_dict()},
        {k: v for k, v in expected.items() if k in theirs.state_dict()},
        rtol=1e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize("enabled", [True, False])
def test_epsilon_before_the_correction_is_the_papers_adam(enabled):
    generator = torch.Generator().manual_seed(1)
    weight = Linear(3, 1, bias=False, prior="D", generator=generator)
    theirs = torch.nn.Parameter(weight.weight.mean.detach().clone())
    optimizer = VariationalAdam(weight, lr=0.01, eps=1e-3, corrects_epsilon=False)
    adam = authors.EfficientAdam([theirs], 0.01, epsilon=1e-3)
    with kernels.use(enabled):
        for step in range(5):
            gradient = normal(1, 3, seed=step)
            weight.weight.mean.grad = gradient.detach().clone()
            theirs.grad = gradient.detach().clone()
            optimizer.step_with_kl(None)
            adam.step()
    torch.testing.assert_close(weight.weight.mean, theirs, rtol=1e-5, atol=1e-7)


def test_they_are_for_float32_on_the_processor_alone():
    assert kernels.library(torch.zeros(2)) is not None
    assert kernels.library(torch.zeros(2), None) is not None
    assert kernels.library(torch.zeros(2, dtype=torch.float64)) is None
    assert kernels.library(torch.zeros(2, device="meta")) is None


def test_a_switch_between_forward_and_backward_is_told():
    weight = normal(3, 2)
    product = linear(normal(4, 2), weight)
    with kernels.use(False), pytest.raises(RuntimeError, match=r"went away .* switched off"):
        product.sum().backward()


def test_tensors_that_are_not_contiguous_are_refused():
    with pytest.raises(ValueError, match="must be contiguous"):
        kernels.address(torch.zeros(2, 3).t())


@pytest.mark.parametrize(
    ("rows", "hidden", "outputs"), [(70, 13, 37), (33, 16, 1030), (1, 5, 3), (130, 8, 600)]
)
@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_output_loss(rows, hidden, outputs, factor):
    generator = torch.Generator().manual_seed(rows)
    shapes = ((rows, hidden), (outputs, hidden), (outputs,))
    # Large logits, so that a softmax without the maximum taken off would overflow.
    tensors = [10 * torch.randn(shape, generator=generator) for shape in shapes]
    target = torch.randint(outputs, (rows,), generator=generator)
    found = []
    for enabled in (True, False):
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        with kernels.use(enabled):
            loss = linear_cross_entropy(*leaves, target)
            (factor * loss).backward()
        found.append([loss.detach(), *(leaf.grad for leaf in leaves)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_output_loss_refuses_targets_that_are_not_there():
    x, weight, bias = (torch.ones(shape, requires_grad=True) for shape in ((2, 3), (4, 3), (4,)))
    with pytest.raises(IndexError, match="targets leave the range 0 … 3"):
        linear_cross_entropy(x, weight, bias, torch.tensor([0, 4]))
