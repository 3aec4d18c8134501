"""The LSTM over token ids is the LSTM over one-hot vectors, with noise where the papers have it."""

import copy

import pytest
import torch

from bayespress import kernels
from bayespress.nn import LSTM, OneHotLSTM, gated, named_variational_parameters
from bayespress.nn.recurrence import run_lstm
from bayespress.variational import Share

TOKENS, HIDDEN, BATCH, STEPS = 6, 4, 3, 7
QUIET = -40.0  # so low a log sigma that its noise does not show
needs_kernels = pytest.mark.skipif(
    kernels.problem() is not None, reason=f"no compiled kernels: {kernels.problem()}"
)


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def noisy(dtype=torch.float64, log_sigma=-1.0, **options):
    """All kinds of noise, so much that it shows."""
    layer = OneHotLSTM(
        TOKENS, HIDDEN, log_sigma=log_sigma, group_log_sigma=log_sigma, generator=generator(),
        **options,
    )  # fmt: skip
    return layer.to(dtype)


def only(name, **options):
    """A layer in which one parameter is noisy."""
    layer = noisy(**options)
    for other, parameter in named_variational_parameters(layer):
        if other != name:
            torch.nn.init.constant_(parameter.log_sigma, QUIET)
    return layer


def pruned(**options):
    """A layer for evaluation, a third of which is pruned where the prior prunes."""
    layer, source = noisy(**options).eval(), generator(2)
    with torch.no_grad():
        for _, parameter in named_variational_parameters(layer):
            if parameter.is_constant:
                continue
            mean = parameter.mean.normal_(generator=source)
            if parameter.log_sigma is not None:
                order = torch.randperm(mean.numel(), generator=source).view_as(mean)
                gone = torch.where(order < order.numel() / 3, 2.0, -1.0)
                parameter.log_sigma.copy_(mean.abs().log() + gone)
    return layer


def ids(batch=BATCH, steps=STEPS, seed=3):
    return torch.randint(0, TOKENS, (batch, steps), generator=generator(seed))


def some_state(batch=BATCH, seed=4, dtype=torch.float64):
    source = generator(seed)
    return tuple(torch.randn(1, batch, HIDDEN, generator=source, dtype=dtype) for _ in "hc")


def twin_of(layer):
    """The LSTM over vectors that has the same parameters, for evaluation."""
    twin = LSTM(TOKENS, HIDDEN, batch_first=True, gate_activation=layer.gate_activation)
    twin = twin.double().eval()
    with torch.no_grad():
        twin.bias.copy_(layer.bias)
        for name, theirs in named_variational_parameters(twin):
            ours = getattr(layer, name)
            flip = torch.t if name == "weight_ih" else torch.clone
            theirs.mean.copy_(flip(ours.mean))
            theirs.log_sigma.fill_(QUIET)
            if ours.prior == "L":  # the others prune nothing
                theirs.log_sigma.copy_(flip(ours.log_sigma))
    return twin


def one_hot(tokens, padding_idx):
    vectors = torch.nn.functional.one_hot(tokens, TOKENS).double()
    if padding_idx is not None:
        vectors[..., padding_idx] = 0
    return vectors


def gradients(layer, results):
    """Gradients of a sum that differs for every number of the results."""
    output, (h, c) = results
    layer.zero_grad()
    total = (output * torch.arange(output.numel()).view_as(output).sin()).sum()
    (total + h.square().sum() + c.sin().sum()).backward()
    return {
        name: p.grad.to_dense() if p.grad.is_sparse else p.grad
        for name, p in layer.named_parameters()
        if p.grad is not None
    }


@pytest.mark.parametrize("gate_activation", ["sigmoid", "hard_sigmoid"])
@pytest.mark.parametrize("padding_idx", [None, 0, 2])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize(
    "kinds",
    [
        {},
        {"prior": "D"},
        {"input_prior": "C"},
        {"hidden_prior": "C", "gates_prior": "C"},
        {"input_prior": "D"},
        {"prior": "N", "gates_prior": "N"},
    ],
    ids=str,
)
def test_it_is_the_lstm_on_one_hot_vectors(gate_activation, padding_idx, with_state, kinds):
    options = {"gate_activation": gate_activation, "padding_idx": padding_idx, **kinds}
    ours = pruned(**options)
    theirs, tokens = twin_of(ours), ids()
    hx = some_state() if with_state else None
    actual, expected = ours(tokens, hx), theirs(one_hot(tokens, padding_idx), hx)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    found, wanted = gradients(ours, actual), gradients(theirs, expected)
    wanted["weight_ih.mean"] = wanted["weight_ih.mean"].t()
    assert found.keys() <= wanted.keys()
    assert {"weight_ih.mean", "weight_hh.mean", "bias"} <= found.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=0, atol=1e-12)


