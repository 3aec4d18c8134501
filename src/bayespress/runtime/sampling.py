"""The choice of a next token."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bayespress.errors import ConfigError


class Sampler:
    r"""Choose tokens by their logits, in a way that any other program can repeat.

    In double precision, with :math:`s_k` the logit of token k, :math:`m` the largest and
    :math:`\tau` the temperature:

    .. math:: W_k = \sum_{j \le k} \exp((s_j - m) / \tau)

    The sum goes by rising id. The choice is the lowest k with :math:`W_k > u W_{last}`, where u is
    the next number of ``numpy.random.Generator(numpy.random.PCG64(seed)).random()``, one for each
    choice. With temperature 0 it is the lowest k with :math:`s_k = m`, and no number is drawn.

    Parameters
    ----------
    temperature
        0 takes the most probable token, 1 follows the model's probabilities, more evens them out.
    seed
        Seed of the random numbers.
    never
        Id of a token that is never chosen: the others share its probability in proportion to
        theirs (its logit counts as minus infinity).

    Raises
    ------
    ConfigError
        If the temperature is not finite, or it or the seed is negative.
    """

    def __init__(self, temperature: float, seed: int, never: int | None = None) -> None:
        if not (math.isfinite(temperature) and temperature >= 0):
            raise ConfigError(f"temperature must be finite and at least 0, got {temperature}")
        if seed < 0:
            raise ConfigError(f"seed must be at least 0, got {seed}")
        self._temperature, self._never = temperature, never
        self._random = np.random.Generator(np.random.PCG64(seed))

    def choose(self, logits: NDArray[np.floating]) -> int:
        """Choose a token.

        Parameters
        ----------
        logits
            Logits of all tokens, shape ``(tokens,)``.
        """
        scores = logits.astype(np.float64)
        if self._never is not None:
            scores[self._never] = -np.inf
        if self._temperature == 0:
            return int(scores.argmax())
        scores -= scores.max()
        with np.errstate(over="ignore"):  # minus infinity is right
            scores /= self._temperature
        sums = np.exp(scores).cumsum()
        return int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
