"""What all methods of frontier.py share: data, tokens, and the points that they make."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayespress import data, recipes
from bayespress.compact import CompactClassifier
from bayespress.config import Config
from bayespress.data import Splits
from bayespress.runtime import TextPredictor, class_numbers
from bayespress.text import TextEncoder, Vocabulary

WHOLE = 1_000_000
"""As many tokens as no text has."""
PARTS = ("train", "validation", "test")
RECIPES = {"demo": "demo", "imdb": "imdb-fast", "ag-news": "ag-news-fast"}
Ids = list[NDArray[np.int32]]
Key = tuple[str, str, str, int, str]


@dataclass(frozen=True)
class Point:
    """One classifier: what it takes, and what it gives; README.md explains the keys."""

    source: str
    method: str
    setting: str
    seed: int
    words: int
    bytes: int
    weights: int
    validation_accuracy: float
    test_accuracy: float
    seconds: float
    tokens_read: int | str

    @property
    def key(self) -> Key:
        """What makes it the same point as another."""
        return self.source, self.method, self.setting, self.seed, str(self.tokens_read)


@dataclass(frozen=True)
class Task:
    """A data set as the recipe of our runs splits it and turns it into tokens.

    Attributes
    ----------
    name
        Of the source, without its folder.
    config
        The recipe's settings.
    splits
        Training, validation and test texts.
    seed
        Of the methods that have one.
    cache
        Folder for what is expensive and needed by several points.
    done
        Keys of the points that there are already.
    """

    name: str
    config: Config
    splits: Splits
    seed: int
    cache: Path
    done: frozenset[Key] = frozenset()

    def is_done(
        self, method: str, setting: str, tokens_read: int | str, seed: int | None = None
    ) -> bool:
        """Tell whether there is such a point already, of the task's seed if none is given."""
        seed = self.seed if seed is None else seed
        return (self.name, method, setting, seed, str(tokens_read)) in self.done

    @cached_property
    def encoder(self) -> TextEncoder:
        """The vocabulary, which training texts decide, and the number of tokens."""
        return TextEncoder.fit(self.splits.train.texts, self.config.text)

    @property
    def vocabulary(self) -> Vocabulary:
        """Words to rows."""
        return self.encoder.vocabulary

    @property
    def outputs(self) -> int:
        """Numbers that a classifier puts out for a text."""
        return 1 if len(self.splits.labels) == 2 else len(self.splits.labels)

    @cached_property
    def lengths(self) -> tuple[int | str, ...]:
        """What `tokens_read` of a point may be: the recipe's first tokens, and all of them."""
        first = self.config.text.max_length
        longer = sum(len(ids) > first for part in PARTS for ids in self.whole_ids[part])
        every = sum(map(len, self.whole_ids.values()))
        return (first, "whole") if longer > every / 100 else (first,)

    @cached_property
    def whole_ids(self) -> dict[str, Ids]:
        """All tokens of all texts, by part."""
        encoder = replace(self.encoder, max_length=WHOLE)
        return {
            part: [encoder.encode(text) for text in getattr(self.splits, part).texts]
            for part in PARTS
        }

    def ids(self, part: str, tokens_read: int | str) -> Ids:
        """Texts of a part as rows of the vocabulary; 0 is a word that is not in it."""
        length = WHOLE if tokens_read == "whole" else int(tokens_read)
        return [ids[:length] for ids in self.whole_ids[part]]

    @cached_property
    def classes(self) -> dict[str, NDArray[np.int64]]:
        """The number of each text's class, by part."""
        return {
            part: class_numbers(getattr(self.splits, part).labels, self.splits.labels)
            for part in PARTS
        }

    def accuracy(self, model: CompactClassifier, part: str, tokens_read: int | str) -> float:
        """Share of a part's texts that a model of this vocabulary's words gets right."""
        new_row = self.vocabulary.rows_in(model.encoder.vocabulary)
        texts = [new_row[ids] for ids in self.ids(part, tokens_read)]
        return share_right(TextPredictor(model).logits(texts), self.classes[part])


def share_right(scores: NDArray[np.floating], classes: NDArray[np.int64]) -> float:
    """Share of texts whose most probable class is theirs; one score is that of the second class."""
    scores = np.asarray(scores).reshape(len(classes), -1)
    found = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(np.int64)
    return float((found == classes).mean())


def note(text: str) -> None:
    """Say on stderr how it goes."""
    print(text, file=sys.stderr, flush=True)


def load_task(source: str, seed: int, cache: Path, done: frozenset[Key] = frozenset()) -> Task:
    """Load a source as its fast recipe does, or with the settings that it brings along."""
    settings = {"source": source, **data.source_defaults(source)}
    if source in RECIPES:
        settings = recipes.read(RECIPES[source]).settings
    config = Config.from_flat(settings)
    return Task(Path(source).stem, config, data.load(config.data), seed, cache, done)


def read_points(file: Path) -> list[Point]:
    """Read what :func:`append_point` wrote; nothing if there is no file."""
    if not file.exists():
        return []
    return [Point(**json.loads(line)) for line in file.read_text().splitlines() if line.strip()]


def append_point(file: Path, point: Point) -> None:
    """Add a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(point), ensure_ascii=False) + "\n")


def frontier(points: Iterable[Point], cost: str) -> list[Point]:
    """Points that no other one beats on validation data at the same cost or less, by rising cost.

    Parameters
    ----------
    points
        Of one method.
    cost
        ``bytes`` or ``words``.
    """
    kept: list[Point] = []
    by_cost = sorted(points, key=lambda point: (getattr(point, cost), -point.validation_accuracy))
    for point in by_cost:
        if not kept or point.validation_accuracy > kept[-1].validation_accuracy:
            kept.append(point)
    return kept