def test_the_gradient_goes_into_the_state_before():
    layer, tokens = pruned(), ids()
    found = []
    for net, sequences in ((layer, tokens), (twin_of(layer), one_hot(tokens, None))):
        hx = [part.requires_grad_() for part in some_state()]
        output, _ = net(sequences, tuple(hx))
        output.square().sum().backward()
        found.append([part.grad for part in hx])
        assert all(gradient.abs().sum() > 0 for gradient in found[-1])
    torch.testing.assert_close(*found)


def test_the_state_is_carried_from_call_to_call():
    layer, tokens = pruned(), ids()
    whole, state = layer(tokens)
    first, between = layer(tokens[:, :3])
    second, last = layer(tokens[:, 3:], between)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(last, state)
    assert [part.shape for part in state] == [(1, BATCH, HIDDEN)] * 2
    torch.testing.assert_close(whole[:, -1], state[0][0])


@pytest.mark.parametrize("training", [False, True])
def test_the_padding_token_adds_nothing_whatever_its_row_says(training):
    layer = noisy(padding_idx=2).train(training)
    tokens = ids()
    assert (tokens == 2).any()
    before, _ = layer(tokens, generator=generator())
    with torch.no_grad():
        layer.weight_ih.mean[2] += 5
        layer.z_input.mean[2] += 5
    results = layer(tokens, generator=generator())
    torch.testing.assert_close(results[0], before)
    found = gradients(layer, results)
    assert (found["weight_ih.mean"][2] == 0).all()
    assert found["z_input.mean"][2] == 0


def test_one_sample_of_all_noise_is_the_lstm_with_that_sample():
    """What the noise is, variable by variable, in the order in which it is drawn."""
    layer, tokens = noisy(), ids()
    output, _ = layer(tokens, generator=generator(6))
    same = generator(6)
    rows = tokens.unique()
    w = torch.zeros(TOKENS, 4 * HIDDEN, dtype=torch.float64)
    w[rows] = layer.weight_ih(same, rows=rows)
    inside = [sequence.unique() for sequence in tokens]
    z_drawn = layer.z_input(same, rows=torch.cat(inside))
    z_input = torch.zeros(BATCH, TOKENS, dtype=torch.float64)
    for k, part in enumerate(z_drawn.split([len(one) for one in inside])):
        z_input[k, inside[k]] = part
    u = layer.weight_hh(same)
    z_gates, z_hidden = layer.z_gates(same, samples=BATCH), layer.z_hidden(same, samples=BATCH)
    h = c = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    for t in range(STEPS):
        x = w[tokens[:, t]] * z_input.gather(1, tokens[:, t : t + 1])
        a = (x + h @ u.t()) * z_gates + layer.bias
        i, f, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c) * z_hidden
        torch.testing.assert_close(output[:, t], h)


def forgetful(layer):
    """Without recurrence and memory, an output depends on the token of its step alone."""
    with torch.no_grad():
        layer.weight_hh.mean.zero_()
        layer.weight_hh.log_sigma.fill_(QUIET)
        layer.bias[HIDDEN : 2 * HIDDEN] = -1e4
    return layer


def test_equal_tokens_of_a_sequence_share_their_sample_and_those_of_two_sequences_do_not():
    layer = forgetful(only("z_input"))
    tokens = torch.tensor([[0, 3, 0, 3], [3, 3, 0, 0]])
    output, _ = layer(tokens, generator=generator())
    torch.testing.assert_close(output[0, :2], output[0, 2:])
    torch.testing.assert_close(output[1, [0, 2]], output[1, [1, 3]])
    assert not torch.isclose(output[0, 0], output[1, 2]).any()
    assert not torch.isclose(output[0, 1], output[1, 0]).any()


def test_different_tokens_have_samples_of_their_own():
    layer = forgetful(only("z_input"))
    with torch.no_grad():
        layer.weight_ih.mean.copy_(layer.weight_ih.mean[:1].expand(TOKENS, -1).clone())
    output, _ = layer(torch.arange(TOKENS)[None], generator=generator())
    assert len(output[0].unique(dim=0)) == TOKENS


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh"])
def test_weights_have_one_sample_for_a_call(name):
    layer, tokens = only(name), ids(batch=1).repeat(5, 1)
    output, _ = layer(tokens, generator=generator())
    torch.testing.assert_close(output, output[:1].expand_as(output))
    again, _ = layer(tokens, generator=generator(2))
    assert not torch.allclose(again, output)


@pytest.mark.parametrize("name", ["z_gates", "z_hidden"])
def test_gates_and_neurons_have_one_sample_a_sequence(name):
    layer = forgetful(only(name))
    output, _ = layer(torch.zeros(5, STEPS, dtype=torch.long), generator=generator())
    torch.testing.assert_close(output, output[:, :1].expand_as(output))
    assert len(output[:, 0].unique(dim=0)) == 5


