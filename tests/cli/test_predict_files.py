"""``predict --input``: files in, files out, killed and resumed, refused in one line."""

import csv
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from bayespress import compact, runtime
from bayespress.bulk import cutting, memory, run, workers
from bayespress.cli import bulk as display
from bayespress.export.native import NativePredictor
from bayespress.storage import CACHE_VARIABLE
from bayespress.text.tokens import UNKNOWN
from tests.cli.helpers import call, refused, worked
from tests.compact.language_strategies import random_language_model, word_encoder

MODEL = Path(__file__).parents[2] / "examples" / "models" / "demo.bpr"
WORDS = ["dull", "a", "wonderful", "film", "cast", 'the "best"', "tedious,", "plot", "naïve\nart"]
PART = 2_000


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where the model is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _small_parts_and_no_haste(monkeypatch, cache):
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.setattr(cutting, "PART_BYTES", PART)
    monkeypatch.setattr(display, "_QUIET_SECONDS", 600)


def texts_of(count=120, seed=1):
    source = random.Random(seed)
    return [" ".join(source.choices(WORDS, k=source.randint(0, 9))) for _ in range(count)]


def write(path, texts):
    """Write a table of texts, in the way that the file's ending says."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        parquet.write_table(pa.table({"id": range(len(texts)), "text": texts}), path)
        return path
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if kind in ("csv", "tsv"):
            writer = csv.writer(file, delimiter="," if kind == "csv" else "\t")
            writer.writerows([("id", "text"), *enumerate(texts)])
        elif kind == "txt":
            file.writelines(text.replace("\n", " ") + "\n" for text in texts)
        else:
            rows = ({"id": number, "text": text} for number, text in enumerate(texts))
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def read(path):
    """Read a table of answers as objects whose values are text, as CSV has them."""
    path = Path(path)
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        rows = parquet.read_table(path).to_pylist()
    else:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            if kind in ("csv", "tsv"):
                rows = list(csv.DictReader(file, delimiter="," if kind == "csv" else "\t"))
            else:
                rows = [json.loads(line) for line in file]
    return [{key: str(value) for key, value in row.items()} for row in rows]


def predict(*inputs, output="out", flags=()):
    """Answer files by a single process, which starts sooner than two."""
    named = [word for path in inputs for word in ("--input", path)]
    return worked("predict", MODEL, *named, "--output", output, "--workers", "1", *flags)


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and memory.FOLDER not in path.parts
    }


def expected(texts):
    """What the model says of the same texts."""
    model = runtime.load_classifier(MODEL)
    best = model.predict_proba(texts).max(axis=1).tolist()
    return list(zip(model.predict(texts), best, strict=True))


NAMES = [
    *("a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.ndjson", "a.ndjson.gz"),
    *("a.parquet", "a.tsv", "lines.txt", "lines.txt.gz"),
]


def test_each_row_of_each_kind_of_file_gets_the_answer_of_its_text():
    texts = texts_of()
    for name in NAMES:
        write(f"data/{name}", texts)
    said = predict("data", flags=["--workers", "2"])
    assert said.startswith("10 files written to out: 1,200 rows in ")
    wanted = expected(texts)
    assert [*content_of("out")] == [name.replace(".txt", ".jsonl") for name in NAMES]
    for name in content_of("out"):
        rows = read(f"out/{name}")
        if name.startswith("lines"):
            assert [row["text"] for row in rows] == [text.replace("\n", " ") for text in texts]
        else:
            assert [row["id"] for row in rows] == [str(number) for number in range(120)]
            assert [row["text"] for row in rows] == texts
        assert [row["label"] for row in rows] == [label for label, _ in wanted]
        found = [float(row["probability"]) for row in rows]
        assert found == pytest.approx([probability for _, probability in wanted], abs=2e-5)


def test_names_that_the_shell_made_of_a_pattern_are_read_too():
    write("data/a.csv", texts_of())
    write("data/b.csv", texts_of(seed=2))
    predict("data/*.csv", output="quoted")
    worked("predict", MODEL, "--input", "data/a.csv", "data/b.csv", "--output", "expanded")
    assert content_of("quoted") == content_of("expanded")
    assert [*content_of("quoted")] == ["a.csv", "b.csv"]


def test_files_of_one_name_do_not_replace_one_another():
    write("x/a.csv", ["dull"])
    write("y/a.csv", ["a wonderful film"])
    predict("x/a.csv", "y/a.csv")
    assert [*content_of("out")] == ["x/a.csv", "y/a.csv"]
    assert read("out/y/a.csv")[0]["text"] == "a wonderful film"


def test_the_probability_of_each_class_and_other_names():
    write("a.csv", ["dull"])
    write("b.jsonl", ["dull"])
    predict("a.csv", "b.jsonl", flags=["--probabilities", "--prefix", "my_"])
    names = ["id", "text", "my_label", "my_probability"]
    of_classes = ["my_probability_negative", "my_probability_positive"]
    row = read("out/a.csv")[0]
    assert list(row) == [*names, *of_classes]
    line = json.loads(Path("out/b.jsonl").read_text())
    assert list(line) == [*names, "my_probabilities"]
    assert line["my_probabilities"]["negative"] == float(row["my_probability_negative"])


def test_other_columns_stay_as_they_are():
    line = '{"n": 1.10, "text": "dull", "big": 12345678901234567890, "odd": "\\ud800"}'
    Path("a.jsonl").write_text(f"{line}\n\n{line}")
    schema = pa.schema([("text", pa.large_string()), ("when", pa.timestamp("ms"))], {"k": "v"})
    parquet.write_table(pa.table([["dull"], [0]], schema=schema), "b.parquet")
    predict("a.jsonl", "b.parquet")
    lines = Path("out/a.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(line[:-1] + ', "label": "negative", "probability": ')
    found = parquet.read_schema("out/b.parquet")
    assert [*found][:2] == [*schema]
    assert found.metadata[b"k"] == b"v"


def test_a_parquet_file_of_many_row_groups_and_coded_texts():
    texts = pa.array(texts_of()).dictionary_encode()
    parquet.write_table(pa.table({"text": texts}), "a.parquet", row_group_size=7)
    predict("a.parquet")
    assert [row["text"] for row in read("out/a.parquet")] == texts_of()


def test_no_text_and_an_empty_one_get_the_answer_of_a_text_without_words():
    Path("a.jsonl").write_text('{"text": null}\n{"text": ""}\n{"text": "   "}\n')
    parquet.write_table(pa.table({"text": pa.array([None, ""], pa.string())}), "b.parquet")
    Path("c.csv").write_text('id,text\n1,\n2,""\n')
    Path("d.txt").write_text("\n\n")
    predict("a.jsonl", "b.parquet", "c.csv", "d.txt")
    ((label, probability),) = expected([""])
    for path, count in (("a.jsonl", 3), ("b.parquet", 2), ("c.csv", 2), ("d.jsonl", 2)):
        rows = read(f"out/{path}")
        assert [row["label"] for row in rows] == [label] * count
        found = [float(row["probability"]) for row in rows]
        assert found == pytest.approx([probability] * count, abs=1e-5)


def test_files_without_rows_make_files_without_rows():
    Path("a.csv").write_text("id,text\n")
    Path("b.jsonl").write_text("")
    Path("c.txt.gz").write_bytes(gzip.compress(b""))
    parquet.write_table(pa.table({"text": pa.array([], pa.string())}), "d.parquet")
    predict("a.csv", "b.jsonl", "c.txt.gz", "d.parquet")
    assert Path("out/a.csv").read_text() == "id,text,label,probability\n"
    assert Path("out/b.jsonl").read_bytes() == b""
    assert gzip.decompress(Path("out/c.jsonl.gz").read_bytes()) == b""
    assert parquet.read_schema("out/d.parquet").names == ["text", "label", "probability"]


def test_a_byte_order_mark_is_no_part_of_a_name():
    Path("a.csv").write_bytes(b"\xef\xbb\xbftext\ndull\n")
    predict("a.csv")
    assert Path("out/a.csv").read_bytes().startswith(b"text,label,probability\ndull,negative,")


def test_without_a_compiler_numpy_answers(monkeypatch):
    write("a.csv", texts_of())
    predict("a.csv", output="compiled")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    predict("a.csv", output="numpy")
    pairs = zip(read("compiled/a.csv"), read("numpy/a.csv"), strict=True)
    for one, other in pairs:
        assert float(one["probability"]) == pytest.approx(float(other["probability"]), abs=2e-5)


# What is done is not done again.


def test_what_is_done_is_skipped(monkeypatch):
    write("data/a.csv", texts_of())
    predict("data")
    before = Path("out/a.csv").stat().st_mtime_ns
    write("data/b.csv", texts_of())
    assert predict("data").endswith("rows/s; 1 done before\n")
    monkeypatch.setattr(run, "Pool", None)
    assert predict("data") == "nothing to do: all 2 done before, in out\n"
    assert Path("out/a.csv").stat().st_mtime_ns == before


def test_a_changed_input_is_read_again():
    write("a.csv", ["dull"])
    predict("a.csv")
    write("a.csv", ["a wonderful film"])
    done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert done.err == "out/a.csv is out of date: its input has changed\n"
    assert read("out/a.csv")[0]["text"] == "a wonderful film"


def test_an_answer_that_was_removed_is_written_again():
    write("a.csv", ["dull"])
    predict("a.csv")
    Path("out/a.csv").unlink()
    predict("a.csv")
    assert read("out/a.csv")[0]["label"] == "negative"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (["--prefix", "my_"], "out/a.csv was made with prefix '', now it is 'my_': choose another"),
        (["--probabilities"], "was made with probabilities False, now it is True"),
        (["--text-column", "id"], "was made with text_column 'text', now it is 'id'"),
    ],
)
def test_answers_of_other_settings_are_not_mixed(change, rule):
    write("a.csv", ["dull"])
    predict("a.csv")
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out", *change)
    assert rule in line
    assert line.endswith("--output, or add --force to make all answers anew")
    call("predict", MODEL, "--input", "a.csv", "--output", "out", "--force", *change)
    assert predict("a.csv", flags=change).startswith("nothing to do")


def test_answers_of_another_model_are_not_mixed():
    write("a.csv", ["dull"])
    predict("a.csv")
    other = MODEL.with_name("imdb.bpr")
    line = refused("predict", other, "--input", "a.csv", "--output", "out")
    assert line.startswith("error: out/a.csv was made with another model: choose another --output")
    done = call("predict", other, "--input", "a.csv", "--output", "out", "--force")
    assert (done.code, done.err) == (0, "out/a.csv is made anew\n")
    assert read("out/a.csv")[0]["label"] in ("neg", "pos")


def test_a_strangers_file_is_not_replaced():
    write("a.csv", ["dull"])
    Path("out").mkdir()
    Path("out/a.csv").write_text("mine")
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "out/a.csv exists already and is none of this command's files" in line
    assert content_of("out") == {"a.csv": b"mine"}


# Killed, and run again.

SLOW = f"""
from bayespress.bulk import cutting
from bayespress.cli import bulk, main
bulk._QUIET_SECONDS = 600
cutting.PART_BYTES = {PART}
main()
"""


def program(*inputs, output="out", workers=2):
    named = [word for path in inputs for word in ("--input", path)]
    command = [sys.executable, "-c", SLOW, "predict", str(MODEL), *named]
    return [*command, "--output", output, "--workers", str(workers)]


def parts_in(folder):
    return [*Path(folder, memory.FOLDER, "parts").rglob("0*")]


def wait_for(condition, process):
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_killed_run_goes_on_to_the_same_bytes(name):
    write(f"data/{name}", texts_of(3_000))
    write("data/b.csv", texts_of(500, seed=2))
    predict("data", output="whole")
    whole = content_of("whole")
    reused = 0
    for wanted in (1, 10, 20):
        before = set(parts_in("out"))
        with subprocess.Popen(program("data"), stderr=subprocess.DEVNULL) as process:
            wait_for(lambda known=before, n=wanted: len({*parts_in("out")} - known) >= n, process)
            process.kill()
        there = content_of("out")
        assert {key: whole[key] for key in there} == there
        reused += len(before)
    assert reused > 0
    subprocess.run(program("data", workers=3), check=True, stdout=subprocess.DEVNULL)
    assert content_of("out") == whole
    assert not parts_in("out")


def test_parts_that_are_there_are_not_answered_again(monkeypatch):
    write("a.csv", texts_of(600))
    predict("a.csv", output="whole")
    with monkeypatch.context() as patch:
        patch.setattr(workers, "join", os.kill)  # which cannot be called with a file
        call_fails("a.csv")
    assert len(parts_in("out")) > 5
    with monkeypatch.context() as patch:
        patch.setattr(workers, "answer", None)
        predict("a.csv")
    assert content_of("out") == content_of("whole")


def call_fails(*inputs):
    named = [word for path in inputs for word in ("--input", path)]
    with pytest.raises(TypeError):
        call("predict", MODEL, *named, "--output", "out", "--workers", "1")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_last_step(monkeypatch, moment):
    write("a.csv", texts_of())
    predict("a.csv", output="whole")
    replace = Path.replace

    def die(self, target):
        if self.name == "whole":
            if moment == "after":
                replace(self, target)
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert (done.code, done.err) == (130, "stopped; continue with: the same command\n")
    predict("a.csv")
    assert content_of("out") == content_of("whole")
    assert not parts_in("out")


def test_parts_of_another_model_or_of_changed_texts_are_not_taken(monkeypatch):
    write("a.csv", texts_of(600))
    with monkeypatch.context() as patch:
        patch.setattr(workers, "join", os.kill)
        call_fails("a.csv")
    assert parts_in("out")
    write("a.csv", ["a wonderful film", *texts_of(600)[1:]])
    predict("a.csv", flags=["--text-column", "id"])
    predict("a.csv", output="whole", flags=["--text-column", "id"])
    assert content_of("out") == content_of("whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(number):
    write("a.csv", texts_of(9_000))
    options = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program("a.csv"), start_new_session=True, **options) as process:
        wait_for(lambda: len(parts_in("out")) > 3, process)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (
        128 + number,
        "stopped; continue with: the same command\n",
    )
    assert content_of("out") == {}
    assert not [*Path("out").rglob("*.part")]


def processes_of(text):
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [path.parent.name] if text.encode() in path.read_bytes() else []
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_process_outlives_the_one_that_was_killed(tmp_path):
    write("a.csv", texts_of(9_000))
    mark = f"MARK={tmp_path}"
    environment = {**os.environ, "MARK": str(tmp_path)}
    with subprocess.Popen(program("a.csv"), env=environment) as process:
        wait_for(lambda: len(parts_in("out")) > 3, process)
        assert len(processes_of(mark)) >= 3
        process.kill()
    end = time.monotonic() + 20
    while processes_of(mark):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_do_not_write_to_one_folder():
    write("a.csv", texts_of(9_000))
    with subprocess.Popen(program("a.csv")) as process:
        wait_for(lambda: len(parts_in("out")) > 0, process)
        line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
        process.kill()
    assert line == (
        "error: another 'bayespress predict --output out' is at work there already: let it end, "
        "or choose another --output"
    )


def test_a_process_that_is_ended_from_outside_is_one_line(monkeypatch):
    write("a.csv", texts_of())
    monkeypatch.setattr(workers, "answer", os._exit)
    monkeypatch.setattr(run._Run, "_cut", lambda self, _: self._working.update({gone(self): print}))
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "memory ran out: lower --workers and run the same command again" in line


def gone(this):
    return this._pool.submit(os._exit, 1)


# Refused in one line, and nothing half-written.


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.csv", "id,txet\n1,x\n", "a.csv has no column 'text'; did you mean --text-column 'txet"),
        ("a.csv", "id,body\n1,x\n", "it has 'id', 'body': set --text-column to one of them"),
        ("a.csv", "", "a.csv is empty; it needs a header that names its columns"),
        ("a.csv", "text,label\nx,y\n", "a.csv has a column 'label' already: give the new columns"),
        ("a.csv", "text,n\nx,1\ny\n", "a.csv, line 3: there must be 2 fields, got 1"),
        ("a.csv", 'text,n\n"x"y,1\n', "a.csv, line 2: ',' expected after '\"'"),
        ("a.csv", b"text\nx\n\xff\n", "a.csv, line 3: byte 0xff at offset 7 is not UTF-8"),
        ("a.jsonl", '{"text": "x"}\n{\n', "a.jsonl, line 2: not valid JSON"),
        ("a.jsonl", '{"text": "x"}\n{"body": 1}\n', "a.jsonl, line 2 has no column 'text'"),
        ("a.jsonl", '{"text": 5}\n', "a.jsonl, line 1: the text must be a string, got int"),
        ("a.jsonl", '{"text": "x", "label": 1}\n', "line 1 has a column 'label' already"),
        ("a.csv.gz", b"no gzip", "a.csv.gz is not a whole gzip file"),
        ("a.txt.gz", gzip.compress(b"x\n" * 50)[:-9], "a.txt.gz is not a whole gzip file"),
        ("a.parquet", b"PAR1", "a.parquet is not a whole Parquet file"),
    ],
)
def test_what_cannot_be_read(name, content, rule):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert rule in refused("predict", MODEL, "--input", name, "--output", "out")
    assert content_of("out") == {}


def test_a_line_is_named_that_stands_far_behind():
    lines = ['{"text": "x"}'] * 900
    lines[800] = '{"text": '
    Path("a.jsonl").write_text("\n".join(lines))
    assert "a.jsonl, line 801: not v" in refused(
        "predict", MODEL, "--input", "a.jsonl", "--output", "out"
    )


def test_a_parquet_column_that_holds_no_texts():
    parquet.write_table(pa.table({"text": [1, 2]}), "a.parquet")
    line = refused("predict", MODEL, "--input", "a.parquet", "--output", "out")
    assert "the column 'text' must hold strings, it is int64: set --text-column" in line


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["--input", "a.csv"], "--input needs a folder for the answers: add --output"),
        (["--output", "out"], "--output is for the answers to files: name them with --input"),
        (["--input", "no/*.csv", "--output", "out"], "no file matches; check the pattern"),
        (["--input", "a.csv", "--output", "."], "would replace an input: choose another --output"),
        (["--input", "a.csv", "--output", "a.csv"], "cannot write a.csv: Not a directory"),
        (["--input", "a.csv", "--output", "out", "--workers", "0"], "'--workers': 0 is not in"),
    ],
)
def test_what_makes_no_sense(arguments, rule):
    write("a.csv", ["dull"])
    assert rule in refused("predict", MODEL, *arguments)
    assert content_of(".") == {"a.csv": Path("a.csv").read_bytes()}


def test_a_language_model_names_no_classes(tmp_path):
    compact.save(random_language_model(word_encoder(UNKNOWN), 4), "lm.bpr")
    write("a.csv", ["dull"])
    assert "is a language model" in refused(
        "predict", "lm.bpr", "--input", "a.csv", "--output", "out"
    )


@pytest.mark.skipif(not Path("/dev/full").exists() or shutil.which("prlimit") is None, reason="")
def test_a_full_disk_is_one_line_and_the_same_command_goes_on():
    write("a.csv", texts_of(3_000))
    predict("a.csv", output="whole")
    size = Path("whole/a.csv").stat().st_size
    limited = ["prlimit", f"--fsize={size // 2}", *program("a.csv")]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write out/.bayespress/parts/a.csv/whole: no space")
    assert done.stderr.endswith("mend that, then continue with: the same command\n")
    assert content_of("out") == {}
    predict("a.csv")
    assert content_of("out") == content_of("whole")


def test_a_file_that_changes_while_it_is_read(monkeypatch):
    path = write("a.csv", texts_of())
    cut = run._Run._cut

    def cut_and_change(self, this):
        cut(self, this)
        path.write_text("text\nother\n")

    monkeypatch.setattr(run._Run, "_cut", cut_and_change)
    line = refused("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert "a.csv changed while it was read: run the same command again" in line
    assert content_of("out") == {}


def test_progress_is_told_where_nobody_watches(monkeypatch):
    monkeypatch.setattr(display, "_QUIET_SECONDS", 0)
    write("a.csv", texts_of())
    done = call("predict", MODEL, "--input", "a.csv", "--output", "out")
    assert " rows/s, " in done.err
    assert done.err.endswith(" remaining\n")


def test_the_compiled_predictor_is_used(monkeypatch):
    made = []
    original = NativePredictor.__init__

    def note(self, model):
        made.append(model)
        original(self, model)

    monkeypatch.setattr(NativePredictor, "__init__", note)
    assert workers.can_compile(runtime.load_classifier(MODEL).model) == bool(shutil.which("cc"))
    assert made
