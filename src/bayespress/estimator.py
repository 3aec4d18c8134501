"""A text classifier with scikit-learn's interface."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from bayespress.runtime.predictor import is_given, labels_in
from bayespress.schedules import Value

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
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
        ``"balanced"``, or a weight for each class, or None. Of several labels ``"balanced"`` lets
        having each and not having it count alike; there are no weights of single ones.
    precision
        Of the finished model's weights, see :func:`bayespress.compact.rounded`.
    run
        Folder to train in, which must not exist; None takes a temporary one.
    random_state
        Seed of everything that is drawn.

    Attributes
    ----------
    classes_
        The classes, sorted; of an indicator matrix the numbers of its columns.
    multilabel_
        Whether a text may have several of them, or none.
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
            The class of each. Or the labels of each, of which it may have several or none: lists,
            tuples or sets, or an indicator matrix of zeros and ones, shape ``(N, labels)``, which
            may be sparse.

        Raises
        ------
        TypeError, ValueError
            If texts are no texts, or do not fit their classes.
        BayespressError
            If a setting is wrong, or the network cannot be trained.
        """
        from bayespress.training import Rounding, RunFolder, Trainer, load_best  # noqa: PLC0415 - torch

        check_precision(self.precision)
        texts, several = _texts(X), _labels_of(y)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.multilabel_ = several is not None
        if several is None:
            splits = self._splits(texts, y, seed)
        else:
            splits = self._splits_of_labels(texts, several, seed)
        settings = self._settings(seed)
        with _folder(self.run) as folder:
            run = RunFolder(folder)
            run.check_free()
            trainer = Trainer(settings, splits, run)
            run.save_config(settings)
            trainer.fit()
            prepared = load_best(run).prepare()
            self.config_ = settings
            self.history_: Sequence[EpochRecord] = trainer.history
        self.compact_ = cast("CompactClassifier", prepared.rounded(Rounding(self.precision)))
        return self

    def predict(self, X: Iterable[str]) -> NDArray[Any] | list[tuple[Any, ...]]:  # noqa: N803
        """Give the most probable class of each text, shape ``(N,)``.

        Of several labels, all that have a probability of at least 0.5: as an indicator matrix,
        shape ``(N, labels)``, if that was learned from, else as a tuple for each text, the most
        probable one first.
        """
        shares = self.predict_proba(X)
        if self.multilabel_ and self._knows_columns:
            return is_given(shares).astype(np.int64)
        if self.multilabel_:
            names = self.classes_.tolist()
            return [tuple(names[k] for k in labels_in(row)) for row in shares]
        classes: NDArray[Any] = self.classes_[shares.argmax(axis=1)]
        return classes

    def predict_proba(self, X: Iterable[str]) -> FloatArray:  # noqa: N803
        """Give each text's probabilities in the order of ``classes_``, shape ``(N, classes)``.

        Of several labels each is for itself; else they sum up to 1.
        """
        check_is_fitted(self)
        return TextPredictor(self.compact_).predict_proba(_texts(X))

    def score(
        self,
        X: Iterable[str],  # noqa: N803
        y: Any,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Give the share of texts whose class is right, or whose labels are all right.

        Raises
        ------
        TypeError, ValueError
            If texts are no texts, or do not fit their classes or labels.
        """
        check_is_fitted(self)
        if not self.multilabel_:
            return float(super().score(X, y, sample_weight))
        given, wanted = is_given(self.predict_proba(X)), _labels_of(y)
        if wanted is None or len(wanted.matrix) != len(given):
            raise ValueError(f"{len(given)} texts do not fit what is said of their labels")
        right = (given == wanted.of(self.classes_)).all(axis=1) & ~wanted.beyond(self.classes_)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        return float(np.average(right, weights=weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
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
        if self.multilabel_ and self.class_weight is not None:
            own["class_weight"] = "balanced"
        return Config.from_flat(config, own)

    def _splits(self, texts: Sequence[str], y: Any, seed: int) -> Splits:
        targets = column_or_1d(y, warn=True)
        check_classification_targets(targets)
        if len(texts) != len(targets):
            raise ValueError(f"{len(texts)} texts do not fit {len(targets)} classes of theirs")
        self.classes_, numbers = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"there must be at least two classes, got one class: {self.classes_[0]!r}"
            )
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

    def _splits_of_labels(self, texts: Sequence[str], several: _Labels, seed: int) -> Splits:
        if len(texts) != len(several.matrix):
            raise ValueError(f"{len(texts)} texts do not fit labels of {len(several.matrix)}")
        if not several.matrix.any():
            raise ValueError("no text has a label; give some of them one or more")
        if len(several.classes) < 2:
            raise ValueError(f"there must be at least two labels, got {several.classes.tolist()}")
        if self.class_weight not in (None, "balanced"):
            raise ValueError(
                "class_weight must be None or 'balanced' where a text may have several labels, "
                f"got {self.class_weight!r}"
            )
        self.classes_, self._knows_columns = several.classes, several.is_indicator
        names = tuple(str(name) for name in self.classes_)
        labels = [tuple(names[k] for k in row.nonzero()[0].tolist()) for row in several.matrix]
        train, validation = train_test_split(
            np.arange(len(texts)),
            test_size=max(1, round(self.validation_fraction * len(texts))),
            random_state=seed,
        )
        every, none = LabelledTexts(tuple(texts), tuple(labels)), LabelledTexts((), ())
        parts = every.select(train), every.select(validation), none
        return Splits(*parts, names, multi_label=True)


@dataclass(frozen=True)
class _Labels:
    """Which of several labels texts have.

    Attributes
    ----------
    classes
        The labels, sorted; or the numbers of the columns.
    matrix
        Whether each text has each, shape ``(N, labels)``.
    is_indicator
        Whether they came as such a matrix.
    """

    classes: NDArray[Any]
    matrix: NDArray[np.bool_]
    is_indicator: bool

    def of(self, classes: NDArray[Any]) -> NDArray[np.bool_]:
        """Give the matrix of these labels, shape ``(N, classes)``."""
        column = {name: k for k, name in enumerate(self.classes.tolist())}
        matrix = np.zeros((len(self.matrix), len(classes)), np.bool_)
        for k, name in enumerate(classes.tolist()):
            if name in column:
                matrix[:, k] = self.matrix[:, column[name]]
        return matrix

    def beyond(self, classes: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which texts have a label that is none of these, shape ``(N,)``."""
        known = set(classes.tolist())
        strange = [k for k, name in enumerate(self.classes.tolist()) if name not in known]
        return np.asarray(self.matrix[:, strange].any(axis=1))


def _labels_of(y: Any) -> _Labels | None:
    """Read the labels of texts that may have several; None if each has one class."""
    if getattr(y, "ndim", 1) == 1 and not _are_collections(y):
        return None
    try:
        is_indicator = type_of_target(y) == "multilabel-indicator"
    except ValueError:  # lists of various lengths, which scikit-learn has given up
        is_indicator = False
    if is_indicator:
        whole = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        return _Labels(np.arange(whole.shape[1]), whole.astype(np.bool_), is_indicator=True)
    return _named_labels([set(one) for one in y]) if _are_collections(y) else None


def _are_collections(y: Any) -> bool:
    if getattr(y, "ndim", 1) != 1 or not hasattr(y, "__len__"):
        return False
    return isinstance(next(iter(y), None), (list, tuple, set, frozenset, np.ndarray))


def _named_labels(labels: Sequence[set[Any]]) -> _Labels:
    try:
        classes = sorted(set().union(*labels))
    except TypeError:
        raise ValueError("labels must be all texts or all numbers, got some of each") from None
    column = {name: k for k, name in enumerate(classes)}
    matrix = np.zeros((len(labels), len(classes)), np.bool_)
    for row, names in enumerate(labels):
        matrix[row, [column[name] for name in names]] = True
    return _Labels(np.array(classes), matrix, is_indicator=False)


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
