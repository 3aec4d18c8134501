"""Linear classifiers of counted words: L1 logistic regression, and TF-IDF with chosen features.

Their files are counted as ours are, see :func:`file_bytes`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from frontier_task import Point, Task, share_right
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from bayespress.compact.blocks import pack_array
from bayespress.compact.header import deflate, pack_text

FRAME = 32
"""Bytes of our files besides text and arrays: magic, version, sizes and checksum."""
BITS = (4, 5, 6, 8)
TOLERANCE = 0.001
"""Of validation accuracy, what rounding may cost: the fewest bits within it are taken."""
L1_C = (0.003, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.4, 1.0)
L2_C = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
SVC_C = (0.01, 0.03, 0.1, 0.3, 1.0)
TOP = (100, 300, 1000, 3000, 10_000, 30_000)
Matrix = sp.csr_matrix


@dataclass(frozen=True)
class Linear:
    """A linear classifier: scores are features times `weights`, plus `bias`.

    Attributes
    ----------
    features
        Words, or pairs of words with a space between.
    weights
        Shape ``(outputs, features)``.
    bias
        Shape ``(outputs,)``.
    idf
        Factors of the features, where texts are scaled to length 1 after them.
    """

    features: Sequence[str]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    idf: NDArray[np.float32] | None = None

    def scores(self, counts: Matrix) -> NDArray[np.floating]:
        """Classify counts of the features, or their logarithms where there is an idf."""
        if self.idf is not None:
            counts = counts @ sp.diags(self.idf)
            norms = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).clip(1e-12)
            counts = sp.diags(1 / norms.ravel()) @ counts
        return counts @ self.weights.T + self.bias

    def rounded(self, bits: int) -> Linear:
        """Round weights to so many bits, in steps of one size for each output; idf to 8."""
        idf = None if self.idf is None else to_steps(self.idf[None], 8)[0]
        return replace(self, weights=to_steps(self.weights, bits), idf=idf)


def to_steps(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Round each row to multiples of the smallest power of two that suffices, as our int8 does."""
    largest = np.abs(values).max(axis=1, keepdims=True, initial=2.0**-100)
    steps = np.exp2(np.ceil(np.log2(largest / (2 ** (bits - 1) - 1))))
    return (np.rint(values / steps) * steps).astype(np.float32)


def file_bytes(model: Linear, task: Task, tokens_read: int | str, kind: str) -> int:
    """Give the bytes of a file of this classifier.

    It has the parts of ours: frame, deflated text (a JSON header and the features in the order of
    the alphabet, each without what it shares with the one before), arrays in the smallest of our
    encodings. Features whose weights are 0 for all outputs are left out.
    """
    used = np.flatnonzero(model.weights.any(axis=0))
    order = sorted(used.tolist(), key=lambda column: model.features[column])
    header = {
        "lowercase": task.config.text.lowercase,
        "max_length": None if tokens_read == "whole" else tokens_read,
        "labels": task.splits.labels,
        "features": kind,
        "info": {"words": [len(order), task.vocabulary.num_rows]},
    }
    text = pack_text(header, [model.features[column] for column in order])
    arrays = [model.weights[:, order], model.bias]
    if model.idf is not None:
        arrays.append(model.idf[order])
    return FRAME + len(deflate(text)) + sum(len(pack_array(array)) for array in arrays)


class Counts:
    """Counts of words, or of words and pairs of neighbours, in all parts of a task."""

    def __init__(self, task: Task, tokens_read: int | str, *, pairs: bool = False) -> None:
        ids = {part: task.ids(part, tokens_read) for part in ("train", "validation", "test")}
        rows = task.vocabulary.num_rows
        keys = {part: [_keys(text, rows, pairs) for text in ids[part]] for part in ids}
        documents = np.concatenate([np.unique(text) for text in keys["train"]])
        self.columns, in_documents = np.unique(documents, return_counts=True)
        if pairs:  # a pair must be in as many texts as a word must
            self.columns = self.columns[in_documents >= task.config.text.min_documents]
        self.matrices = {part: self._matrix(keys[part]) for part in keys}
        words = task.vocabulary.words
        self.features = [
            str(words[key % rows]) if key < rows else f"{words[key // rows]} {words[key % rows]}"
            for key in self.columns.tolist()
        ]

    def _matrix(self, keys: Sequence[NDArray[np.int64]]) -> Matrix:
        every = np.concatenate(keys)
        texts = np.repeat(np.arange(len(keys)), [len(text) for text in keys])
        columns = np.searchsorted(self.columns, every).clip(max=len(self.columns) - 1)
        known = self.columns[columns] == every
        ones = np.ones(int(known.sum()), np.float32)
        shape = (len(keys), len(self.columns))
        return sp.coo_matrix((ones, (texts[known], columns[known])), shape=shape).tocsr()


def _keys(ids: NDArray[np.int32], rows: int, pairs: bool) -> NDArray[np.int64]:
    ids = ids.astype(np.int64)
    words = ids[ids > 0]
    if not pairs:
        return words
    first, second = ids[:-1], ids[1:]
    both = (first > 0) & (second > 0)
    return np.concatenate([words, first[both] * rows + second[both]])


def valued(matrix: Matrix, values: str) -> Matrix:
    """Turn counts into what a classifier reads: ``binary``, ``counts`` or ``log``: 1 + log."""
    if values == "counts":
        return matrix
    changed = matrix.copy()
    changed.data = np.ones_like(changed.data) if values == "binary" else 1 + np.log(changed.data)
    return changed


