"""Every removal is proved: masked network = shrunk network = numpy runtime, on raw text."""

import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bayespress.compact import file as artifact
from bayespress.compression import ShrinkPlan, aggregate_live, shrink, statistics, to_compact
from bayespress.config import ModelConfig, TextConfig
from bayespress.models import TextClassifierNet
from bayespress.runtime import TextPredictor
from bayespress.sparsity import PRESETS
from bayespress.text import TextEncoder
from tests import authors
from tests.compression.helpers import assert_sliced_alike, prune_at_random, shares

WORDS = ["the", "film", "Was", "good", "bad", "naïve", "été", "9", "über", "plot", "rare", "rarer"]
LETTERS = ("LND", "LNDC", "LND", "LNDC", "LNDC", "LND")
CODES = ["".join(letters) for letters in itertools.product(*LETTERS)]
TOLERANCE = 1e-5

texts = st.lists(st.sampled_from([*WORDS, "unseen"]), max_size=9).map(" ".join)


def make(code, outputs, share, group_share, unknown, seed, activation="hard_sigmoid"):
    generator = torch.Generator().manual_seed(seed)
    config = TextConfig(
        vocabulary_size=9, min_documents=1, max_length=6, unknown=unknown, lowercase=seed % 2 == 0
    )
    encoder = TextEncoder.fit([" ".join(WORDS[:k]) for k in range(1, len(WORDS) + 1)], config)
    net = TextClassifierNet(
        encoder.vocabulary.num_rows,
        outputs,
        ModelConfig(code=code, embedding_size=4, hidden_size=3, gate_activation=activation),
        padding_idx=0 if unknown == "zero" else None,
        generator=generator,
    ).eval()
    prune_at_random(net, share, group_share, generator)
    with torch.no_grad():
        net.lstm.bias.normal_(generator=generator)
        net.output.bias.normal_(generator=generator)
    return net, encoder


def predict(net, encoder, texts, *, left=True):
    """Probabilities of a torch network, batch padded on one side."""
    ids = [encoder.encode(text) for text in texts]
    longest = max(1, *map(len, ids))
    batch = np.zeros((len(ids), longest), dtype=np.int64)
    mask = np.zeros((len(ids), longest), dtype=bool)
    for row, one in enumerate(ids):
        place = slice(longest - len(one), longest) if left else slice(0, len(one))
        batch[row, place], mask[row, place] = one, True
    with torch.no_grad():
        logits = net(torch.from_numpy(batch), torch.from_numpy(mask)).double()
    if logits.shape[1] == 1:
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1).numpy()
    return torch.softmax(logits, dim=1).numpy()


def check_all_equal(net, encoder, texts):
    labels = tuple(f"class {k}" for k in range(max(2, net.output.out_features)))
    masked = predict(net, encoder, texts)
    small, masks = copy.deepcopy(net), aggregate_live(net)
    small_encoder, rows = encoder.restrict(masks.vocab.numpy())
    shrink(small, ShrinkPlan.from_masks(masks, torch.from_numpy(rows)))
    np.testing.assert_allclose(predict(small, small_encoder, texts), masked, atol=TOLERANCE)
    np.testing.assert_allclose(predict(net, encoder, texts, left=False), masked, atol=TOLERANCE)
    model = artifact.loads(artifact.dumps(to_compact(net, encoder, labels)), "memory")
    np.testing.assert_allclose(TextPredictor(model).predict_proba(texts), masked, atol=TOLERANCE)
    return small, model


@settings(max_examples=150)
@given(
    code=st.sampled_from(CODES),
    outputs=st.sampled_from([1, 3]),
    share=shares,
    group_share=shares,
    unknown=st.sampled_from(["zero", "learned"]),
    activation=st.sampled_from(["hard_sigmoid", "sigmoid"]),
    seed=st.integers(0, 10_000),
    texts=st.lists(texts, min_size=1, max_size=5),
)
def test_masked_equals_shrunk_equals_numpy(
    code, outputs, share, group_share, unknown, activation, seed, texts
):
    net, encoder = make(code, outputs, share, group_share, unknown, seed, activation)
    check_all_equal(net, encoder, texts)


@pytest.mark.parametrize("code", PRESETS.values())
@pytest.mark.parametrize("unknown", ["zero", "learned"])
def test_everything_pruned_still_predicts(code, unknown):
    net, encoder = make(code, 1, 1.0, 1.0, unknown, seed=5)
    small, model = check_all_equal(net, encoder, ["the film", ""])
    if code != "DCDCCD":
        assert small.lstm.hidden_size == 0
        assert model.embedding.shape[0] == 0


