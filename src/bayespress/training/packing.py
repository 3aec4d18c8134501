"""How much of a trained network goes into its file: the choice, by size and validation data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bayespress import compact
from bayespress.compact import CompactClassifier, CompactModel
from bayespress.compact.model import FloatArray
from bayespress.compact.precision import TOLERANCE
from bayespress.errors import ConfigError

THRESHOLDS = (None, *(half / 2 for half in range(5, -9, -1)))
"""Of log alpha, from what training pruned to ever more."""

_PATIENCE = 2


@dataclass(frozen=True)
class Rounding:
    """How to round weights; see :func:`bayespress.compact.rounded`."""

    precision: str = "float32"
    tolerance: float = TOLERANCE

    def __str__(self) -> str:
        """Name it in a word or two."""
        return f"auto ({self.tolerance:g} sigma)" if self.precision == "auto" else self.precision


ROUNDINGS = (
    Rounding("float32"),
    Rounding("float16"),
    Rounding("int8"),
    *(Rounding("auto", tolerance) for tolerance in (1 / 16, 1 / 4, 1.0)),
)
"""What is tried for a size."""


@dataclass(frozen=True)
class Prepared:
    """A finished model before it is rounded.

    Attributes
    ----------
    model
        The model, by the alphabet.
    sigmas
        The posterior's sigma of every weight, by the names of the model's arrays.
    threshold
        Of log alpha, if it pruned more than training did.
    """

    model: CompactModel
    sigmas: Mapping[str, FloatArray]
    threshold: float | None = None

    def reading(self, max_length: int) -> Prepared:
        """Read so many tokens of a text, whatever training read.

        Raises
        ------
        ConfigError
            If the model is a language model.
        """
        if not isinstance(self.model, CompactClassifier):
            raise ConfigError("a language model reads all of a text: leave --max-length out")
        encoder = replace(self.model.encoder, max_length=max_length)
        return replace(self, model=replace(self.model, encoder=encoder))

    def rounded(self, rounding: Rounding) -> CompactModel:
        """Round the weights; ``info`` says how.

        Raises
        ------
        ConfigError
            If there is no such precision.
        """
        model = compact.rounded(self.model, rounding.precision, self.sigmas, rounding.tolerance)
        if rounding.precision == "float32":
            return model
        return replace(model, info={**model.info, "precision": rounding.precision})


@dataclass(frozen=True)
class Packed:
    """A model that fits, and how it was made.

    Attributes
    ----------
    model
        The model.
    size
        Bytes of its file.
    how
        What was done to it, in a few words.
    merit
        What the judge said of it; minus infinity before.
    """

    model: CompactModel
    size: int
    how: str
    merit: float = -math.inf


def fit_to_size(
    prepare: Callable[[float | None], Prepared],
    judge: Callable[[CompactModel], float],
    size: int,
    on_try: Callable[[Packed], None] = lambda _: None,
) -> Packed:
    """Find the best model whose file has at most so many bytes.

    For each threshold, from loose to strict, the two roundings with the largest files that fit are
    judged; it ends where two stricter thresholds, one after the other, do not help.

    Parameters
    ----------
    prepare
        Makes the model for a threshold, see :meth:`Trained.prepare`.
    judge
        Tells a model's merit on validation data, more is better.
    size
        Bytes.
    on_try
        Called with everything that was judged.

    Raises
    ------
    ConfigError
        If nothing that was tried is small enough.
    """
    best: Packed | None = None
    smallest, in_vain = math.inf, 0
    for threshold in THRESHOLDS:
        files = sorted(_files(prepare(threshold)), key=lambda packed: packed.size)
        smallest = min(smallest, files[0].size)
        judged = [
            replace(packed, merit=judge(packed.model))
            for packed in [packed for packed in files if packed.size <= size][-2:]
        ]
        for packed in judged:
            on_try(packed)
        if not judged:
            continue
        found = max(judged, key=lambda packed: packed.merit)
        if best is None or found.merit > best.merit:
            best, in_vain = found, 0
        elif (in_vain := in_vain + 1) == _PATIENCE:
            break
    if best is None:
        raise ConfigError(
            f"no file of at most {size:,} bytes was found: the smallest has {smallest:,}; ask for "
            "more, or train with a larger kl_weight or target_compression"
        )
    return best


def _files(prepared: Prepared) -> Iterator[Packed]:
    pruned = "" if prepared.threshold is None else f", log alpha up to {prepared.threshold:g}"
    for rounding in ROUNDINGS:
        model = prepared.rounded(rounding)
        yield Packed(model, len(compact.dumps(model)), f"{rounding}{pruned}")
