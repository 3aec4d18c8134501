"""Keep masks: what each tensor says, and what follows from all of them together.

True always means that something stays. Two aggregations exist. :func:`aggregate` is the papers'
rule and gives the papers' counts. :func:`aggregate_live` removes all that cannot reach an output:
it is what is really stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bayespress.models import LanguageModelNet, TextClassifierNet
from bayespress.nn.recurrence import GATES
from bayespress.sparsity import Prior


@dataclass(frozen=True)
class KeepMasks:
    """Boolean masks of a network with V words, E inputs of its LSTM, H neurons and K outputs.

    A classifier's inputs are the embedding's dimensions. A language model's are its words: there
    is no embedding, and `vocab` and `emb` are the same mask.

    Attributes
    ----------
    vocab, emb, hidden, gates
        Which words, inputs, neurons and gates stay: ``(V,)``, ``(E,)``, ``(H,)``, ``(4, H)``.
    embedding_weight, weight_ih, weight_hh, output_weight
        Which weights stay: ``(V, E)``, ``(4, H, E)``, ``(4, H, H)``, ``(K, H)``. The second
        dimension of `weight_ih` and `weight_hh` is the neuron that the gate belongs to. Of a
        language model, `embedding_weight` is None.
    """

    vocab: Tensor
    emb: Tensor
    hidden: Tensor
    gates: Tensor
    embedding_weight: Tensor | None
    weight_ih: Tensor
    weight_hh: Tensor
    output_weight: Tensor

    def kept_weights(self) -> dict[str, int]:
        """Count the kept weights of each matrix."""
        return {
            name: int(mask.sum())
            for name, mask in (
                ("embedding", self.embedding_weight),
                ("weight_ih", self.weight_ih),
                ("weight_hh", self.weight_hh),
                ("output", self.output_weight),
            )
            if mask is not None
        }


Network = TextClassifierNet | LanguageModelNet


def collect(net: Network) -> KeepMasks:
    """Read every parameter's own mask, before any of them bears on another."""
    if isinstance(net, LanguageModelNet):
        return _collect_language_model(net)
    hidden, inputs = net.lstm.hidden_size, net.lstm.input_size
    vocab, embedding_weight = net.embedding.z_vocab.keep(), net.embedding.weight.keep()
    if net.embedding.padding_idx is not None:
        vocab[net.embedding.padding_idx] = False
        embedding_weight[net.embedding.padding_idx] = False
    return KeepMasks(
        vocab=vocab,
        emb=net.lstm.z_input.keep(),
        hidden=net.lstm.z_hidden.keep(),
        gates=net.lstm.z_gates.keep().view(GATES, hidden),
        embedding_weight=embedding_weight,
        weight_ih=net.lstm.weight_ih.keep().view(GATES, hidden, inputs),
        weight_hh=net.lstm.weight_hh.keep().view(GATES, hidden, hidden),
        output_weight=net.output.weight.keep(),
    )


def _collect_language_model(net: LanguageModelNet) -> KeepMasks:
    lstm, hidden = net.lstm, net.lstm.hidden_size
    inputs, weight_ih = lstm.z_input.keep(), lstm.weight_ih.keep()
    if lstm.padding_idx is not None:
        inputs[lstm.padding_idx] = False
        weight_ih[lstm.padding_idx] = False
    return KeepMasks(
        vocab=inputs,
        emb=inputs,
        hidden=lstm.z_hidden.keep(),
        gates=lstm.z_gates.keep().view(GATES, hidden),
        embedding_weight=None,
        weight_ih=weight_ih.t().reshape(GATES, hidden, lstm.num_tokens),
        weight_hh=lstm.weight_hh.keep().view(GATES, hidden, hidden),
        output_weight=net.output.weight.keep(),
    )


def aggregate(net: Network, own: KeepMasks | None = None) -> KeepMasks:
    """Combine the masks by the papers' rule, for counts that compare with the papers'.

    A word stays by its group variable where that has a log-uniform prior, else if any weight of
    its row does. A dimension needs weights on both sides, a language model's input word weights
    that read it, a neuron weights that read it (its own gates' or the output's), a gate incoming
    weights of its own. The rule is applied once: something may stay for the sake of a weight that
    it removes elsewhere. `own` saves collecting the network's own masks again.

    References
    ----------
    Program of Lobacheva, Chirkova, Vetrov: *Bayesian Sparsification of Gated Recurrent Neural
    Networks*, NeurIPS CDNNRIA workshop 2018.
    """
    own = own or collect(net)
    emb = own.emb & own.weight_ih.any(dim=(0, 1))
    vocab, embedding_weight = emb, own.embedding_weight
    if embedding_weight is not None and isinstance(net, TextClassifierNet):
        emb = emb & embedding_weight.any(dim=0)
        by_group = net.embedding.z_vocab.prior is Prior.LOG_UNIFORM
        vocab = own.vocab if by_group else own.vocab & embedding_weight.any(dim=1)
        embedding_weight = embedding_weight & vocab[:, None] & emb
    hidden = own.hidden & (own.weight_hh.any(dim=(0, 1)) | own.output_weight.any(dim=0))
    return KeepMasks(
        vocab=vocab,
        emb=emb,
        hidden=hidden,
        gates=own.gates & hidden & _has_incoming(own.weight_ih, own.weight_hh),
        embedding_weight=embedding_weight,
        weight_ih=own.weight_ih & hidden[:, None] & emb,
        weight_hh=own.weight_hh & hidden[:, None] & hidden,
        output_weight=own.output_weight & hidden,
    )


def aggregate_live(net: Network, own: KeepMasks | None = None) -> KeepMasks:
    """Keep exactly what can bear on a prediction: the masks' smallest fixed point.

    A neuron stays if a path of kept weights leads from it to an output; weights that feed a gate
    that is constant, because its group variable is pruned, are no path and go as well.
    """
    own = own or collect(net)
    weight_ih = own.weight_ih & own.gates[..., None] & own.emb
    weight_hh = own.weight_hh & own.gates[..., None] & own.hidden
    hidden = _reaching(own.hidden & own.output_weight.any(dim=0), weight_hh, own.hidden)
    emb = own.emb & (weight_ih & hidden[:, None]).any(dim=(0, 1))
    vocab, rows = emb, own.embedding_weight
    if rows is not None:
        rows = rows & own.vocab[:, None]
        emb = emb & rows.any(dim=0)
        rows = rows & emb
        vocab = rows.any(dim=1)
    weight_ih = weight_ih & hidden[:, None] & emb
    weight_hh = weight_hh & hidden[:, None] & hidden
    return KeepMasks(
        vocab=vocab,
        emb=emb,
        hidden=hidden,
        gates=_has_incoming(weight_ih, weight_hh),
        embedding_weight=rows,
        weight_ih=weight_ih,
        weight_hh=weight_hh,
        output_weight=own.output_weight & hidden,
    )


def _has_incoming(weight_ih: Tensor, weight_hh: Tensor) -> Tensor:
    return weight_ih.any(dim=2) | weight_hh.any(dim=2)


def _reaching(start: Tensor, weight_hh: Tensor, allowed: Tensor) -> Tensor:
    """Neurons from which `weight_hh` (gate, to, from) leads to `start`, itself included."""
    reached = start
    while True:
        wider = reached | (allowed & weight_hh[:, reached].any(dim=(0, 1)))
        if torch.equal(wider, reached):
            return reached
        reached = wider
