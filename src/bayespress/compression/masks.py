"""Keep masks: what each tensor says, and what follows from all of them together.

True always means that something stays. Two aggregations exist. :func:`aggregate` is the papers'
rule and gives the papers' counts. :func:`aggregate_live` removes all that cannot reach an output:
it is what is really stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.nn.gated import GatedLayer
from bayespress.sparsity import Prior


@dataclass(frozen=True)
class CellMasks:
    """Boolean masks of a recurrent cell with I inputs, H neurons and G gates a neuron.

    Attributes
    ----------
    inputs, hidden, gates
        Which inputs it reads, and which neurons and gates stay: ``(I,)``, ``(H,)``, ``(G, H)``.
    weight_ih, weight_hh
        Which weights stay: ``(G, H, I)``, ``(G, H, H)``. The second dimension is the neuron that
        the gate belongs to.
    """

    inputs: Tensor
    hidden: Tensor
    gates: Tensor
    weight_ih: Tensor
    weight_hh: Tensor


@dataclass(frozen=True)
class KeepMasks:
    """Boolean masks of a network with V words, E inputs of its first layer and K outputs.

    A classifier's inputs are the embedding's dimensions. A language model's are its words: there
    is no embedding, and `vocab` and `emb` are the same mask.

    Attributes
    ----------
    vocab, emb
        Which words and inputs stay: ``(V,)``, ``(E,)``.
    embedding_weight
        Which weights of the embedding stay, ``(V, E)``; None of a language model.
    layers
        Masks of the cells of each layer.
    output_weight
        Which weights of the output layer stay, ``(K, F)``, with F neurons in the last layer.
    """

    vocab: Tensor
    emb: Tensor
    embedding_weight: Tensor | None
    layers: tuple[tuple[CellMasks, ...], ...]
    output_weight: Tensor

    @property
    def cells(self) -> tuple[CellMasks, ...]:
        """The masks of all cells, from the first layer upwards."""
        return tuple(cell for layer in self.layers for cell in layer)

    @property
    def hidden(self) -> Tensor:
        """Which neurons stay, cell after cell."""
        return torch.cat([cell.hidden for cell in self.cells])

    def with_hidden(self, hidden: Tensor) -> KeepMasks:
        """Give the same masks with other neurons kept, cell after cell as in `hidden`."""
        parts = iter(hidden.split([len(cell.hidden) for cell in self.cells]))
        layers = tuple(
            tuple(replace(cell, hidden=next(parts)) for cell in layer) for layer in self.layers
        )
        return replace(self, layers=layers)

    def kept_weights(self) -> dict[str, int]:
        """Count the kept weights of each kind of matrix."""
        embedding = self.embedding_weight
        kept = {} if embedding is None else {"embedding": int(embedding.sum())}
        for name in ("weight_ih", "weight_hh"):
            kept[name] = sum(int(getattr(cell, name).sum()) for cell in self.cells)
        return {**kept, "output": int(self.output_weight.sum())}


Network = TextClassifierNet | LanguageModelNet


def cells_of(net: Network) -> list[list[GatedLayer]]:
    """Give the recurrent cells of each layer."""
    if isinstance(net, LanguageModelNet):
        return [[net.lstm]]
    return [list(layer) for layer in net.recurrent.nested()]


def collect(net: Network) -> KeepMasks:
    """Read every parameter's own mask, before any of them bears on another."""
    if isinstance(net, LanguageModelNet):
        return _collect_language_model(net)
    vocab, embedding_weight = net.embedding.z_vocab.keep(), net.embedding.weight.keep()
    if net.embedding.padding_idx is not None:
        vocab[net.embedding.padding_idx] = False
        embedding_weight[net.embedding.padding_idx] = False
    layers = tuple(
        tuple(_collect_cell(c, c.z_input.keep(), c.weight_ih.keep()) for c in layer)
        for layer in net.recurrent.nested()
    )
    return KeepMasks(
        vocab=vocab,
        emb=_any([cell.inputs for cell in layers[0]]),
        embedding_weight=embedding_weight,
        layers=layers,
        output_weight=net.output.weight.keep(),
    )


def _collect_language_model(net: LanguageModelNet) -> KeepMasks:
    lstm = net.lstm
    inputs, weight_ih = lstm.z_input.keep(), lstm.weight_ih.keep()
    if lstm.padding_idx is not None:
        inputs[lstm.padding_idx] = False
        weight_ih[lstm.padding_idx] = False
    return KeepMasks(
        vocab=inputs,
        emb=inputs,
        embedding_weight=None,
        layers=((_collect_cell(lstm, inputs, weight_ih.t()),),),
        output_weight=net.output.weight.keep(),
    )


def _collect_cell(cell: GatedLayer, inputs: Tensor, weight_ih: Tensor) -> CellMasks:
    hidden = cell.hidden_size
    return CellMasks(
        inputs=inputs,
        hidden=cell.z_hidden.keep(),
        gates=cell.z_gates.keep().view(cell.gates, hidden),
        weight_ih=weight_ih.reshape(cell.gates, hidden, len(inputs)),
        weight_hh=cell.weight_hh.keep().view(cell.gates, hidden, hidden),
    )


