"""``--streaming``: the same run and the same answers as with all texts in memory."""

import json
import sys
from types import ModuleType

import pytest

from tests.cli.helpers import TINY, TINY_LANGUAGE, refused, rows, worked


class Split:
    """As much of a data set, whole or streamed, as the reader uses."""

    features = None
    column_names = ("text", "label")

    def __init__(self, made):
        self.made = made

    def __getitem__(self, name):
        return [row[self.column_names.index(name)] for row in self.made]

    def __iter__(self):
        return (dict(zip(self.column_names, row, strict=True)) for row in self.made)


@pytest.fixture(autouse=True)
def _library(monkeypatch):
    """A stand-in for the package datasets."""
    module = ModuleType("datasets")
    module.load_dataset = lambda *_, **__: {"train": Split(rows())}
    monkeypatch.setitem(sys.modules, "datasets", module)


@pytest.mark.parametrize("flags", [TINY, TINY_LANGUAGE], ids=["classifier", "language model"])
def test_a_streamed_run_is_the_same_run(tmp_path, flags):
    for name, more in (("whole", []), ("streamed", ["--streaming"])):
        worked("train", "hf:me/films", *flags, *more, "--epochs", "2", "--output", name)
    whole, streamed = (tmp_path / name for name in ("whole", "streamed"))
    assert (whole / "model.bpr").read_bytes() == (streamed / "model.bpr").read_bytes()
    assert (whole / "result.json").read_text() == (streamed / "result.json").read_text()
    assert "streaming = true" in (streamed / "config.toml").read_text()
    said = [
        json.loads(worked("evaluate", "whole", "hf:me/films", *more, "--json"))
        for more in ([], ["--streaming"])
    ]
    assert said[0] == said[1]
    worked("train", "--resume", "--output", "streamed", "--epochs", "3")


def test_there_must_be_something_to_stream(source):
    message = refused("train", source, *TINY, "--streaming")
    assert "streaming is for hf:owner/name alone" in message
