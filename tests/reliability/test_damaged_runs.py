"""The files of a run's folder, damaged: every command that reads them says so in one line."""

import json
import shutil

import pytest
from scripts.fuzz.values import TELLING

from tests.cli.helpers import call, refused, worked

DEEP = b"[" * 100_000
FILES = (
    "config.toml",
    "history.jsonl",
    "result.json",
    "checkpoint.safetensors",
    "best.safetensors",
)
NO_TEXT = b"\xff\xfe\x00"


@pytest.fixture
def run(trained, tmp_path):
    """A finished run of the test's own."""
    return shutil.copytree(trained.run, tmp_path / "mine")


def commands(run, source):
    return {
        "report": ("report", run, "--output", "page.html", "--force"),
        "resume": ("train", "--resume", "--output", run),
        "compress": ("compress", run, "--output", "small.bpr"),
        "evaluate": ("evaluate", run, source),
    }


def assert_works_or_is_refused(arguments):
    done = call(*arguments)
    if done.code == 0:
        return None
    assert done.code == 2, (arguments, done)
    assert done.err.startswith("error: "), (arguments, done)
    assert done.err.count("\n") == 1, (arguments, done)
    return done.err


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", [b"", NO_TEXT, DEEP, b"{}", b"[]", b"0", b'{"a": 1e999}'])
def test_a_damaged_file_is_refused_in_one_line_by_all_that_read_it(trained, run, file, content):
    (run / file).write_bytes(content)
    said = [assert_works_or_is_refused(one) for one in commands(run, trained.source).values()]
    if content in {NO_TEXT, DEEP} and file != "checkpoint.safetensors":
        assert any(line is not None and file in line for line in said)


@pytest.mark.parametrize(("file", "command", "message"), [
    ("config.toml", "report", "config.toml is damaged (the byte at offset 0 is not UTF-8)"),
    ("config.toml", "resume", "config.toml is damaged (the byte at offset 0 is not UTF-8)"),
    ("config.toml", "compress", "config.toml is damaged (the byte at offset 0 is not UTF-8)"),
    ("history.jsonl", "report", "history.jsonl is damaged (the byte at offset 0 is not UTF-8)"),
    ("result.json", "report", "result.json is damaged (the byte at offset 0 is not UTF-8); remove"),
    ("result.json", "resume", "result.json is damaged (the byte at offset 0 is not UTF-8); remove"),
])  # fmt: skip
def test_a_file_that_is_no_text_is_named(trained, run, file, command, message):
    (run / file).write_bytes(NO_TEXT)
    assert message in refused(*commands(run, trained.source)[command])


@pytest.mark.parametrize("key", ["best_epoch", "test_texts", "words", "dense_ratio", "dense_bytes"])
@pytest.mark.parametrize("value", [value for value in TELLING if len(value) < 30])
def test_a_result_with_another_value_is_shown_or_refused(run, key, value):
    text = (run / "result.json").read_text()
    result = json.loads(text)
    (run / "result.json").write_text(json.dumps({**result, key: "MARK"}).replace('"MARK"', value))
    assert_works_or_is_refused(("train", "--resume", "--output", run))


def test_a_result_that_lacks_something_is_refused_when_it_is_shown(run):
    (run / "result.json").write_text("{}")
    message = "result.json is damaged (KeyError('best_epoch')); remove it and run the same command"
    assert message in refused("train", "--resume", "--output", run)
    (run / "result.json").unlink()
    worked("train", "--resume", "--output", run)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["best_epoch", "test_texts", "test_accuracy_file", "versions",
                                 "compression_ratio", "file_bytes", "words"])  # fmt: skip
def test_a_report_of_a_result_with_another_value_is_written_or_refused(run, key):
    text = (run / "result.json").read_text()
    result = json.loads(text)
    for value in TELLING:
        changed = json.dumps({**result, key: "MARK"}).replace('"MARK"', value)
        (run / "result.json").write_text(changed)
        assert_works_or_is_refused(("report", run, "--output", "page.html", "--force"))
