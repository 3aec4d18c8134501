"""Every removal from a language model is proved: masked = shrunk = numpy runtime = file."""

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.compact import file as artifact
from bayespress.compression import (
    ShrinkPlan,
    Size,
    aggregate_live,
    language_model_to_compact,
    shrink,
    statistics,
)
from bayespress.config import ModelConfig
from bayespress.models import LanguageModelNet
from bayespress.nn import named_variational_parameters
from bayespress.runtime import LanguageModel
from bayespress.sparsity import LM_PRESETS
from bayespress.text import TokenEncoder
from bayespress.training.interfaces import LanguageInterface
from tests.compression.helpers import assert_sliced_alike, prune_at_random, shares

WORDS = ("the", "film", "Was", "good", "naïve", "9", ".", "<eos>")
LETTERS = ("LND", "LNDC", "LNDCIR", "LND")
CODES = ["".join(letters) for letters in itertools.product(*LETTERS)]
TEXT = "the film Was good .\nnaïve naïve 9 unseen . the good film\nthe 9 Was naïve .\n"
CLOSE = {"rtol": 0, "atol": 1e-5}

words = st.sampled_from([*WORDS[:-1], "unseen", "\n"])
texts = st.lists(words, min_size=3, max_size=14).map(" ".join)


def make(code, share=0.0, group_share=0.0, seed=5, *, hidden=3, window=None, **options):
    """A network of which about these shares are pruned, and what turns texts into its rows."""
    generator = torch.Generator().manual_seed(seed)
    level = options.pop("level", "word")
    # Characters are those of the words; those of "unseen" that no word has are left out.
    tokens = tuple(dict.fromkeys("\n".join(WORDS))) if level == "char" else (*WORDS, "<unk>")
    config = ModelConfig(code=code, hidden_size=hidden, **{"gate_activation": "sigmoid", **options})
    net = LanguageModelNet(
        len(tokens), config, carries_state=window is None, generator=generator
    ).eval()
    prune_at_random(net, share, group_share, generator)
    with torch.no_grad():
        net.lstm.bias.normal_(generator=generator)
        net.output.bias.normal_(generator=generator)
    return net, LanguageInterface(TokenEncoder(level, "words", False, tokens), window)


def nll_of(net, interface, ids, state=None):
    """Each token's negative log likelihood by a torch network, and the state before the last."""
    length = interface.window or len(ids)
    found = [torch.zeros(0)]
    for begin in range(0, len(ids), length):
        part = torch.from_numpy(ids[begin : begin + length]).long()
        if len(part) < 2:
            continue
        rows = torch.from_numpy(interface.rows)[part[:-1]]
        with torch.no_grad():
            logits, state = net(rows[None], state if interface.window is None else None)
        found.append(torch.nn.functional.cross_entropy(logits[0], part[1:], reduction="none"))
    return torch.cat(found).numpy(), state


def in_two(nll, ids, place):
    """Figures of a text that is read in two parts; the token between them is read once."""
    first, between = nll(ids[: place + 1], None)
    second, _ = nll(ids[place:], between)
    return np.concatenate([first, second])


def shrunk(net, interface):
    small, masks = copy.deepcopy(net), aggregate_live(net)
    smaller, rows = interface.restrict(masks.vocab.numpy())
    shrink(small, ShrinkPlan.from_masks(masks, torch.from_numpy(rows)))
    return small, smaller


def compact(net, interface):
    return language_model_to_compact(net, interface.encoder, interface.read, interface.window)


def same_model(one, other):
    for get in (
        lambda m: m.inputs, lambda m: m.lstm.weight_ih, lambda m: m.lstm.weight_hh,
        lambda m: m.lstm.bias, lambda m: m.lstm.live_gates, lambda m: m.output_weight,
        lambda m: m.output_bias,
    ):  # fmt: skip
        np.testing.assert_array_equal(get(one), get(other))
    assert (one.window, one.encoder) == (other.window, other.encoder)


