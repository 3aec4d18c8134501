"""Train one network with live shrinking and without, and see what comes back once it was pruned.

    BAYESPRESS_DATA=DIR python benchmarks/live_shrinking.py --recipe imdb-fast --seed 1

prints one JSON line for each of the two runs, with the seconds of every epoch. The one without has
also, for words, dimensions and neurons, how many had been pruned at the ends of 1, 2, 3 and 4
epochs in a row (a structure counts once for each time that it reaches such a number), and how many
of those were kept again at the end of a later epoch, or at the end of the run: what a rule of so
much patience would have removed too early. README.md explains how to read it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayespress import data, recipes
from bayespress.compression import aggregate_live
from bayespress.config import Config
from bayespress.history import EpochRecord
from bayespress.schedules import Value
from bayespress.training import RunFolder, Silent, Trainer, finish

NAMES = ("words", "dims", "neurons")
PATIENCE = (1, 2, 3, 4)
Masks = dict[str, list[NDArray[np.bool_]]]


class Watcher(Silent):
    """Remembers which structures bear on a prediction at the end of each epoch."""

    def __init__(self) -> None:
        self.trainer: Trainer | None = None
        self.kept: Masks = {name: [] for name in NAMES}

    def on_epoch_end(self, record: EpochRecord, *, is_best: bool) -> None:  # noqa: ARG002
        """Read the masks; with a run that shrinks there is nothing to remember."""
        if self.trainer is not None and record.kl_weight > 0:
            live = aggregate_live(self.trainer.net)
            for name, mask in zip(NAMES, (live.vocab, live.emb, live.hidden), strict=True):
                self.kept[name].append(mask.numpy().copy())


def returns(kept: list[NDArray[np.bool_]]) -> dict[str, dict[str, int]]:
    """Count what had been pruned for a number of epochs, and what of it was kept later."""
    counts = {}
    for patience in PATIENCE:
        removed, back, back_for_good = 0, 0, 0
        run = np.zeros(len(kept[0]), int)
        for epoch, mask in enumerate(kept):
            run = np.where(mask, 0, run + 1)
            at = run == patience
            later = np.array(kept[epoch + 1 :]).reshape(-1, len(mask))
            removed += int(at.sum())
            back += int((at & later.any(axis=0)).sum())
            back_for_good += int((at & kept[-1]).sum())
        counts[str(patience)] = {"pruned": removed, "back": back, "kept_at_end": back_for_good}
    return counts


def train(recipe: str, shrink_after: int | None, changes: dict[str, Value]) -> dict[str, object]:
    """Train once; None leaves the recipe's own patience."""
    own = {} if shrink_after is None else {"shrink_after": shrink_after}
    config = Config.from_flat(recipes.read(recipe).settings, changes, own)
    splits, watcher = data.load(config.data), Watcher()
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name) / "run")
        folder.save_config(config)
        trainer = Trainer(config, splits, folder, watcher)
        if not config.training.shrink_after:
            watcher.trainer = trainer
        trainer.fit()
        result = finish(folder, splits.test)
    best = trainer.history[trainer.progress.best_epoch - 1]
    line: dict[str, object] = {
        "recipe": recipe,
        "seed": config.training.seed,
        "embedding_size": config.model.embedding_size,
        "hidden_size": config.model.hidden_size,
        "epochs": config.training.epochs,
        "shrink_after": config.training.shrink_after,
        "best_epoch": trainer.progress.best_epoch,
        "validation_accuracy": best.validation_accuracy,
        "test_accuracy": result["test_accuracy_file"],
        "compression_ratio": result["compression_ratio"],
        "words": result["words"][0],
        "neurons": result["neurons"][0],
        "gates": result["gates"][0],
        "seconds": round(sum(record.seconds for record in trainer.history), 1),
        "seconds_by_epoch": [record.seconds for record in trainer.history],
    }
    if watcher.trainer is not None:
        line["pruned_in_a_row"] = {name: returns(kept) for name, kept in watcher.kept.items()}
    return line


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="imdb-fast", choices=recipes.names())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embedding-size", type=int, help="the recipe's by default")
    parser.add_argument("--hidden-size", type=int, help="the recipe's by default")
    parser.add_argument("--epochs", type=int, help="the recipe's by default")
    args = parser.parse_args()
    # Both runs go through all epochs: the same number of steps, whatever each has reached.
    changes: dict[str, Value] = {"seed": args.seed, "target_compression": 0.0}
    for key in ("embedding_size", "hidden_size", "epochs"):
        if getattr(args, key) is not None:
            changes[key] = getattr(args, key)
    for shrink_after in (None, 0):
        print(json.dumps(train(args.recipe, shrink_after, changes)), flush=True)


if __name__ == "__main__":
    main()
