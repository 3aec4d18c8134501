"""The text that ships with the package."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from bayespress.config import DataConfig
from bayespress.data import load, load_split
from tests.loading import load_file

FOLDER = resources.files("bayespress.data").joinpath("demo")
SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_demo.py"


@pytest.fixture(scope="module")
def demo():
    return load(DataConfig(source="demo"))


@pytest.fixture(scope="module")
def prepare():
    return load_file(SCRIPT)


def test_demo_has_the_documented_counts(demo):
    counts = {
        "train": {"negative": 4262, "positive": 4159},
        "validation": {"negative": 517, "positive": 544},
        "test": {"negative": 547, "positive": 539},
    }
    assert {split: Counter(getattr(demo, split).labels) for split in counts} == counts
    readme = FOLDER.joinpath("README.md").read_text("utf-8")
    for split, of_label in counts.items():
        numbers = [*of_label.values(), sum(of_label.values())]
        assert " | ".join([split, *(f"{number:,}" for number in numbers)]) in readme


def test_demo_is_small_and_its_bytes_are_known():
    content = FOLDER.joinpath("sentences.tsv.gz").read_bytes()
    assert len(content) < 600_000
    assert hashlib.sha256(content).hexdigest() == (
        "b2d99cc1606e64e95a33b53d271f7b91c2d55dd51c1d6960e0f640f92676f7c8"
    )


def test_demo_sentences_never_stand_in_two_splits(demo, prepare):
    for split in ("train", "validation", "test"):
        assert {prepare.split_of(text) for text in getattr(demo, split).texts} == {split}


def test_demo_text_is_clean():
    texts = load_split(DataConfig(source="demo"), "all").texts
    assert all(text == text.strip() and text.isprintable() for text in texts)
    assert not any(mark in text for text in texts for mark in ("\ufffd", "Ã", "â€"))


def test_demo_licence_ships_beside_it():
    licence = FOLDER.joinpath("LICENSE.txt").read_text("utf-8")
    assert licence.startswith("The MIT License (MIT)\n\nCopyright (c) 2016 C.J. Hutto\n")
    assert "THE SOFTWARE IS PROVIDED" in licence


def test_demo_needs_no_extra_package():
    code = (
        "import sys\n"
        "for name in ('pooch', 'requests', 'pyarrow', 'datasets', 'torch', 'safetensors'):\n"
        "    sys.modules[name] = None\n"
        "from bayespress.config import DataConfig\n"
        "from bayespress.data import load\n"
        "load(DataConfig(source='demo'))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def nested_archive(prepare, sentences):
    def packed(name, content):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    return packed(prepare.INNER_ARCHIVE, packed(prepare.SENTENCES, sentences.encode()))


def test_preparation_repeats_byte_for_byte(prepare, tmp_path, monkeypatch, capsys):
    source = '1\t2.5\tGood "fun".\r\n2\t-0.1\tBad.\r\n3\t0.0\tSo so.\r\n4\t1\t Good fun \r\n'
    sdist = tmp_path / "sdist.tar.gz"
    sdist.write_bytes(nested_archive(prepare, source))
    written = []
    for name in ("one.gz", "two.gz"):
        monkeypatch.setattr(
            sys, "argv", ["prepare_demo", str(sdist), "--output", str(tmp_path / name)]
        )
        prepare.main()
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    rows = list(prepare.sentences(source))
    assert [row[1:] for row in rows] == [
        ("positive", 'Good "fun".'),
        ("negative", "Bad."),
        ("positive", "Good fun"),
    ]
    assert rows[0][0] == rows[2][0]
    assert "positive" in capsys.readouterr().out