def aggregate(net: Network, own: KeepMasks | None = None) -> KeepMasks:
    """Combine the masks by the papers' rule, for counts that compare with the papers'.

    A word stays by its group variable where that has a log-uniform prior, else if any weight of
    its row does. A dimension needs weights on both sides, a language model's input word weights
    that read it, a neuron weights that read it (its own gates', those of the layer above or the
    output's), a gate incoming weights of its own. The rule is applied once: something may stay for
    the sake of a weight that it removes elsewhere. `own` saves collecting the network's own masks
    again.

    References
    ----------
    Program of Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural
    Networks*, NeurIPS CDNNRIA workshop 2018, for one cell.
    """
    own = own or collect(net)
    emb = _any([cell.inputs & cell.weight_ih.any(dim=(0, 1)) for cell in own.layers[0]])
    vocab, embedding_weight = emb, own.embedding_weight
    if embedding_weight is not None and isinstance(net, TextClassifierNet):
        emb = emb & embedding_weight.any(dim=0)
        by_group = net.embedding.z_vocab.prior is Prior.LOG_UNIFORM
        vocab = own.vocab if by_group else own.vocab & embedding_weight.any(dim=1)
        embedding_weight = embedding_weight & vocab[:, None] & emb
    read, hidden = own.output_weight.any(dim=0), list[list[Tensor]]()
    for layer in reversed(own.layers):
        pairs = zip(layer, _split(read, layer), strict=True)
        hidden.insert(0, [c.hidden & (c.weight_hh.any(dim=(0, 1)) | its) for c, its in pairs])
        read = _any([cell.weight_ih.any(dim=(0, 1)) for cell in layer])
    masks = _wired(replace(own, vocab=vocab, emb=emb, embedding_weight=embedding_weight), hidden)
    gates = [cell.gates & _has_incoming(cell.weight_ih, cell.weight_hh) for cell in own.cells]
    return _with_gates(masks, gates)


def aggregate_live(net: Network, own: KeepMasks | None = None) -> KeepMasks:
    """Keep exactly what can bear on a prediction: the masks' smallest fixed point.

    A neuron stays if a path of kept weights leads from it to an output; weights that feed a gate
    that is constant, because its group variable is pruned, are no path and go as well.
    """
    own = own or collect(net)
    layers = tuple(tuple(_without_constant_gates(cell) for cell in layer) for layer in own.layers)
    read, hidden = own.output_weight.any(dim=0), list[list[Tensor]]()
    for layer in reversed(layers):
        pairs = zip(layer, _split(read, layer), strict=True)
        hidden.insert(0, [_reaching(c.hidden & its, c.weight_hh, c.hidden) for c, its in pairs])
        live = zip(layer, hidden[0], strict=True)
        read = _any([(c.weight_ih & kept[:, None]).any(dim=(0, 1)) for c, kept in live])
    emb = read & own.emb
    vocab, rows = emb, own.embedding_weight
    if rows is not None:
        rows = rows & own.vocab[:, None]
        emb = emb & rows.any(dim=0)
        rows = rows & emb
        vocab = rows.any(dim=1)
    masks = _wired(KeepMasks(vocab, emb, rows, layers, own.output_weight), hidden)
    return _with_gates(masks, [_has_incoming(c.weight_ih, c.weight_hh) for c in masks.cells])


def _without_constant_gates(cell: CellMasks) -> CellMasks:
    """Drop weights that feed gates whose group variable is pruned, or read what is."""
    gates = cell.gates[..., None]
    return CellMasks(
        inputs=cell.inputs,
        hidden=cell.hidden,
        gates=cell.gates,
        weight_ih=cell.weight_ih & gates & cell.inputs,
        weight_hh=cell.weight_hh & gates & cell.hidden,
    )


def _wired(own: KeepMasks, hidden: Sequence[Sequence[Tensor]]) -> KeepMasks:
    """Let inputs and neurons that stay bear on the weights of all cells and of the output."""
    inputs, layers = own.emb, []
    for cells, kept in zip(own.layers, hidden, strict=True):
        pairs = zip(cells, kept, strict=True)
        layers.append(tuple(_wired_cell(cell, inputs, stays) for cell, stays in pairs))
        inputs = torch.cat(list(kept))
    return replace(own, layers=tuple(layers), output_weight=own.output_weight & inputs)


def _wired_cell(own: CellMasks, inputs: Tensor, hidden: Tensor) -> CellMasks:
    return CellMasks(
        inputs=own.inputs & inputs,
        hidden=hidden,
        gates=own.gates & hidden,
        weight_ih=own.weight_ih & hidden[:, None] & inputs,
        weight_hh=own.weight_hh & hidden[:, None] & hidden,
    )


def _with_gates(masks: KeepMasks, gates: Sequence[Tensor]) -> KeepMasks:
    """Keep of each cell's gates only those that are given too."""
    left = iter(gates)
    layers = tuple(
        tuple(replace(cell, gates=cell.gates & next(left)) for cell in layer)
        for layer in masks.layers
    )
    return replace(masks, layers=layers)


def _has_incoming(weight_ih: Tensor, weight_hh: Tensor) -> Tensor:
    return weight_ih.any(dim=2) | weight_hh.any(dim=2)


def _any(masks: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(masks)).any(dim=0)


def _split(mask: Tensor, layer: Sequence[CellMasks]) -> list[Tensor]:
    """Cut a mask of a layer's neurons into those of its cells."""
    return list(mask.split([len(cell.hidden) for cell in layer]))


def _reaching(start: Tensor, weight_hh: Tensor, allowed: Tensor) -> Tensor:
    """Neurons from which `weight_hh` (gate, to, from) leads to `start`, itself included."""
    reached = start
    while True:
        wider = reached | (allowed & weight_hh[:, reached].any(dim=(0, 1)))
        if torch.equal(wider, reached):
            return reached
        reached = wider