def l1_points(task: Task) -> Iterator[Point]:
    """Make the points of L1 logistic regression, as it is and refitted with L2 on its words."""
    for tokens_read in task.lengths:
        for values in ("binary", "counts"):
            named = [f"{values}, C {c:g}" for c in L1_C]
            if all(_is_done(task, name, tokens_read) for name in named):
                continue
            counts = Counts(task, tokens_read)
            read = {part: valued(m, values) for part, m in counts.matrices.items()}
            for c, name in zip(L1_C, named, strict=True):
                if not _is_done(task, name, tokens_read):
                    yield from _l1_pair(task, counts, read, c, (name, values), tokens_read)


def _is_done(task: Task, setting: str, tokens_read: int | str) -> bool:
    return all(task.is_done(method, setting, tokens_read) for method in ("L1", "L1, refitted"))


def _l1_pair(
    task: Task,
    counts: Counts,
    read: dict[str, Matrix],
    c: float,
    setting: tuple[str, str],
    tokens_read: int | str,
) -> Iterator[Point]:
    """Fit once with L1; the second point takes its words and new weights."""
    began = time.perf_counter()
    model = LogisticRegression(C=c, l1_ratio=1, solver="liblinear", max_iter=300, random_state=1)
    if task.outputs > 1:
        model = OneVsRestClassifier(model)
    model.fit(read["train"], task.classes["train"])
    parts = model.estimators_ if task.outputs > 1 else [model]
    weights = np.concatenate([part.coef_ for part in parts]).astype(np.float32)
    bias = np.concatenate([part.intercept_ for part in parts]).astype(np.float32)
    kept = np.flatnonzero(weights.any(axis=0))
    if len(kept) == 0:
        return
    features = [counts.features[column] for column in kept]
    few = {part: matrix[:, kept] for part, matrix in read.items()}
    name, values = setting
    args = (task, few, tokens_read, values)
    yield _point("L1", name, Linear(features, weights[:, kept], bias), began, *args)
    refitted = _refit(task, few, features)
    yield _point("L1, refitted", name, refitted, began, *args)


def _refit(task: Task, few: dict[str, Matrix], features: Sequence[str]) -> Linear:
    """Fit with L2, its strength by validation data."""

    def fit(c: float) -> Linear:
        model = LogisticRegression(C=c, max_iter=1000).fit(few["train"], task.classes["train"])
        return Linear(features, model.coef_.astype(np.float32), model.intercept_.astype(np.float32))

    return _best(map(fit, L2_C), few["validation"], task)


def _best(models: Iterator[Linear], validation: Matrix, task: Task) -> Linear:
    classes = task.classes["validation"]
    return max(models, key=lambda model: share_right(model.scores(validation), classes))


def _point(
    method: str,
    setting: str,
    model: Linear,
    began: float,
    task: Task,
    read: dict[str, Matrix],
    tokens_read: int | str,
    kind: str,
) -> Point:
    """Round to as few bits as validation data allow, and measure."""

    def accuracy(linear: Linear, part: str) -> float:
        return share_right(linear.scores(read[part]), task.classes[part])

    seconds = time.perf_counter() - began
    exact = accuracy(model, "validation")
    tried = (model.rounded(bits) for bits in BITS)
    near = (few for few in tried if accuracy(few, "validation") >= exact - TOLERANCE)
    model = next(near, model.rounded(BITS[-1]))
    return Point(
        source=task.name,
        method=method,
        setting=setting,
        seed=task.seed,
        words=_words(model),
        bytes=file_bytes(model, task, tokens_read, kind),
        weights=int(np.count_nonzero(model.weights)),
        validation_accuracy=accuracy(model, "validation"),
        test_accuracy=accuracy(model, "test"),
        seconds=round(seconds, 1),
        tokens_read=tokens_read,
    )


def _words(model: Linear) -> int:
    """Count distinct words of the features that have a weight."""
    used = model.weights.any(axis=0)
    kept = (feature for feature, is_used in zip(model.features, used, strict=True) if is_used)
    return len({word for feature in kept for word in feature.split(" ")})


def tfidf_points(task: Task) -> Iterator[Point]:
    """Make the points of TF-IDF: the best features by chi2, then logistic regression or an SVM."""
    for tokens_read in task.lengths:
        for pairs in (False, True):
            named = {k: f"{'1-2' if pairs else '1'}-grams, {k} by chi2" for k in TOP}
            wanted = [k for k in TOP if not task.is_done("TF-IDF", named[k], tokens_read)]
            if not wanted:
                continue
            began = time.perf_counter()
            counts = Counts(task, tokens_read, pairs=pairs)
            read = {part: valued(matrix, "log") for part, matrix in counts.matrices.items()}
            merit, _ = chi2(valued(read["train"], "binary"), task.classes["train"])
            order = np.argsort(-np.nan_to_num(merit), kind="stable")
            prepared = time.perf_counter() - began
            for k in (k for k in wanted if k <= len(order)):
                began, kept = time.perf_counter() - prepared, np.sort(order[:k])
                few = {part: matrix[:, kept] for part, matrix in read.items()}
                model = _tfidf(task, few, [counts.features[column] for column in kept])
                args = (task, few, tokens_read, "tf-idf")
                yield _point("TF-IDF", named[k], model, began, *args)


def _tfidf(task: Task, few: dict[str, Matrix], features: Sequence[str]) -> Linear:
    transformer = TfidfTransformer().fit(few["train"])
    idf = transformer.idf_.astype(np.float32)
    train = transformer.transform(few["train"])

    def fit(model: Any) -> Linear:
        model.fit(train, task.classes["train"])
        arrays = (model.coef_.astype(np.float32), model.intercept_.astype(np.float32))
        return Linear(features, *arrays, idf)

    ways = [LinearSVC(C=c, random_state=1) for c in SVC_C]
    ways += [LogisticRegression(C=c, max_iter=1000) for c in (1.0, 10.0, 100.0)]
    return _best(map(fit, ways), few["validation"], task)
