"""The objective: the negative evidence lower bound, per training example."""

from __future__ import annotations

from torch import Tensor, nn

from bayespress.variational import kl


def nll(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    r"""Mean negative log likelihood of an example, in nats.

    Where a text may have several labels, they are independent given the text: likelihoods multiply,
    and an example's is the sum of the binary cross-entropies of all labels, not their mean,

    .. math:: -\log p(y | x) = -\sum_k y_k \log p_k + (1 - y_k) \log (1 - p_k)

    so that the bound's other term is divided by the number of texts here, too.

    Parameters
    ----------
    logits
        Shape ``(batch, outputs)``; one output is the log odds of class 1, of several labels each
        is the log odds of its own.
    labels
        Class numbers, shape ``(batch,)``; of several labels whether each is there, shape
        ``(batch, outputs)``.
    weights
        What log likelihoods are multiplied by, in the shape of `labels`; all 1 by default. The
        mean is over examples, not over weights.
    """
    if labels.dim() == 2:
        terms = nn.functional.binary_cross_entropy_with_logits(
            logits, labels.to(logits.dtype), weight=weights, reduction="none"
        )
        return terms.sum(dim=1).mean()
    if logits.shape[1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(
            logits.squeeze(1), labels.to(logits.dtype), weight=weights
        )
    if weights is None:
        return nn.functional.cross_entropy(logits, labels)
    return (weights * nn.functional.cross_entropy(logits, labels, reduction="none")).mean()


def negative_elbo(
    nll: Tensor, module: nn.Module, *, kl_weight: float, num_train: int, form: str = "chirkova"
) -> tuple[Tensor, Tensor]:
    r"""Combine the mean negative log likelihood with the KL divergence.

    .. math:: L = NLL + \beta \frac{KL}{N}

    Parameters
    ----------
    nll
        Mean over the mini-batch.
    module
        Whatever holds the variational parameters.
    kl_weight
        :math:`\beta`, 1 for the bound itself, less during a warm-up.
    num_train
        N: training sequences of a classifier, predicted tokens of a language model.
    form
        Approximation of the log-uniform KL.

    Returns
    -------
    loss, kl
        The objective and the undivided KL.

    References
    ----------
    Molchanov, Ashukha, Vetrov: *Variational Dropout Sparsifies Deep Neural Networks*, ICML 2017,
    equation 3.
    """
    divergence = kl(module, form)
    return nll + kl_weight * divergence / num_train, divergence
