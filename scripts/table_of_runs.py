"""Print the papers' rows beside this project's runs, as Markdown.

    python scripts/table_of_runs.py > table.md

The papers' numbers are those that the authors log for the last epoch of each row. Ours are read
from the runs in ``results``; a row without a run stays empty.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Row:
    """A row of the papers: its test figure, compression ratio, and kept words, neurons, gates."""

    name: str
    test: str
    ratio: str
    kept: str
    epochs: int
    runs: tuple[str, ...] = ()
    remark: str = ""


ROWS = (
    Row("IMDB W", "84.10 %", "1,208×", "5,054 / 9 / 20", 800, ("imdb-fast/w-seed1",)),
    Row("IMDB W+Voc", "83.28 %", "19,499×", "265 / 7 / 18", 800, ("imdb-fast/w+voc-seed1",)),
    Row("IMDB W+N", "84.01 %", "16,676×", "316 / 7 / 19", 800, ("imdb-fast/w+n-seed1",)),
    Row(
        "IMDB W+G+N", "83.87 %", "18,457×", "307 / 7 / 8", 800,
        tuple(f"imdb-fast/w+g+n-seed{seed}" for seed in (1, 2, 3)),
    ),
    Row("AG News W", "89.01 %", "350×", "5,737 / 65 / 72", 150, ("ag-news-fast/w-seed1",)),
    Row("AG News W+Voc", "89.14 %", "561×", "2,450 / 34 / 76", 150, ("ag-news-fast/w+voc-seed1",)),
    Row("AG News W+N", "88.55 %", "645×", "2,351 / 17 / 62", 150, ("ag-news-fast/w+n-seed1",)),
    Row("AG News W+G+N", "88.41 %", "640×", "2,295 / 14 / 39", 150, ("ag-news-fast/w+g+n-seed1",)),
    Row("PTB words W", "109.22", "22.1×", "9,990 / 156 / 288", 150),
    Row("PTB words W+Voc", "120.22", "19.3×", "3,164 / 209 / 513", 150, ("lm/ptb-word-LCCL",)),
    Row("PTB words W+N", "110.98", "23.5×", "9,992 / 127 / 276", 150),
    Row("PTB words W+G+N", "116.47", "24.5×", "9,972 / 117 / 201", 150, ("lm/ptb-word-LLRL",)),
    Row("PTB characters W", "1.4290", "7.89×", "50 / 431 / 1,718", 250),
    Row("PTB characters W+Voc", "1.4165", "5.96×", "46 / 510 / 2,026", 250),
    Row("PTB characters W+N", "1.4297", "10.01×", "50 / 390 / 1,560", 250),
    Row(
        "PTB characters W+G+N", "1.4250", "9.82×", "50 / 404 / 1,563", 250,
        ("lm/ptb-char-LLRL-256",), "256 neurons, not 1,000",
    ),
)  # fmt: skip
"""Figures: accuracy, perplexity, bits per character."""

HEAD = (
    "row", "authors: test", "compression", "words / neurons / gates", "epochs", "our run", "test",
    "compression_ratio", "dense_ratio", "size_ratio", "bytes", "words / neurons / gates", "epochs",
    "minutes",
)  # fmt: skip


def cells_of(folder: str, remark: str) -> list[str]:
    """Read a run's cells; none if it was not run."""
    path = RESULTS / folder
    if not (path / "result.json").exists():
        return [""] * 9
    result = json.loads((path / "result.json").read_text(encoding="utf-8"))
    lines = (path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    name = folder.rpartition("/")[2]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    return [
        f"[{name}]({folder}){f', {remark}' if remark else ''}",
        test_of(result),
        *(ratio(result[key]) for key in ("compression_ratio", "dense_ratio", "size_ratio")),
        f"{result['file_bytes']:,}",
        " / ".join(f"{result[key][0]:,}" for key in ("words", "neurons", "gates")),
        str(len(epochs)),
        f"{minutes:.0f}",
    ]


def test_of(result: dict[str, Any]) -> str:
    """Write accuracy, perplexity or bits per character of the shipped file."""
    if "test_accuracy_file" in result:
        return f"{result['test_accuracy_file']:.2%}".replace("%", " %")
    if result["level"] == "char":
        return f"{result['test_bits_per_token']:.4f}"
    return f"{result['test_perplexity']:.2f}"


def ratio(value: float) -> str:
    """Write a ratio as the papers do."""
    return f"{value:,.1f}×" if value < 100 else f"{value:,.0f}×"


def main() -> None:
    """Print the table."""
    lines = [HEAD, ["---"] * len(HEAD)]
    for row in ROWS:
        authors = [row.name, row.test, row.ratio, row.kept, str(row.epochs)]
        for number, run in enumerate(row.runs or ("",)):
            first = authors if number == 0 else [""] * len(authors)
            lines.append([*first, *(cells_of(run, row.remark) if run else [""] * 9)])
    sys.stdout.writelines(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
