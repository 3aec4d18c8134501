"""Accuracy against shipped bytes, and against words: our files and simpler methods'.

    BAYESPRESS_DATA=DIR python benchmarks/frontier.py imdb --run W+G+N=RUN --output imdb.jsonl

adds a JSON line for each point to the output; what is in it already is not computed again.
``--table`` prints the best of the file within several budgets as Markdown, ``--plot FILE.svg``
draws them (with matplotlib); ``--methods`` picks methods, and ``none`` none. README.md explains how
to read it.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import frontier_task
from frontier_task import Point, Task, append_point, frontier, note, read_points

from bayespress.storage import cache_folder

NEEDS = {
    "runs": "torch",
    "linear": "sklearn",
    "tfidf": "sklearn",
    "fasttext": "fasttext",
    "dense": "torch",
    "pruning": "torch",
}
BUDGETS = (1000, 1600, 2500, 5000, 20_000, None)
WORDS = (100, 300, 1000, 3000, None)
Make = Callable[[Task, argparse.Namespace], Iterator[Point]]


def _runs(task: Task, args: argparse.Namespace) -> Iterator[Point]:
    from frontier_runs import points  # noqa: PLC0415 - what a method needs may be missing

    return points(task, dict(args.run))


def _linear(task: Task, _: argparse.Namespace) -> Iterator[Point]:
    from frontier_linear import l1_points  # noqa: PLC0415

    return l1_points(task)


def _tfidf(task: Task, _: argparse.Namespace) -> Iterator[Point]:
    from frontier_linear import tfidf_points  # noqa: PLC0415

    return tfidf_points(task)


def _fasttext(task: Task, _: argparse.Namespace) -> Iterator[Point]:
    from frontier_fasttext import points  # noqa: PLC0415

    return points(task)


def _dense(task: Task, args: argparse.Namespace) -> Iterator[Point]:
    from frontier_lstm import points  # noqa: PLC0415

    return points(task, _training(task, args))


def _pruning(task: Task, args: argparse.Namespace) -> Iterator[Point]:
    from frontier_pruning import points, way_of  # noqa: PLC0415

    training = _training(task, args)
    tune = replace(
        training,
        epochs=args.tune_epochs,
        learning_rate=args.tune_rate,
        falls=True,
        decay=args.decay,
        word_dropout=0.0,
    )
    while_pruning = replace(training, epochs=args.prune_epochs, decay=args.decay)
    ways = [way_of(way, while_pruning, tune) for way in args.ways]
    return points(task, training, args.ratios, ways)


def _training(task: Task, args: argparse.Namespace) -> object:
    import torch  # noqa: PLC0415
    from frontier_lstm import Training  # noqa: PLC0415

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    return Training(
        args.dense_epochs,
        args.learning_rate,
        word_dropout=args.word_dropout,
        batch_size=task.config.training.batch_size,
        beta2=task.config.training.beta2,
    )


METHODS: dict[str, Make] = {
    "runs": _runs,
    "linear": _linear,
    "tfidf": _tfidf,
    "fasttext": _fasttext,
    "dense": _dense,
    "pruning": _pruning,
}


def compute(task: Task, args: argparse.Namespace) -> None:
    """Make what is missing."""
    for method in args.methods:
        if method == "none":
            continue
        if importlib.util.find_spec(NEEDS[method]) is None:
            note(
                f"{method} is skipped: {NEEDS[method]} is missing, pip install 'bayespress[bench]'"
            )
            continue
        for point in METHODS[method](task, args):
            append_point(args.output, point)
            note(
                f"{point.method}, {point.setting}, {point.tokens_read} tokens: "
                f"{point.words} words, {point.bytes} bytes, "
                f"{point.validation_accuracy:.4f} on validation data"
            )


def table(points: list[Point], cost: str, budgets: Sequence[int | None]) -> str:
    """Write, as Markdown, each method's best point by validation data for every budget.

    Parameters
    ----------
    points
        Of one source.
    cost
        ``bytes`` or ``words``.
    budgets
        The most that a point may cost; None for no limit.
    """
    heads = ["any" if budget is None else f"{budget:,}" for budget in budgets]
    lines = [f"| method, tokens read | {' | '.join(f'{head} {cost}' for head in heads)} |"]
    lines.append("|---" * (len(heads) + 1) + "|")
    for method, tokens in sorted({(point.method, str(point.tokens_read)) for point in points}):
        own = [p for p in points if (p.method, str(p.tokens_read)) == (method, tokens)]
        cells = [_cell(frontier(own, cost), cost, budget) for budget in budgets]
        lines.append(f"| {method}, {tokens} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(chosen: Sequence[Point], cost: str, budget: int | None) -> str:
    """Show the test accuracy of the last point within the budget, its bytes and words."""
    within = [p for p in chosen if budget is None or getattr(p, cost) <= budget]
    if not within:
        return "none"
    best = within[-1]
    return f"**{100 * best.test_accuracy:.2f} %** {best.bytes:,} B, {best.words:,} w"


def _run(text: str) -> tuple[str, Path]:
    name, mark, folder = text.partition("=")
    if not mark or not name:
        raise argparse.ArgumentTypeError(f"--run takes NAME=FOLDER, got {text!r}")
    return name, Path(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("source", help="demo, imdb, ag-news, or a file or folder of labelled texts")
    add("--run", type=_run, action="append", default=[], metavar="NAME=FOLDER")
    add("--output", type=Path, help="file of JSON lines  [SOURCE.jsonl]")
    add("--methods", nargs="+", choices=[*METHODS, "none"], default=list(METHODS))
    add("--cache", type=Path, help="keeps the dense network  [in the cache folder]")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=1, help="of torch")
    add("--dense-epochs", type=int, default=6)
    add("--learning-rate", type=float, default=2e-3, help="of the dense network, and of pruning")
    add("--word-dropout", type=float, default=0.2, help="words that are taken for unknown ones")
    add("--ratios", type=float, nargs="+", default=[20, 100, 1000, 4000, 10_000, 18_000])
    add("--ways", nargs="+", default=["global", "counts", "counts+axes"], help="to prune")
    add("--decay", type=float, default=0.1, help="of weights while they are pruned (AdamW)")
    add("--prune-epochs", type=int, default=6)
    add("--tune-epochs", type=int, default=12)
    add("--tune-rate", type=float, default=2e-3, help="learning rate after pruning, at first")
    add("--table", action="store_true", help="print a Markdown table of the frontiers")
    add("--plot", type=Path, help="draw the points as SVG")
    return parser


def main() -> None:
    """Compute, and show what is asked for."""
    args = _parser().parse_args()
    args.cache = args.cache or cache_folder() / "frontier"
    args.output = args.output or Path(f"{Path(args.source).stem}.jsonl")
    done = frozenset(point.key for point in read_points(args.output))
    if args.methods != ["none"]:
        compute(frontier_task.load_task(args.source, args.seed, args.cache, done), args)
    if args.table:
        points = read_points(args.output)
        print(table(points, "bytes", BUDGETS), table(points, "words", WORDS), sep="\n\n")
    if args.plot is not None:
        from frontier_plot import plot  # noqa: PLC0415 - needs matplotlib

        plot(read_points(args.output), args.plot)


if __name__ == "__main__":
    main()
