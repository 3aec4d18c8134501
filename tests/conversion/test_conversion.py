"""Models that people have: converted, pruned, shrunk, and equal all the way."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import bayespress
from bayespress.conversion import ConversionWarning, ShrunkEmbedding, convert, freeze, shrink
from bayespress.errors import ConfigError, ConversionError
from bayespress.nn import kl
from bayespress.variational import named_variational_parameters

VOCABULARY = 30


class Classifier(nn.Module):
    """Written as tutorials write it."""

    def __init__(self, rnn=nn.LSTM, pooling="last", *, packed=False, bias=True, **settings):
        super().__init__()
        settings = {"batch_first": True, "bidirectional": True, "num_layers": 2} | settings
        self.embedding = nn.Embedding(VOCABULARY, 6, padding_idx=0)
        self.rnn = rnn(6, 5, bias=bias, **settings)
        self.directions = 1 + settings["bidirectional"]
        self.fc = nn.Linear(5 * self.directions * (2 if pooling == "both" else 1), 3)
        self.dropout = nn.Dropout(0.5)
        self.pooling, self.packed = pooling, packed

    def forward(self, ids, lengths=None):
        embedded = self.dropout(self.embedding(ids))
        if not self.rnn.batch_first:
            embedded = embedded.transpose(0, 1)
        if self.packed:
            embedded = pack_padded_sequence(
                embedded, lengths, batch_first=self.rnn.batch_first, enforce_sorted=False
            )
        output, hidden = self.rnn(embedded)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        if self.packed:
            output, _ = pad_packed_sequence(output, batch_first=self.rnn.batch_first)
        time = 1 if self.rnn.batch_first else 0
        pooled = {
            "last": lambda: torch.cat(list(hidden[-self.directions :]), dim=1),
            "mean": lambda: output.mean(time),
            "max": lambda: output.amax(time),
            "both": lambda: torch.cat([output.mean(time), output.amax(time)], dim=1),
        }
        return self.fc(self.dropout(pooled[self.pooling]()))


def prune_at_random(model, share, group_share, seed):
    """Let log sigmas say that a share is pruned; give group variables values of both signs."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in named_variational_parameters(model):
            if parameter.log_sigma is None:
                continue
            is_group = name.rpartition(".")[2].startswith("z_")
            if is_group:
                parameter.mean.normal_(1, 1, generator=generator)
            parameter.mean.add_((parameter.mean.abs() < 1e-3) * 0.01)
            away = torch.rand(parameter.mean.shape, generator=generator)
            away = away < (group_share if is_group else share)
            parameter.log_sigma.copy_(parameter.mean.abs().log() + torch.where(away, 3.0, -3.0))


def ids_of(seed, batch=4, steps=7):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, VOCABULARY, (batch, steps), generator=generator)


MODELS = st.fixed_dictionaries(
    {
        "rnn": st.sampled_from([nn.LSTM, nn.GRU]),
        "pooling": st.sampled_from(["last", "mean", "max", "both"]),
        "packed": st.booleans(),
        "bias": st.booleans(),
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "batch_first": st.booleans(),
    }
)


def make(seed, **settings):
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Classifier(**settings).eval()


def call(model, ids):
    lengths = torch.tensor([3, 7, 1, 5])
    with torch.no_grad():
        return model(ids, lengths) if model.packed else model(ids)


@settings(max_examples=50)
@given(MODELS, st.integers(0, 999))
def test_a_converted_model_computes_what_the_model_did(kwargs, seed):
    model = make(seed, **kwargs)
    twin = convert(model, "LLLLLL", threshold=float("inf"))
    torch.testing.assert_close(call(twin, ids_of(seed)), call(model, ids_of(seed)))
    assert not twin.training