def test_nothing_pruned_keeps_all():
    net, encoder = make("LLLLLL", 3, 0.0, 0.0, "zero", seed=5)
    small, _ = check_all_equal(net, encoder, ["the film Was good"])
    assert small.lstm.hidden_size == 3
    assert statistics(net).compression_ratio == pytest.approx(10 / 9, rel=0.2)


def test_one_neuron_left():
    net, encoder = make("LLLLLL", 1, 0.0, 0.0, "zero", seed=5)
    with torch.no_grad():
        net.lstm.z_hidden.log_sigma[1:] = 5.0
    small, model = check_all_equal(net, encoder, ["the film Was good", "bad"])
    assert small.lstm.hidden_size == model.lstm.hidden_size == 1


def test_pruned_gate_becomes_constant():
    net, encoder = make("LLLLLL", 1, 0.0, 0.0, "zero", seed=5)
    with torch.no_grad():
        net.lstm.z_gates.log_sigma[3:6] = 5.0  # the three forget gates
    _, model = check_all_equal(net, encoder, ["the film Was good", "bad"])
    assert not set(model.lstm.live_gates.tolist()) & {3, 4, 5}


def test_neurons_that_only_feed_each_other_are_removed():
    net, encoder = make("LLLLLL", 1, 0.0, 0.0, "zero", seed=5)
    with torch.no_grad():
        net.output.weight.log_sigma[:, 0] = 5.0
        net.lstm.weight_hh.log_sigma.view(4, 3, 3)[:, 1:, 0] = 5.0  # neuron 0 feeds itself alone
    small, _ = check_all_equal(net, encoder, ["the film Was good", "bad"])
    assert small.lstm.hidden_size == 2


@pytest.mark.parametrize("path", authors.CLASSIFIERS, ids=lambda path: path.stem)
def test_ratio_and_counts_match_the_authors_report(path):
    fixture = authors.load(path)
    stats = statistics(authors.build(fixture, torch.float64))
    assert stats.compression_ratio == pytest.approx(float(fixture["eval/overall"]), rel=1e-6)
    report = str(fixture["eval/text"])
    p = stats.paper
    w, x, h = (stats.weights[k] for k in ("embedding", "weight_ih", "weight_hh"))
    assert f"(w: {w[0]}/{w[1]}) (z_voc: {p['words'][0]}/{p['words'][1]})" in report
    assert f"(w_x: {x[0]}/{x[1]}) (w_h: {h[0]}/{h[1]})" in report
    assert f"(z_x: {p['dims'][0]}/{p['dims'][1]}) (z_h: {p['neurons'][0]}" in report
    assert f"(gates: {p['gates'][0]}/{p['gates'][1]})" in report
    assert stats.stored_compression_ratio >= stats.compression_ratio


@pytest.mark.parametrize(
    "path", [p for p in authors.CLASSIFIERS if "DCDCCD" not in p.stem], ids=lambda path: path.stem
)
def test_shrunk_network_predicts_what_the_authors_pruned_network_does(path):
    fixture = authors.load(path)
    net = authors.build(fixture, torch.float64).eval()
    ids, mask, _ = authors.batch(fixture)
    masks = aggregate_live(net)
    plan = ShrinkPlan.from_masks(masks)
    new_id = torch.zeros(masks.vocab.numel(), dtype=torch.long)
    new_id[plan.rows] = torch.arange(len(plan.rows))
    shrink(net, plan)
    actual = authors.probabilities(net(new_id[ids], mask)).detach().numpy()
    # Row 0 is a word in some of these sequences; after shrinking it is the zero vector.
    comparable = ~((ids == 0) & mask).any(dim=1).numpy()
    assert comparable.any()
    expected = fixture["out/clip"].reshape(actual.shape)
    np.testing.assert_allclose(actual[comparable], expected[comparable], atol=1e-12)


def test_gradients_and_moments_are_sliced_alike():
    net, _ = make("LLLLLL", 3, 0.5, 0.3, "zero", seed=3)
    plan = ShrinkPlan(torch.tensor([0, 2, 5]), torch.tensor([1, 3]), ((torch.tensor([2]),),))
    hidden, gates = torch.tensor([2]), torch.tensor([2, 5, 8, 11])
    cuts = {
        "embedding.weight": (plan.rows, plan.emb),
        "embedding.z_vocab": (plan.rows,),
        "recurrent.layers.0.0.weight_ih": (gates, plan.emb),
        "recurrent.layers.0.0.weight_hh": (gates, hidden),
        "recurrent.layers.0.0.bias": (gates,),
        "recurrent.layers.0.0.z_input": (plan.emb,),
        "recurrent.layers.0.0.z_hidden": (hidden,),
        "recurrent.layers.0.0.z_gates": (gates,),
        "output.weight": (slice(None), hidden),
        "output.bias": (slice(None),),
    }
    assert_sliced_alike(net, plan, cuts)
