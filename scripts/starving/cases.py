"""The commands that write, what is given to them and what stands in their way."""

from __future__ import annotations

import csv
import gzip
import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from starving.program import call, environment, tree

OLD = b"what was there before\n"
_WORDS = ("a", "the", "film", "plot", "of", "and", "it")
TINY = (
    *("--embedding-size", "6", "--hidden-size", "5", "--batch-size", "16", "--min-documents", "1"),
    *("--max-length", "12", "--learning-rate", "0.02"),
)
TINY_LANGUAGE = (
    *("--task", "lm", "--hidden-size", "8", "--batch-size", "4", "--segment-length", "9"),
    *("--min-documents", "1", "--learning-rate", "0.02"),
)


@dataclass(frozen=True)
class Case:
    """A command that writes.

    Attributes
    ----------
    name
        What it is called here.
    arguments
        Its words; those that begin with ``@`` name what is given.
    before
        Makes what is there before it runs.
    goes_on
        Whether what it leaves when it is ended early is gone on with: then it may leave files.
    notes
        What else it may say on standard error, as a regular expression.
    changing
        Files whose bytes depend on the hour.
    may_go
        Files that the command takes away, since they are not true of what it does.
    every
        Which of its writes are made to fail: a database writes by the hundred.
    """

    name: str
    arguments: tuple[str, ...]
    before: Callable[[Given, Path], None] = lambda _given, _root: None
    goes_on: bool = False
    notes: str = ""
    changing: tuple[str, ...] = ()
    may_go: tuple[str, ...] = ()
    every: int = 1

    def words(self, given: Given) -> list[str]:
        """Give its words, with the paths of what is given."""
        return [str(given.folder / w[1:]) if w.startswith("@") else w for w in self.arguments]


@dataclass(frozen=True)
class Given:
    """What commands read, in a folder that is never starved, and a cache that has all kernels."""

    folder: Path
    cache: Path

    @classmethod
    def make(cls, folder: Path, seed: int) -> Given:
        """Write texts, and train the small models that commands work on."""
        given = cls(folder / "given", folder / "warm-cache")
        given.folder.mkdir(parents=True)
        _write_texts(given.folder, random.Random(seed))
        for words in (
            ("train", str(given.folder / "reviews.csv"), *TINY, "--epochs", "2", "--output", "run"),
            (
                "train",
                str(given.folder / "book.txt"),
                *TINY_LANGUAGE,
                "--epochs",
                "1",
                "--output",
                "language",
            ),
            ("predict", "run", "--input", "texts.csv", "--output", "answers"),
        ):
            done = call(words, given.folder, environment(folder / "places", given.cache))
            if done.code:
                raise SystemExit(f"what is needed cannot be made: {' '.join(words)}: {done.err}")
        return given

    @contextmanager
    def root(self, case: Case | None = None) -> Iterator[Path]:
        """Give an empty folder, with what is there before a command runs."""
        with TemporaryDirectory(prefix="starve-", dir=self.folder.parent) as name:
            root = Path(name).resolve()
            if case is not None:
                case.before(self, root)
            yield root

    def reference(self, case: Case, **env: str) -> dict[str, bytes]:
        """Run a command with all that it needs; tell what it leaves."""
        with self.root(case) as root:
            done = call(case.words(self), root, environment(root, self.cache, **env))
            if done.code:
                raise SystemExit(f"{case.name} fails with all that it needs: {done.err}")
            return without(tree(root), case)


def without(files: dict[str, bytes], case: Case) -> dict[str, bytes]:
    """Leave out the bytes of files that depend on the hour; that they are there counts."""
    return {
        name: b"" if any(name.endswith(end) for end in case.changing) else content
        for name, content in files.items()
    }


def _write_texts(folder: Path, source: random.Random) -> None:
    rows = []
    for number in range(120):
        label = ("bad", "good")[number % 2]
        words = source.choices(_WORDS, k=source.randint(1, 8))
        words.insert(source.randint(0, len(words)), label)
        rows.append((" ".join(words), label))
    source.shuffle(rows)
    with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *((k, row[0]) for k, row in enumerate(rows))])
    lines = [json.dumps({"id": k, "text": row[0]}) + "\n" for k, row in enumerate(rows)]
    with gzip.open(folder / "texts.jsonl.gz", "wt", encoding="utf-8") as packed:
        packed.writelines(lines)
    _write_parquet(folder / "texts.parquet", [row[0] for row in rows])
    (folder / "book.txt").write_text("".join(f"{row[0]} .\n" for row in rows), encoding="utf-8")


def _write_parquet(file: Path, texts: list[str]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415

    parquet.write_table(pa.table({"text": texts}), file)


def _old(*names: str) -> Callable[[Given, Path], None]:
    def before(_given: Given, root: Path) -> None:
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(OLD)

    return before


def _a_run(given: Given, root: Path) -> None:
    shutil.copytree(given.folder / "run", root / "run")


def _answers(given: Given, root: Path) -> None:
    shutil.copytree(given.folder / "answers", root / "answers")


_TRAIN = ("train", "@reviews.csv", *TINY)
_OF_FILES = ("predict", "@run", "--output", "answers", "--workers", "1")
_DONE = ("done/texts.csv.json", "done/texts.jsonl.gz.json", "done/texts.parquet.json")

CASES = (
    Case("train", (*_TRAIN, "--epochs", "2", "--output", "run"), goes_on=True),
    Case("train --resume", ("train", "--resume", "--epochs", "3", "--output", "run"),
         _a_run, goes_on=True, may_go=("run/result.json",)),
    Case("train --task lm", ("train", "@book.txt", *TINY_LANGUAGE, "--epochs", "1",
                             "--output", "run"), goes_on=True),
    Case("sweep", ("sweep", "@reviews.csv", *TINY, "--epochs", "1", "--output", "sweep",
                   "--search", "hidden_size=4,5"), goes_on=True, changing=("sweep.db",), every=11),
    Case("compress", ("compress", "@run", "--output", "small.bpr", "--force"), _old("small.bpr")),
    Case("export --to c", ("export", "@run", "--to", "c", "--output", "c", "--force"),
         _old("c/model.c", "c/main.c", "c/mine.txt")),
    Case("export --to js", ("export", "@run", "--to", "js", "--output", "m.mjs", "--force"),
         _old("m.mjs")),
    Case("export --to html", ("export", "@run", "--to", "html", "--output", "m.html", "--force"),
         _old("m.html")),
    Case("export --to onnx", ("export", "@run", "--to", "onnx", "--output", "m.onnx", "--force"),
         _old("m.onnx")),
    Case("predict csv", (*_OF_FILES, "--input", "@texts.csv"), goes_on=True, changing=_DONE),
    Case("predict jsonl.gz", (*_OF_FILES, "--input", "@texts.jsonl.gz"), goes_on=True,
         changing=_DONE, every=3),
    Case("predict parquet", (*_OF_FILES, "--input", "@texts.parquet"), goes_on=True,
         changing=_DONE, every=3),
    Case("predict --force", (*_OF_FILES, "--input", "@texts.csv", "--force", "--prefix", "p_"),
         _answers, goes_on=True, notes="is made anew",
         changing=_DONE, every=3),
    Case("report", ("report", "@run", "--output", "r.html", "--figures", "figures", "--force"),
         _old("r.html", "figures/mine.svg")),
    Case("push --output", ("push", "@run", "--output", "card", "--force"),
         _old("card/README.md", "card/mine.txt")),
)  # fmt: skip
"""Every command that writes."""