@settings(max_examples=80)
@given(
    MODELS, st.integers(0, 999), st.sampled_from([0.0, 0.5, 0.95]),
    st.sampled_from([0.0, 0.4, 0.9]), st.sampled_from(["LLLLLL", "LCLCCL", "LLLCLL", "DCDCCD"]),
)  # fmt: skip
def test_a_shrunk_model_computes_what_the_masked_one_does(kwargs, seed, share, groups, code):
    model = convert(make(seed, **kwargs), code)
    prune_at_random(model, share, groups, seed)
    example = (ids_of(seed), torch.tensor([3, 7, 1, 5])) if kwargs["packed"] else ids_of(seed)
    small = shrink(model, example)
    for other in range(3):
        torch.testing.assert_close(
            call(small, ids_of(other)), call(model, ids_of(other)), atol=1e-5, rtol=1e-4
        )
    assert not list(named_variational_parameters(small))
    plain = {nn.Linear, nn.LSTM, nn.GRU, nn.Embedding, nn.Dropout, ShrunkEmbedding, Classifier}
    assert {type(module) for module in small.modules()} <= plain
    assert small.rnn.hidden_size <= 5


def test_what_was_pruned_is_gone():
    model = convert(make(1), "w+g+n")
    prune_at_random(model, 0.0, 0.0, seed=1)
    with torch.no_grad():
        model.embedding.z_vocab.log_sigma[10:] = 9.0
        for cell in model.rnn.cells():
            cell.z_hidden.log_sigma[2:] = 9.0
        for cell in model.rnn.nested()[0]:
            cell.z_input.log_sigma[4:] = 9.0
    small = shrink(model, ids_of(1))
    assert small.embedding.table.weight.shape == (10, 4)  # row 0 is padding
    assert (small.rnn.input_size, small.rnn.hidden_size) == (4, 2)
    assert small.fc.in_features == 4
    whole = shrink(model, ids_of(1), vocabulary=False)
    assert type(whole.embedding) is nn.Embedding
    assert whole.embedding.weight.shape == (VOCABULARY, 4)
    torch.testing.assert_close(call(whole, ids_of(2)), call(small, ids_of(2)))


def test_everything_may_be_pruned():
    model = convert(make(2), "w+g+n")
    prune_at_random(model, 1.0, 1.0, seed=2)
    small = shrink(model, ids_of(2))
    torch.testing.assert_close(call(small, ids_of(3)), call(model, ids_of(3)))
    assert small.embedding.table.num_embeddings == 1


def test_it_learns_in_a_loop_of_ones_own_and_is_fine_tuned():
    torch.manual_seed(3)
    model = Classifier(num_layers=1)
    ids = ids_of(3, batch=64)
    labels = (ids == 7).any(1).long()  # the word 7 decides
    twin = convert(model, "w+g+n").train()
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.02)
    for step in range(300):
        optimizer.zero_grad()
        weight = min(1.0, step / 150) * 2
        loss = nn.functional.cross_entropy(twin(ids), labels) + weight * kl(twin) / 2000
        loss.backward()
        optimizer.step()
    freeze(twin)
    twin.eval()
    before = [p.keep().sum().item() for _, p in named_variational_parameters(twin)]
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.005)
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(twin(ids), labels).backward()
        optimizer.step()
    assert [p.keep().sum().item() for _, p in named_variational_parameters(twin)] == before
    small = shrink(twin, ids)
    assert (small(ids).argmax(1) == labels).float().mean() > 0.95
    count = sum(p.numel() for p in small.parameters())
    assert count < sum(p.numel() for p in model.parameters())


def test_the_original_and_the_converted_model_are_left_alone():
    model = make(4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    twin = bayespress.convert(model, "w")
    masked = {name: value.clone() for name, value in twin.state_dict().items()}
    bayespress.shrink(twin, ids_of(4))
    for now, then in ((model, before), (twin, masked)):
        for name, value in now.state_dict().items():
            torch.testing.assert_close(value, then[name])


def test_what_is_left_as_it_is_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(3, 3, 1)
            self.small = nn.LSTM(3, 4, proj_size=2)
            self.table = nn.Embedding(4, 3, max_norm=1.0)
            self.often = nn.Embedding(4, 3, scale_grad_by_freq=True)
            self.out = nn.Linear(2, 2)

    with pytest.warns(ConversionWarning) as caught:
        twin = convert(Odd(), "w")
    text = str(caught[0].message)
    for words in (
        "left as they are, without sparsity: conv (Conv1d: not one of the layers",
        "small (LSTM: it has projections (proj_size))",
        "table (Embedding: max_norm changes",
        "often (Embedding: scale_grad_by_freq",
    ):
        assert words in text
    assert "out" not in text.replace("without", "")
    assert type(twin.conv) is nn.Conv1d


def test_shared_layers_stay_shared():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3)
            self.second = self.first

    twin = convert(Tied(), "w")
    assert twin.first is twin.second


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: convert(nn.ReLU()), ConversionError, "ReLU has no nn.Embedding, nn.LSTM"),
        (lambda: convert(nn.Conv1d(1, 1, 1)), ConversionError, r"to convert \(the module itself"),
        (lambda: convert(nn.Linear(1, 1), "w+x"), ConfigError, "w\\+x"),
        (
            lambda: convert(nn.Linear(1, 1), relative_sigma=0.0),
            ValueError,
            "relative_sigma must be positive, got 0.0",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Parts(nn.Module):
    """A model whose parts can be other ones."""

    def __init__(self, **parts):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 6)
        self.rnn = nn.LSTM(6, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, ids):
        return self.fc(self.rnn(self.embedding(ids))[0][:, -1])