def check_all_equal(net, interface, text=TEXT):
    """Compare all forms of a model on one text; return the small network and the file's model."""
    ids = interface.encoder.encode(text)
    masked, state = nll_of(net, interface, ids)
    small, smaller = shrunk(net, interface)
    actual, small_state = nll_of(small, smaller, ids)
    np.testing.assert_allclose(actual, masked, **CLOSE)
    if state is not None:
        kept = aggregate_live(net).hidden
        torch.testing.assert_close(small_state[0], state[0][..., kept], **CLOSE)
    model = compact(net, interface)
    same_model(compact(small, smaller), model)
    loaded = artifact.loads(artifact.dumps(model), "memory")
    for one in (model, loaded):
        np.testing.assert_allclose(LanguageModel(one).nll(ids)[0], masked, **CLOSE)
    if interface.window is None and len(ids):
        readers = [
            lambda part, before: nll_of(net, interface, part, before),
            lambda part, before: nll_of(small, smaller, part, before),
            LanguageModel(loaded).nll,
        ]
        for nll, place in itertools.product(readers, {0, len(ids) // 2, len(ids) - 1}):
            np.testing.assert_allclose(in_two(nll, ids, place), masked, **CLOSE)
    check_counts(net, small, model)
    return small, smaller, model


def check_counts(net, small, model):
    """What is gone from a shrunk network counts as pruned."""
    whole, rest = statistics(net), statistics(small, Size.of(net))
    for name in (
        *("words", "neurons", "gates"),
        *("stored_compression_ratio", "dense_ratio", "dense_bytes"),
    ):
        assert getattr(rest, name) == getattr(whole, name), name
    assert rest.dims is None
    for name in ("paper", "weights", "groups"):
        now, before = getattr(rest, name), getattr(whole, name)
        assert now.keys() == before.keys()
        for key in now.keys() - {"dims"}:
            assert now[key][1] == before[key][1]
            assert now[key][0] <= before[key][0]
    counts = (len(model.inputs), model.lstm.hidden_size, len(model.lstm.live_gates))
    assert counts == (whole.words[0], whole.neurons[0], whole.gates[0])


@settings(max_examples=150)
@given(
    code=st.sampled_from(CODES),
    share=shares,
    group_share=shares,
    seed=st.integers(0, 10_000),
    hidden=st.integers(1, 4),
    window=st.none() | st.integers(2, 5),
    level=st.sampled_from(["word", "char"]),
    gate_activation=st.sampled_from(["hard_sigmoid", "sigmoid"]),
    text=texts,
)
def test_masked_equals_shrunk_equals_numpy(
    *, code, share, group_share, seed, hidden, window, level, gate_activation, text
):
    net, interface = make(
        code, share, group_share, seed, hidden=hidden, window=window, level=level,
        gate_activation=gate_activation,
    )  # fmt: skip
    check_all_equal(net, interface, text)


@settings(max_examples=40)
@given(
    code=st.sampled_from(CODES),
    share=shares,
    group_share=st.sampled_from([0.1, 0.5]),
    seed=st.integers(0, 10_000),
    window=st.none() | st.integers(2, 5),
    text=texts,
)
def test_what_was_shrunk_can_be_shrunk_again(code, share, group_share, seed, window, text):
    """The second time, row 0 is the zero vector, and rows are not the tokens' numbers."""
    net, interface = make(code, 0.1, group_share, seed, hidden=4, window=window)
    small, smaller = shrunk(net, interface)
    generator = torch.Generator().manual_seed(seed + 1)
    prune_at_random(small, share, group_share, generator)
    smallest, last, _ = check_all_equal(small, smaller, text)
    assert set(last.inputs) <= set(smaller.inputs)
    third, same, _ = check_all_equal(smallest, last, text)
    assert (Size.of(third), same) == (Size.of(smallest), last)


@pytest.mark.parametrize("code", LM_PRESETS.values())
@pytest.mark.parametrize("window", [None, 4])
def test_everything_pruned_still_predicts(code, window):
    net, interface = make(code, 1.0, 1.0, window=window)
    small, smaller, model = check_all_equal(net, interface)
    if code != "DCCD":
        assert Size.of(small) == Size(1, None, ((0,),), len(WORDS) + 1)
        assert (smaller.inputs, len(model.inputs)) == ((), 0)
        # What is left is the bias of the output.
        expected = torch.log_softmax(net.output.bias, 0).neg()[interface.encoder.encode(TEXT)]
        if window is None:
            found = LanguageModel(model).nll(interface.encoder.encode(TEXT))[0]
            np.testing.assert_allclose(found, expected[1:].detach(), **CLOSE)


def test_nothing_pruned_keeps_all():
    net, interface = make("LLLL")
    small, smaller, model = check_all_equal(net, interface)
    assert Size.of(small) == Size(len(WORDS) + 2, None, ((3,),), len(WORDS) + 1)  # and a zero row
    assert smaller.inputs == tuple(range(len(WORDS) + 1))
    assert statistics(net).compression_ratio == 1
    assert statistics(net).dense_ratio == 1
    assert len(model.lstm.live_gates) == 12


@pytest.mark.parametrize("neuron", [0, 2])
def test_one_neuron_left(neuron):
    net, interface = make("LLLL")
    with torch.no_grad():
        net.lstm.z_hidden.log_sigma.fill_(5.0)
        net.lstm.z_hidden.log_sigma[neuron] = -5.0
    small, _, model = check_all_equal(net, interface)
    assert small.lstm.hidden_size == model.lstm.hidden_size == 1


def test_pruned_gate_becomes_constant():
    net, interface = make("LLRL")
    with torch.no_grad():
        net.lstm.z_gates.log_sigma[3:6] = 5.0  # the three forget gates
    _, _, model = check_all_equal(net, interface)
    assert model.lstm.live_gates.tolist() == [0, 1, 2, *range(6, 12)]


def test_neurons_that_only_feed_each_other_are_removed():
    net, interface = make("LLRL")
    with torch.no_grad():
        net.output.weight.log_sigma[:, 0] = 5.0
        net.lstm.weight_hh.log_sigma.view(4, 3, 3)[:, 1:, 0] = 5.0  # neuron 0 feeds itself alone
    small, _, _ = check_all_equal(net, interface)
    assert small.lstm.hidden_size == 2


@pytest.mark.parametrize("code", ["LCIL", "LLRL"])
@pytest.mark.parametrize("gone", [[0], [1, 8], list(range(1, 9)), list(range(9))], ids=str)
@pytest.mark.parametrize("window", [None, 4])
def test_tokens_that_are_not_read_are_predicted_all_the_same(code, gone, window):
    """Token 0 among them or not: its row of the whole network is not the zero row of the small."""
    net, interface = make(code, window=window)
    prune_tokens(net, gone)
    small, smaller, model = check_all_equal(net, interface)
    kept = [token for token in range(9) if token not in gone]
    assert list(smaller.inputs) == model.inputs.tolist() == kept
    assert model.output_weight.shape[0] == 9
    assert [bool(row) for row in smaller.rows] == [token in kept for token in range(9)]
    assert small.lstm.padding_idx == 0


def prune_tokens(net, rows):
    """By the group variable where there is one, else by all weights of the row."""
    which = net.lstm.weight_ih if net.lstm.z_input.is_constant else net.lstm.z_input
    with torch.no_grad():
        which.log_sigma[rows] = 9.0


def test_ids_of_tokens_are_told_apart_from_rows_when_shrinking_twice():
    net, interface = make("LCIL")
    prune_tokens(net, [0, 3])
    small, smaller, _ = check_all_equal(net, interface)
    assert smaller.inputs == (1, 2, 4, 5, 6, 7, 8)
    prune_tokens(small, [1, 3])  # the tokens 1 and 4
    _, last, model = check_all_equal(small, smaller)
    assert last.inputs == tuple(model.inputs) == (2, 5, 6, 7, 8)
    assert last.rows.tolist() == [0, 0, 1, 0, 0, 2, 3, 4, 5]


@pytest.mark.parametrize("zero_row", [False, True])
def test_gradients_and_moments_are_sliced_alike(zero_row):
    net, interface = make("LLLL")
    if zero_row:
        prune_tokens(net, [0])
        net, _ = shrunk(net, interface)
    assert Size.of(net) == Size(9, None, ((3,),), 9)
    plan = ShrinkPlan(torch.tensor([0, 2, 5]), torch.tensor([]), ((torch.tensor([2]),),))
    hidden, gates = torch.tensor([2]), torch.tensor([2, 5, 8, 11])
    cuts = {
        "lstm.weight_ih": (plan.rows, gates),
        "lstm.weight_hh": (gates, hidden),
        "lstm.bias": (gates,),
        "lstm.z_input": (plan.rows,),
        "lstm.z_hidden": (hidden,),
        "lstm.z_gates": (gates,),
        "output.weight": (slice(None), hidden),
        "output.bias": (slice(None),),
    }
    assert_sliced_alike(net, plan, cuts)
    assert net.lstm.padding_idx == 0
    assert Size.of(net) == Size(3, None, ((1,),), 9)


def test_compacting_leaves_the_network_alone():
    net, interface = make("LLLL", 0.5, 0.5)
    before = copy.deepcopy(net.state_dict())
    compact(net, interface)
    shrunk(net, interface)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())
    assert net.lstm.padding_idx is None
    assert {p.mean.shape for _, p in named_variational_parameters(net)} == {
        (9, 12), (12, 3), (9,), (3,), (12,), (9, 3),
    }  # fmt: skip
