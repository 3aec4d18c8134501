"""Which files are meant, and where their answers go."""

from pathlib import Path

import pytest

from bayespress.bulk.inputs import find
from bayespress.errors import DataError
from bayespress.storage import StorageError


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def put(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("text\nx\n")


def names_of(*words, output="out"):
    return [item.name.as_posix() for item in find(words, Path(output))]


def test_a_pattern_is_the_same_quoted_or_expanded_by_the_shell():
    put("data/a.csv", "data/b.csv", "data/notes.md")
    assert names_of("data/*.csv") == names_of("data/a.csv", "data/b.csv") == ["a.csv", "b.csv"]
    assert names_of("data/[b].csv") == ["b.csv"]


def test_files_of_one_name_keep_the_folders_that_they_differ_by():
    put("data/2023/x.csv", "data/2024/x.csv")
    wanted = ["2023/x.csv", "2024/x.csv"]
    assert names_of("data/*/x.csv") == names_of("data/2023/x.csv", "data/2024/x.csv") == wanted
    assert names_of("data") == names_of("data/**/*.csv") == wanted
    assert names_of("data/2023", "data/2024/x.csv") == wanted


def test_a_file_that_is_named_twice_is_read_once():
    put("data/a.csv")
    assert names_of("data", "data/*.csv", "data/a.csv") == ["a.csv"]


def test_a_folder_is_searched_for_what_can_be_read():
    put("data/a.csv", "data/b.jsonl.gz", "data/.hidden.csv", "data/.git/c.csv", "data/d.doc")
    assert names_of("data") == ["a.csv", "b.jsonl.gz"]


def test_answers_below_a_folder_are_no_texts():
    put("data/a.csv", "data/out/a.csv", "data/out/.bayespress/parts/a.csv/whole.csv")
    assert names_of("data", output="data/out") == ["a.csv"]
    assert names_of("data/**/*.csv", output="data/out") == ["a.csv"]


def test_lines_of_text_are_answered_by_json_lines():
    put("a.txt", "b.TXT.gz")
    assert names_of("a.txt", "b.TXT.gz") == ["a.jsonl", "b.jsonl.gz"]


def test_a_name_with_brackets_is_a_name_if_there_is_such_a_file():
    put("a[1].csv")
    assert names_of("a[1].csv") == ["a[1].csv"]


@pytest.mark.parametrize(
    ("words", "kind", "rule"),
    [
        (["no/*.csv"], DataError, "--input no/*.csv: no file matches; check the pattern"),
        (["no.csv"], DataError, "--input no.csv: there is no such file or folder; check the path"),
        (["data/x.doc"], DataError, "files of this ending cannot be read; supported are .csv"),
        (["data/y.parquet.gz"], DataError, ".gz behind all but .parquet"),
        (["empty"], DataError, "empty holds no files that can be read: supported are .csv, .tsv"),
        (["out/a.csv"], StorageError, "would replace an input: choose another --output"),
        (["out"], StorageError, "would replace an input: choose another --output"),
        (["out/*"], StorageError, "would replace an input: choose another --output"),
        (["data/a.txt", "data/a.jsonl"], StorageError, "would both be"),
    ],
)
def test_what_cannot_be_meant(words, kind, rule):
    put("data/x.doc", "data/y.parquet.gz", "out/a.csv", "data/a.txt", "data/a.jsonl")
    Path("empty").mkdir()
    with pytest.raises(kind) as error:
        names_of(*words)
    assert rule in str(error.value)
