"""Draw the curves of runs side by side, as SVG: perplexity or accuracy, and compression.

    pip install matplotlib
    python scripts/plot_runs.py results/lm/demo-dense results/lm/demo-sparse --output figure.svg

Each run is a folder with a history.jsonl; lines differ in dashes and marks, not in colour alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator

from bayespress.history import EpochRecord, perplexity, read_history

STYLES = ("-o", "--s", ":^", "-.d")


def measure(record: EpochRecord, *, train: bool) -> float:
    """Give the figure to draw: perplexity of a language model, else accuracy in percent."""
    if record.validation_nll is not None:
        return perplexity(record.nll if train else record.validation_nll)
    accuracy = record.train_accuracy if train else record.validation_accuracy
    return 100 * (accuracy or 0.0)


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--title", default="")
    args = parser.parse_args()
    # The same file for the same runs: no date, no random names in it.
    mpl.rcParams["svg.hashsalt"] = "bayespress"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for run, style in zip(args.runs, STYLES * len(args.runs), strict=False):
        history = read_history(run / "history.jsonl")
        epochs = [record.epoch for record in history]
        (line,) = left.plot(
            epochs, [measure(r, train=False) for r in history], style, label=run.name, ms=3
        )
        left.plot(
            epochs, [measure(r, train=True) for r in history], color=line.get_color(), lw=0.8,
            ls=style.rstrip("os^d"), alpha=0.6,
        )  # fmt: skip
        right.plot(
            epochs, [r.compression_ratio for r in history], style, color=line.get_color(), ms=3
        )
    is_language = history[0].validation_nll is not None
    left.set_yscale("log" if is_language else "linear")
    left.set_ylabel("perplexity" if is_language else "accuracy, %")
    left.set_title("marked: validation, thin: training (with noise)", fontsize=9)
    left.legend()
    right.set_ylabel("compression_ratio")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.suptitle(args.title)
    figure.savefig(args.output, metadata={"Date": None})


if __name__ == "__main__":
    main()
