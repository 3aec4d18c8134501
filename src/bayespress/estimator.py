"""A text classifier with scikit-learn's interface."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayespress import compact
from bayespress.compact import CompactClassifier
from bayespress.compact.model import FloatArray
from bayespress.compact.precision import check_precision
from bayespress.config import Config
from bayespress.data import LabelledTexts, Splits
from bayespress.errors import MissingExtraError
from bayespress.history import EpochRecord
from bayespress.runtime import TextPredictor
from bayespress.schedules import Value

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d
except ModuleNotFoundError:
    raise MissingExtraError("sklearn", "TextClassifier") from None


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An LSTM that prunes itself while it learns to classify raw texts.

    Parameters
    ----------
    config
        Settings by name, as on the command line (``bayespress train --help``) with underscores:
        ``{"hidden_size": 64, "lowercase": True}``; or a whole :class:`~bayespress.Config`. Those
        of data sources are not used.
    preset
        What may be pruned: a code of six letters, or ``w``, ``w+voc``, ``w+n``, ``w+g+n``,
        ``dense``. None leaves it to `config`.
    epochs
        How many; None leaves it to `config`.
    validation_fraction
        Share of the texts that the best epoch is chosen by; they are not trained on.
    class_weight
        ``"balanced"``, or a weight for each class, or None.
    precision
        Of the finished model's weights, see :func:`bayespress.compact.rounded`.
    run
        Folder to train in, which must not exist; None takes a temporary one.
    random_state
        Seed of everything that is drawn.

    Attributes
    ----------
    classes_
        The classes, sorted.
    compact_
        The finished model, to be shipped with :func:`bayespress.save`; its labels are the classes
        as text.
    config_
        All settings of the training; those of data sources mean nothing.
    history_
        What happened in each epoch.

    Examples
    --------
    >>> from bayespress import TextClassifier
    >>> classifier = TextClassifier({"lowercase": True}, preset="w+g+n", epochs=20)
    >>> classifier.get_params()["preset"]
    'w+g+n'
    """

    def __init__(
        self,
        config: Config | Mapping[str, Value] | None = None,
        *,
        preset: str | None = None,
        epochs: int | None = None,
        validation_fraction: float = 0.15,
        class_weight: str | Mapping[Any, float] | None = None,
        precision: str = "float32",
        run: str | Path | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.config = config
        self.preset = preset
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.precision = precision
        self.run = run
        self.random_state = random_state

    def fit(self, X: Iterable[str], y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Train on raw texts.

        Parameters
        ----------
        X
            Texts.
        y
            The class of each.

        Raises
        ------
        TypeError, ValueError
            If texts are no texts, or do not fit their classes.
        BayespressError
            If a setting is wrong, or the network cannot be trained.
        """
        from bayespress.training import Rounding, RunFolder, Trainer, load_best  # noqa: PLC0415 - torch

        check_precision(self.precision)
        texts, targets = _texts(X), column_or_1d(y, warn=True)
        check_classification_targets(targets)
        if len(texts) != len(targets):
            raise ValueError(f"{len(texts)} texts do not fit {len(targets)} classes of theirs")
        self.classes_, numbers = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"there must be at least two classes, got one class: {self.classes_[0]!r}"
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        settings = self._settings(seed)
        with _folder(self.run) as folder:
            run = RunFolder(folder)
            run.check_free()
            trainer = Trainer(settings, self._splits(texts, numbers, targets, seed), run)
            run.save_config(settings)
            trainer.fit()
            prepared = load_best(run).prepare()
            self.config_ = settings
            self.history_: Sequence[EpochRecord] = trainer.history
        self.compact_ = cast("CompactClassifier", prepared.rounded(Rounding(self.precision)))
        return self

    def predict(self, X: Iterable[str]) -> NDArray[Any]:  # noqa: N803
        """Give the most probable class of each text, shape ``(N,)``."""
        best = self.predict_proba(X).argmax(axis=1)
        classes: NDArray[Any] = self.classes_[best]
        return classes

    def predict_proba(self, X: Iterable[str]) -> FloatArray:  # noqa: N803
        """Give each text's probabilities in the order of ``classes_``, shape ``(N, classes)``."""
        check_is_fitted(self)
        return TextPredictor(self.compact_).predict_proba(_texts(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "compact_" in state:
            state = {**state, "compact_": compact.dumps(self.compact_)}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("compact_"), bytes):
            state = {**state, "compact_": compact.loads(state["compact_"])}
        super().__setstate__(state)

    def _settings(self, seed: int) -> Config:
        config = self.config.flat() if isinstance(self.config, Config) else (self.config or {})
        own: dict[str, Value] = {"seed": seed, "task": "classify"}
        if self.preset is not None:
            own["code"] = self.preset
        if self.epochs is not None:
            own["epochs"] = self.epochs
        return Config.from_flat(config, own)

    def _splits(
        self, texts: Sequence[str], numbers: NDArray[np.intp], targets: NDArray[Any], seed: int
    ) -> Splits:
        names = tuple(str(name) for name in self.classes_)
        labels = [names[number] for number in numbers]
        train, validation = _split(numbers, self.validation_fraction, seed)
        weights = None
        if self.class_weight is not None:
            given = self.class_weight
            classes = compute_class_weight(given, classes=self.classes_, y=targets[train])
            weights = tuple(classes.tolist())
        every, none = LabelledTexts(tuple(texts), tuple(labels)), LabelledTexts((), ())
        return Splits(every.select(train), every.select(validation), none, names, (), weights)


def _texts(texts: Iterable[str]) -> Sequence[str]:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, got one string: write [text]")
    found = list(texts)
    if not found:
        raise ValueError("at least one text is needed, got none (0 samples)")
    for number, text in enumerate(found):
        if not isinstance(text, str):
            raise TypeError(f"texts must be strings, got {type(text).__name__} as text {number}")
    return found


def _split(
    numbers: NDArray[np.intp], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Divide positions; each class is divided alike where it has texts enough."""
    positions = np.arange(len(numbers))
    counts = np.bincount(numbers)
    size = max(1, round(fraction * len(numbers)))
    alike = counts.min() > 1 and min(size, len(numbers) - size) >= len(counts)
    train, validation = train_test_split(
        positions, test_size=size, random_state=seed, stratify=numbers if alike else None
    )
    return train, validation


@contextlib.contextmanager
def _folder(run: str | Path | None) -> Iterator[Path]:
    if run is not None:
        yield Path(run)
        return
    with tempfile.TemporaryDirectory(prefix="bayespress-") as folder:
        yield Path(folder)
