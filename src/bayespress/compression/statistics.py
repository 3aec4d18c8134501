"""How much stays: counts layer by layer, and three ratios that are never called by one word."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bayespress.compression.masks import KeepMasks, aggregate, aggregate_live, collect
from bayespress.models import TextClassifierNet

Count = tuple[int, int]


@dataclass(frozen=True)
class Statistics:
    """What is kept of a classifier; every count is (kept, all).

    Attributes
    ----------
    words, dims, neurons, gates
        Structures that stay because they can bear on a prediction: what is shipped.
    paper
        The same four by the papers' rule, under which a word, for instance, counts as kept when
        its group variable is, though all its weights are pruned.
    weights
        Kept weights of ``embedding``, ``weight_ih``, ``weight_hh`` and ``output``, by the papers'
        rule.
    groups
        Group variables ``z_vocab``, ``z_input``, ``z_hidden`` and ``z_gates`` that stay by their
        own log alpha alone.
    compression_ratio
        All / kept weights of the four matrices: the papers' number. Biases and group variables
        do not count, weights into constant gates do.
    stored_compression_ratio
        The same where only weights count that can bear on a prediction: what is really stored.
    dense_ratio
        Parameters before / after removing whole rows, columns and neurons, biases included.
    dense_bytes
        Bytes of the float32 parameters before anything was removed, without the vocabulary.
    """

    words: Count
    dims: Count
    neurons: Count
    gates: Count
    paper: dict[str, Count]
    weights: dict[str, Count]
    groups: dict[str, Count]
    compression_ratio: float
    stored_compression_ratio: float
    dense_ratio: float
    dense_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)


def statistics(net: TextClassifierNet) -> Statistics:
    """Count what a network's masks keep."""
    own = collect(net)
    paper, live = aggregate(net, own), aggregate_live(net, own)
    rows, dims, neurons = live.vocab.numel(), live.emb.numel(), live.hidden.numel()
    outputs = net.output.out_features
    before = _dense_parameters(rows, dims, neurons, outputs)
    kept_rows, kept_dims, kept_neurons = (
        int(mask.sum()) for mask in (live.vocab, live.emb, live.hidden)
    )
    after = _dense_parameters(kept_rows, kept_dims, kept_neurons, outputs)
    return Statistics(
        **_structures(live),
        paper=_structures(paper),
        weights=paper.weight_counts(),
        groups={
            "z_vocab": _count(own.vocab),
            "z_input": _count(own.emb),
            "z_hidden": _count(own.hidden),
            "z_gates": _count(own.gates),
        },
        compression_ratio=_ratio(paper),
        stored_compression_ratio=_ratio(live),
        dense_ratio=before / after,
        dense_bytes=4 * before,
    )


def _dense_parameters(rows: int, dims: int, neurons: int, outputs: int) -> int:
    return rows * dims + 4 * neurons * (dims + neurons + 1) + outputs * (neurons + 1)


def _structures(masks: KeepMasks) -> dict[str, Count]:
    parts = {"words": masks.vocab, "dims": masks.emb, "neurons": masks.hidden}
    return {name: _count(mask) for name, mask in {**parts, "gates": masks.gates}.items()}


def _count(mask: Any) -> Count:
    return int(mask.sum()), mask.numel()


def _ratio(masks: KeepMasks) -> float:
    counts = masks.weight_counts().values()
    # A network of which nothing is kept counts as one weight: the ratio stays finite.
    return sum(total for _, total in counts) / max(sum(kept for kept, _ in counts), 1)
