"""Choose the axes of the embedding space so that few of them matter."""

from __future__ import annotations

import torch
from torch import Tensor

from bayespress.models import TextClassifierNet


@torch.no_grad()
def to_principal_axes(net: TextClassifierNet, scale: float = 1.0) -> None:
    r"""Turn the embedding's axes to the principal ones, in place; no prediction changes.

    A network reads word vectors through its input weights alone, so that only the product of the
    two counts. With the means of the group variables multiplied in, its singular value
    decomposition gives vectors and weights of the same product, dimension by dimension in order of
    what they contribute:

    .. math::
        \mathrm{diag}(z_{vocab}) W_{emb}\, \mathrm{diag}(z_{input})\, W_{ih}^\top = U S V^\top,
        \quad W_{emb}' = s\, U S^{1/2}, \quad W_{ih}' = s^{-1} V S^{1/2},
        \quad z_{vocab}' = z_{input}' = 1

    The divergence from a prior that favours zeros depends on the axes: those of a network that was
    trained without it spread what was learned over all dimensions, though a few would do.

    Parameters
    ----------
    net
        Nothing of it may be pruned or frozen: log sigmas stay as they are.
    scale
        s, above 0. Steps of Adam are of one size whatever a weight's: with a small s words are
        pruned sooner than neurons, since it takes fewer steps from their vectors to zero.
    """
    embedding, cells = net.embedding, net.recurrent.nested()[0]
    table = embedding.weight.mean * embedding.z_vocab.mean[:, None] * cells[0].z_input.mean
    # Other cells have other group variables of the inputs: theirs are relative to the first one's.
    weights = torch.cat(
        [cell.weight_ih.mean * (cell.z_input.mean / cells[0].z_input.mean) for cell in cells]
    )
    rows, columns = _balanced(table, weights)
    embedding.weight.mean.copy_(scale * rows)
    parts = (columns / scale).split([len(cell.weight_ih.mean) for cell in cells])
    for cell, part in zip(cells, parts, strict=True):
        cell.weight_ih.mean.copy_(part)
        cell.z_input.mean.fill_(1)
    embedding.z_vocab.mean.fill_(1)


def _balanced(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Factor ``left @ right.T`` anew, by its singular values, into matrices of the same shapes."""
    # In double precision, and on factors of the product: it has a row for every word.
    (q_left, r_left), (q_right, r_right) = (torch.linalg.qr(m.double()) for m in (left, right))
    u, s, vh = torch.linalg.svd(r_left @ r_right.t(), full_matrices=False)
    root, rank = s.sqrt(), len(s)
    factors = (left.new_zeros(left.shape), right.new_zeros(right.shape))
    factors[0][:, :rank] = ((q_left @ u) * root).to(left.dtype)
    factors[1][:, :rank] = ((q_right @ vh.t()) * root).to(right.dtype)
    return factors