class Attention(Parts):
    def forward(self, ids):
        states, _ = self.rnn(self.embedding(ids))
        weights = torch.softmax(states.sum(2), dim=1)
        return self.fc((weights[..., None] * states).sum(1))


class Norm(Parts):
    def forward(self, ids):
        return self.fc(nn.functional.layer_norm(self.rnn(self.embedding(ids))[0][:, -1], (5,)))


class Twice(Parts):
    def forward(self, ids):
        states, _ = self.rnn(self.embedding(ids))
        return self.fc(states[:, -1]) + self.fc(states[:, 0])


class Residual(Parts):
    def forward(self, ids):
        embedded = self.embedding(ids)
        return self.fc(self.rnn(embedded)[0][:, -1] + embedded.mean(1)[:, :5])


class TwoTables(Parts):
    def forward(self, ids):
        return self.fc(self.rnn(self.embedding(ids) + self.other(ids))[0][:, -1])


class NoLinear(Parts):
    def forward(self, ids):
        return self.rnn(self.embedding(ids))[0]


class Projected(Parts):
    def forward(self, ids):
        return self.fc(self.rnn(self.between(self.embedding(ids)))[0][:, -1])


STRANGE = "the smaller model computes something else than the masked one"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Attention(), STRANGE),
        (Norm(), STRANGE),
        (Residual(), STRANGE),
        (Twice(), r"fc \(nn.Linear\) has 5 inputs and is called 2 times"),
        (TwoTables(other=nn.Embedding(VOCABULARY, 6)), "called here: embedding, other"),
        (NoLinear(), "no converted nn.Linear is called after rnn"),
        (
            Projected(between=nn.Linear(6, 8), rnn=nn.LSTM(8, 5, batch_first=True)),
            "rnn reads 8 inputs and embedding has 6 dimensions",
        ),
        (
            nn.Sequential(nn.Embedding(VOCABULARY, 6), nn.Linear(6, 2)),
            "that is called once; called here: none",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_models_made_in_another_way_are_refused_by_name(model, message):
    twin = convert(model, "LLLLLL")
    prune_at_random(twin, 0.3, 0.4, seed=1)
    with pytest.raises(ConversionError, match=message):
        shrink(twin, ids_of(5))


def test_linear_layers_behind_keep_their_size():
    model = convert(Parts(fc=nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2))), "LLLLLL")
    prune_at_random(model, 0.3, 0.4, seed=6)
    small = shrink(model, ids_of(6))
    assert [type(layer) for layer in small.fc] == [nn.Linear, nn.ReLU, nn.Linear]
    with torch.no_grad():
        torch.testing.assert_close(small(ids_of(7)), model.eval()(ids_of(7)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rnn", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_and_single_sequences_are_as_torchs(rnn, bidirectional):
    torch.manual_seed(7)
    layer = rnn(3, 4, num_layers=2, bidirectional=bidirectional)
    twin = convert(layer, "w", threshold=float("inf")).eval()
    cells = 2 * (1 + bidirectional)
    h = torch.randn(cells, 2, 4)
    state = (h, torch.randn(cells, 2, 4)) if rnn is nn.LSTM else h
    x = torch.randn(6, 2, 3)
    one = (tuple(part[:, 0] for part in state)) if rnn is nn.LSTM else h[:, 0]
    for arguments in ((x,), (x, state), (x[:, 0], one)):
        ours, theirs = twin(*arguments), layer(*arguments)
        torch.testing.assert_close(ours, theirs)