@pytest.mark.parametrize("bounds", [(0, 1), (0, 2), (1, 3), (2, 3)])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("sparse_grad", [False, True])
def test_a_share_computes_its_part_of_the_whole(bounds, training, sparse_grad):
    layer, tokens = noisy().train(training), ids()
    layer.weight_ih.sparse_grad = sparse_grad
    share, hx = Share(*bounds, BATCH), some_state()
    whole, whole_state = layer(tokens, hx, generator=generator(5))
    own = tuple(part[:, slice(*bounds)] for part in hx)
    part, state = layer(tokens, own, generator=generator(5), share=share)
    torch.testing.assert_close(part, share.of(whole), rtol=0, atol=1e-12)
    for ours, theirs in zip(state, whole_state, strict=True):
        torch.testing.assert_close(ours, theirs[:, slice(*bounds)], rtol=0, atol=1e-12)


def test_gradients_of_shares_add_up_to_those_of_the_whole():
    layer, tokens = noisy(), ids()
    found = []
    for shares in ([None], [Share(0, 1, BATCH), Share(1, 3, BATCH)]):
        layer.zero_grad()
        for share in shares:
            layer(tokens, generator=generator(5), share=share)[0].square().sum().backward()
        found.append([p.grad.clone() for p in layer.parameters()])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("padding_idx", [None, 2])
@pytest.mark.parametrize(
    "enabled", [False, pytest.param(True, marks=needs_kernels)], ids=["torch", "kernels"]
)
@pytest.mark.parametrize("input_prior", ["L", "C"])
def test_sparse_gradients_are_the_dense_ones(training, padding_idx, enabled, input_prior):
    dtype = torch.float32
    dense = noisy(dtype, padding_idx=padding_idx, input_prior=input_prior).train(training)
    sparse, tokens = copy.deepcopy(dense), ids(steps=2)
    sparse.weight_ih.sparse_grad = True
    assert len(tokens.unique()) < TOKENS
    with kernels.use(enabled):
        results = [layer(tokens, generator=generator(5)) for layer in (dense, sparse)]
        found = [gradients(net, out) for net, out in zip((dense, sparse), results, strict=True)]
    assert sparse.weight_ih.mean.grad.is_sparse
    torch.testing.assert_close(*results)
    torch.testing.assert_close(*found)


@needs_kernels
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("share", [None, Share(1, 3, BATCH)], ids=["whole", "share"])
@pytest.mark.parametrize(
    "kinds", [{}, {"input_prior": "C"}, {"gates_prior": "C", "hidden_prior": "C"}], ids=str
)
def test_compiled_kernels_give_the_same(training, with_state, share, kinds):
    layer, tokens = noisy(torch.float32, **kinds).train(training), ids()
    hx = some_state(len(share or tokens), dtype=torch.float32) if with_state else None
    results, found = [], []
    for enabled in (True, False):
        with kernels.use(enabled):
            results.append(layer(tokens, hx, generator=generator(5), share=share))
            found.append(gradients(layer, results[-1]))
    torch.testing.assert_close(*results, rtol=2e-5, atol=2e-5)
    torch.testing.assert_close(*found, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", ["L", "D", "C"])
def test_sequences_that_may_read_one_projection_are_said_to(monkeypatch, training, kind):
    """Threads divide the sequences, and would write over each other's gradients otherwise."""
    seen = []

    def watched(projection, row, *tensors, shared, **options):
        inside = [set(sequence.tolist()) for sequence in row.t()]
        seen.append((shared, sum(map(len, inside)) > len(set.union(*inside))))
        return run_lstm(projection, row, *tensors, shared=shared, **options)

    monkeypatch.setattr(gated, "run_lstm", watched)
    noisy(input_prior=kind).train(training)(ids(), generator=generator())
    assert seen == [(not training or kind != "L",) * 2]


def test_evaluation_is_without_noise_and_uses_no_randomness():
    layer, tokens = pruned(), ids()
    state = torch.get_rng_state()
    assert torch.equal(layer(tokens)[0], layer(tokens, generator=generator(8))[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_the_seed_decides_weights_and_noise():
    outputs = [noisy()(ids(), generator=generator(seed))[0] for seed in (3, 3, 4)]
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize(("tokens", "forget_bias"), [(30, 1.0), (7, 0.0)])
def test_initial_values_are_those_of_the_papers(tokens, forget_bias):
    layer = OneHotLSTM(tokens, 10, forget_bias=forget_bias, generator=generator())
    for w in layer.weight_ih.mean.detach().split(10, dim=1):
        product = w.t() @ w if tokens > 10 else w @ w.t()
        torch.testing.assert_close(product, torch.eye(len(product)), atol=1e-5, rtol=0)
    for u in layer.weight_hh.mean.detach().chunk(4):
        torch.testing.assert_close(u @ u.t(), torch.eye(10), atol=1e-5, rtol=0)
    assert layer.bias.view(4, 10).mean(1).tolist() == [0, forget_bias, 0, 0]
    for z in (layer.z_input, layer.z_hidden, layer.z_gates):
        assert (z.mean == 1).all()
    assert (layer.num_tokens, layer.hidden_size) == (tokens, 10)
    assert repr(layer).startswith(f"OneHotLSTM(\n  {tokens}, 10, gate_activation='sigmoid'")
