"""How much stays: counts layer by layer, and three ratios that are never called by one word."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bayespress.compression.masks import KeepMasks, Network, aggregate, aggregate_live, collect
from bayespress.models import LanguageModelNet

Count = tuple[int, int]


@dataclass(frozen=True)
class Size:
    """How large a network is.

    Attributes
    ----------
    rows
        Of the table: words of a classifier's embedding, input words of a language model.
    dims
        Embedding dimensions; None for a language model, which has no embedding.
    neurons, outputs
        Of the LSTM and the output layer.
    """

    rows: int
    dims: int | None
    neurons: int
    outputs: int

    @classmethod
    def of(cls, net: Network) -> Size:
        """Measure a network."""
        neurons, outputs = net.lstm.hidden_size, net.output.out_features
        if isinstance(net, LanguageModelNet):
            return cls(net.lstm.num_tokens, None, neurons, outputs)
        return cls(net.embedding.num_embeddings, net.lstm.input_size, neurons, outputs)

    @property
    def weights(self) -> dict[str, int]:
        """Number of weights in each matrix."""
        embedding = {} if self.dims is None else {"embedding": self.rows * self.dims}
        inputs = self.rows if self.dims is None else self.dims
        return {
            **embedding,
            "weight_ih": 4 * self.neurons * inputs,
            "weight_hh": 4 * self.neurons * self.neurons,
            "output": self.outputs * self.neurons,
        }

    @property
    def dense_parameters(self) -> int:
        """Number of parameters of the same network without sparsity, biases included."""
        return sum(self.weights.values()) + 4 * self.neurons + self.outputs


@dataclass(frozen=True)
class Statistics:
    """What is kept of a network; every count is (kept, all).

    Attributes
    ----------
    words, dims, neurons, gates
        Structures that stay because they can bear on a prediction: what is shipped. A language
        model has no dims, and its words are those that it reads.
    paper
        The same four by the papers' rule, under which a word, for instance, counts as kept when
        its group variable is, though all its weights are pruned.
    weights
        Kept weights of ``embedding`` (a classifier's), ``weight_ih``, ``weight_hh`` and
        ``output``, by the papers' rule.
    groups
        Group variables ``z_vocab`` (a classifier's), ``z_input``, ``z_hidden`` and ``z_gates``
        that stay by their own log alpha alone.
    compression_ratio
        All / kept weights of the matrices: the papers' number. Biases and group variables
        do not count, weights into constant gates do.
    stored_compression_ratio
        The same where only weights count that can bear on a prediction: what is really stored.
    dense_ratio
        Parameters before / after removing whole rows, columns and neurons, biases included.
    dense_bytes
        Bytes of the float32 parameters before anything was removed, without the vocabulary.
    """

    words: Count
    dims: Count | None
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


def statistics(net: Network, full: Size | None = None) -> Statistics:
    """Count what a network's masks keep.

    Parameters
    ----------
    net
        The network.
    full
        Its size before live shrinking: what is gone counts as pruned.
    """
    full = full or Size.of(net)
    own = collect(net)
    paper, live = aggregate(net, own), aggregate_live(net, own)
    rows, dims, neurons = (int(mask.sum()) for mask in (live.vocab, live.emb, live.hidden))
    after = Size(rows, None if full.dims is None else dims, neurons, full.outputs)
    kept = paper.kept_weights()
    return Statistics(
        **_structures(live, full),
        paper=_structures(paper, full),
        weights={name: (kept[name], total) for name, total in full.weights.items()},
        groups=_groups(own, full),
        compression_ratio=_ratio(paper, full),
        stored_compression_ratio=_ratio(live, full),
        dense_ratio=full.dense_parameters / after.dense_parameters,
        dense_bytes=4 * full.dense_parameters,
    )


def _structures(masks: KeepMasks, full: Size) -> dict[str, Any]:
    return {
        "words": (int(masks.vocab.sum()), full.rows),
        "dims": None if full.dims is None else (int(masks.emb.sum()), full.dims),
        "neurons": (int(masks.hidden.sum()), full.neurons),
        "gates": (int(masks.gates.sum()), 4 * full.neurons),
    }


def _groups(own: KeepMasks, full: Size) -> dict[str, Count]:
    kept = {"z_input": own.emb, "z_hidden": own.hidden, "z_gates": own.gates}
    totals = {"z_input": full.dims, "z_hidden": full.neurons, "z_gates": 4 * full.neurons}
    if full.dims is None:
        totals["z_input"] = full.rows
    else:
        kept, totals = {"z_vocab": own.vocab, **kept}, {"z_vocab": full.rows, **totals}
    return {name: (int(mask.sum()), totals[name] or 0) for name, mask in kept.items()}


def _ratio(masks: KeepMasks, full: Size) -> float:
    kept = sum(masks.kept_weights().values())
    # A network of which nothing is kept counts as one weight: the ratio stays finite.
    return sum(full.weights.values()) / max(kept, 1)
