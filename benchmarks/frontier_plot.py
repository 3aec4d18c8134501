"""The points of frontier.py as an SVG: accuracy against bytes and against words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from frontier_task import Point, frontier
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

STYLES = {
    "bayespress": ("o", "#b2182b"),
    "LSTM, magnitude pruning": ("s", "#2166ac"),
    "dense LSTM": ("D", "#67a9cf"),
    "L1": ("^", "#a6a6a6"),
    "L1, refitted": ("v", "#1b7837"),
    "TF-IDF": ("P", "#e08214"),
    "fastText": ("X", "#762a83"),
}
"""Marks and colours: methods differ in both."""
COSTS = {"bytes": "bytes of the file", "words": "words that it knows"}


def plot(points: Sequence[Point], file: Path) -> None:
    """Draw all points, and lines through those that validation data choose.

    Parameters
    ----------
    points
        Of one source.
    file
        Where to; the same points give the same file.
    """
    mpl.rcParams["svg.hashsalt"] = "bayespress"
    figure, panels = plt.subplots(1, 2, figsize=(12, 6.2), sharey=True, layout="constrained")
    lowest = _lowest(points)
    for axes, (cost, label) in zip(panels, COSTS.items(), strict=True):
        for method in STYLES:
            for tokens in dict.fromkeys(point.tokens_read for point in points):
                own = [p for p in points if (p.method, p.tokens_read) == (method, tokens)]
                if own:
                    _draw(axes, own, cost, is_whole=tokens == "whole")
        axes.set_xscale("log")
        shown = [getattr(p, cost) for p in points if 100 * p.test_accuracy >= lowest]
        axes.set_xlim(0.8 * min(shown), 1.25 * max(shown))
        axes.set_xlabel(f"{label} (logarithmic)")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("test accuracy, %")
    panels[0].set_ylim(bottom=lowest)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    figure.suptitle(
        f"{points[0].source}: every mark is a classifier; lines join those that validation data "
        "choose",
        fontsize=11,
    )
    figure.savefig(file, metadata={"Date": None})


def _draw(axes: Axes, own: Sequence[Point], cost: str, *, is_whole: bool) -> None:
    """Draw a method's points: filled with a full line, or hollow and dashed for whole texts."""
    marker, colour = STYLES[own[0].method]
    face = "none" if is_whole else colour
    chosen = frontier(own, cost)
    tokens = "whole texts" if is_whole else f"first {own[0].tokens_read} tokens"
    look = {"marker": marker, "color": colour, "markerfacecolor": face}
    axes.plot(*_places(own, cost), ls="", ms=3, alpha=0.35, **look)
    label = f"{own[0].method}, {tokens}"
    axes.plot(
        *_places(chosen, cost), ls="--" if is_whole else "-", ms=5, lw=1.1, label=label, **look
    )


def _places(points: Sequence[Point], cost: str) -> tuple[list[float], list[float]]:
    return [getattr(p, cost) for p in points], [100 * p.test_accuracy for p in points]


def _lowest(points: Sequence[Point]) -> float:
    """Give where the plot begins: what is far below the best would press the rest together."""
    accuracies = [100 * point.test_accuracy for point in points]
    return max(min(accuracies), max(accuracies) - 20) - 0.5
