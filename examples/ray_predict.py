"""Classify a corpus with Ray Data, on one machine or on all that a Ray cluster has.

    pip install 'bayespress[ray]'
    python examples/ray_predict.py examples/models/demo.bpr 'data/*.parquet' answers/

Each actor keeps the model, whose few kilobytes travel with the task: machines need bayespress, but
no file of it. Answers are two more columns, as those of `bayespress predict --input`.
"""

from __future__ import annotations

import argparse
import glob
from pathlib import Path

import pyarrow as pa
import ray

from bayespress import compact
from bayespress.compact import CompactClassifier
from bayespress.compiler import BuildError
from bayespress.export.native import NativePredictor
from bayespress.runtime import TextPredictor
from bayespress.runtime.predictor import Predictor


class Classifier:
    """A model in an actor: prepared once, then called with one batch of rows after the other.

    Parameters
    ----------
    content
        The bytes of a model's file.
    column
        Holds the texts.
    """

    def __init__(self, content: bytes, column: str) -> None:
        self._column, self._predictor = column, ready(content)

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Add the columns `label` and `probability`."""
        texts = [text or "" for text in rows.column(self._column).to_pylist()]
        probabilities = self._predictor.predict_proba(texts)
        best = probabilities.argmax(axis=1)
        labels = pa.array(self._predictor.labels).take(pa.array(best))
        largest = probabilities.max(axis=1).astype(float).round(6)
        rows = rows.append_column("label", labels)
        return rows.append_column("probability", pa.array(largest))


def ready(content: bytes) -> Predictor:
    """Make a classifier ready: compiled where there is a compiler, else in numpy."""
    model = compact.loads(content)
    if not isinstance(model, CompactClassifier):
        raise TypeError("a language model names no classes")
    try:
        return NativePredictor(model)
    except BuildError:
        return TextPredictor(model)


def main() -> None:
    """Read Parquet files, classify their rows, write Parquet files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path, help="a classifier's file")
    parser.add_argument("input", help="Parquet files, or a pattern in quotation marks")
    parser.add_argument("output", type=Path, help="folder of the answers")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--actors", type=int, default=2, help="models at work at the same time")
    said = parser.parse_args()
    files = [str(Path(name).resolve()) for name in sorted(glob.glob(said.input))]  # noqa: PTH207
    answers = ray.data.read_parquet(files).map_batches(
        Classifier,
        fn_constructor_args=(said.model.read_bytes(), said.text_column),
        batch_format="pyarrow",
        batch_size=4096,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=said.actors),
        num_cpus=0.5,  # actors that asked for whole processors could leave none to reading
    )
    answers.write_parquet(str(said.output.resolve()))
    print(f"answers to {len(files)} files are in {said.output}")


if __name__ == "__main__":
    main()
