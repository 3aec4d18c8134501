"""How much stays: counts layer by layer, and three ratios that are never called by one word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bayespress.compression.masks import (
    KeepMasks,
    Network,
    aggregate,
    aggregate_live,
    cells_of,
    collect,
)
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
    hidden
        Neurons of each recurrent cell, layer by layer.
    outputs
        Of the output layer.
    gates_per_neuron
        4 of an LSTM, 3 of a GRU.
    """

    rows: int
    dims: int | None
    hidden: tuple[tuple[int, ...], ...]
    outputs: int
    gates_per_neuron: int = 4

    @classmethod
    def of(cls, net: Network) -> Size:
        """Measure a network."""
        cells = cells_of(net)
        hidden = tuple(tuple(cell.hidden_size for cell in layer) for layer in cells)
        outputs, gates = net.output.out_features, cells[0][0].gates
        if isinstance(net, LanguageModelNet):
            return cls(net.lstm.num_tokens, None, hidden, outputs, gates)
        rows, dims = net.embedding.weight.mean.shape
        return cls(rows, dims, hidden, outputs, gates)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Size:
        """Make it of what :func:`dataclasses.asdict` gave, even where JSON came between."""
        return cls(**{**values, "hidden": tuple(map(tuple, values["hidden"]))})

    @property
    def neurons(self) -> int:
        """Neurons of all cells."""
        return sum(map(sum, self.hidden))

    @property
    def gates(self) -> int:
        """Gates of all neurons."""
        return self.gates_per_neuron * self.neurons

    @property
    def inputs(self) -> int:
        """What the first layer reads: dimensions, or input words of a language model."""
        return self.rows if self.dims is None else self.dims

    @property
    def weights(self) -> dict[str, int]:
        """Number of weights in each kind of matrix."""
        embedding = {} if self.dims is None else {"embedding": self.rows * self.dims}
        pairs, inputs = [], self.inputs
        for layer in self.hidden:
            pairs += [(hidden, inputs) for hidden in layer]
            inputs = sum(layer)
        return {
            **embedding,
            "weight_ih": self.gates_per_neuron * sum(hidden * read for hidden, read in pairs),
            "weight_hh": self.gates_per_neuron * sum(hidden * hidden for hidden, _ in pairs),
            "output": self.outputs * inputs,
        }

    @property
    def dense_parameters(self) -> int:
        """Number of parameters of the same network without sparsity, biases included."""
        # A GRU has a second bias of one gate.
        biases = self.gates + (self.neurons if self.gates_per_neuron == 3 else 0)
        return sum(self.weights.values()) + biases + self.outputs


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
    rows, dims = (int(mask.sum()) for mask in (live.vocab, live.emb))
    hidden = tuple(tuple(int(cell.hidden.sum()) for cell in layer) for layer in live.layers)
    after = replace(full, rows=rows, dims=None if full.dims is None else dims, hidden=hidden)
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
        "gates": (sum(int(cell.gates.sum()) for cell in masks.cells), full.gates),
    }


def _groups(own: KeepMasks, full: Size) -> dict[str, Count]:
    inputs = sum(int(cell.inputs.sum()) for cell in own.layers[0])
    kept = {
        "z_input": (inputs, full.inputs * len(own.layers[0])),
        "z_hidden": (int(own.hidden.sum()), full.neurons),
        "z_gates": (sum(int(cell.gates.sum()) for cell in own.cells), full.gates),
    }
    return kept if full.dims is None else {"z_vocab": (int(own.vocab.sum()), full.rows), **kept}


def _ratio(masks: KeepMasks, full: Size) -> float:
    kept = sum(masks.kept_weights().values())
    # A network of which nothing is kept counts as one weight: the ratio stays finite.
    return sum(full.weights.values()) / max(kept, 1)
