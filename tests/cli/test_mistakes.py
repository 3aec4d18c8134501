"""Every mistake of a user is answered with one line that helps, and leaves nothing behind."""

import gzip
import re
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from bayespress.compact import file
from bayespress.training import Trainer
from tests.cli.helpers import TINY, call, refused, rows, worked, write_csv, write_jsonl

HEADER = b"text,label\n"


def snapshot(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def train_refused(tmp_path, *arguments):
    """Train, which must be refused before anything is written."""
    before = snapshot(tmp_path)
    line = refused("train", *arguments, "--output", "run")
    assert snapshot(tmp_path) == before
    return line


BAD_FILES = {
    "empty": (b"", "is empty; at least one labelled text is needed"),
    "header alone": (HEADER, "has no rows; at least one labelled text is needed"),
    "one class": (HEADER + b"x y,a\n" * 9, "every training text has the label 'a'"),
    "bytes": (HEADER + b"x,a\ny\xff,b\n", "line 3: byte 0xff at offset 16 is not UTF-8; save"),
    "no text": (HEADER + b"x,a\n   ,b\n", "line 3: the text is empty; write one or remove"),
    "no label": (HEADER + b"x,a\ny,\n", "line 3: the label is missing; write one or remove"),
    "short": (HEADER + b"x,a\ny\n", "line 3: there must be 2 fields, got 1; fill in"),
    "quote": (HEADER + b'x,a\n"y,b\n', "line 3: unexpected end of data; write a field"),
    "column": (b"review,stars\nx,a\n", "no column 'text'; it has 'review', 'stars': set text_"),
}


@pytest.mark.parametrize(("content", "rule"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_table_that_cannot_be_trained_on(tmp_path, content, rule):
    (tmp_path / "bad.csv").write_bytes(content)
    line = train_refused(tmp_path, "bad.csv", *TINY)
    assert line.startswith("error: bad.csv")
    assert rule in line


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("no.csv", "source no.csv: there is no such file or folder; check the path"),
        ("imbd", "hf:owner/name or a path; did you mean 'imdb'?"),
        ("notes.doc", "files of this ending cannot be read; supported are .csv, .tsv"),
        ("cut.csv.gz", "cut.csv.gz is not a whole gzip file"),
        ("bad.jsonl", "bad.jsonl, line 1: not valid JSON"),
    ],
)
def test_a_source_that_cannot_be_read(tmp_path, source, rule):
    (tmp_path / "notes.doc").write_text("text")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(HEADER + b"x,a\n")[:-9])
    (tmp_path / "bad.jsonl").write_text("{")
    assert rule in train_refused(tmp_path, source)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_label_that_training_lacks(tmp_path, source, split):
    write_csv(tmp_path / "more.csv", [("a film", "good"), ("the plot", "ugly")])
    line = train_refused(tmp_path, source, *TINY, f"--{split}-source", "more.csv")
    assert f"more.csv, line 3: the label 'ugly' of the {split} data does not occur" in line
    assert "which has 'bad', 'good'; add training texts of it, or remove the row" in line


def test_a_label_that_the_model_does_not_know(tmp_path, trained):
    write_csv(tmp_path / "more.csv", [("a film", "good"), ("the plot", "ugly")])
    assert refused("evaluate", trained.model, "more.csv", "--split", "all") == (
        "error: label 'ugly' was not seen in training; the model knows bad, good"
    )


@pytest.mark.parametrize(
    ("flags", "rules"),
    [
        (["--epochs", "0"], ["epochs must be at least 1, got 0"]),
        (["--epochs", "many"], ["epochs must be int, got 'many'"]),
        (["--learning-rate", "nan"], ["learning_rate must be at least 0, got nan"]),
        (["--unknown", "skip"], ["unknown must be one of zero, learned, got 'skip'"]),
        (
            ["--epochs", "x", "--validation-fraction", "2", "--kl-form", "?"],
            ["epochs must be int", "validation_fraction must be between 0 and 0.9", "kl_form must"],
        ),
        (["--epoch", "3"], ["no such option", "--epoch", "--epochs", "bayespress train --help"]),
        (["--preset", "w+x"], ["unknown preset 'w+x'; did you mean 'w+", "There are "]),
        (["LLLLLX"], ["letter 6 (output) of a classifier code takes L, N or D; got 'X'"]),
        (["LLL"], ["a classifier code has 6 letters", "got 'LLL' with 3"]),
        (["CLLLLL"], ["embedding weights cannot be constant (C)"]),
        (["LLLLLL", "--preset", "w"], ["give a code or a preset, not both: 'LLLLLL' and 'w'"]),
        (["--recipe", "imdb-fats"], ["unknown recipe 'imdb-fats'; did you mean 'imdb-fast'?"]),
        (["LLLLLL", "more"], ["a classifier has one source"]),
        (["--min-documents", "999"], ["no word occurs in 999 training texts: lower --min-docu"]),
        (["--validation-fraction", "0"], ["raise --validation-fraction (now 0)"]),
        (["--embeddings", "no.txt"], ["there is no file of word vectors at no.txt"]),
        (["--resume"], ["run holds no run (there is no config.toml in it)"]),
    ],
)
def test_a_setting_that_makes_no_sense(tmp_path, source, flags, rules):
    line = train_refused(tmp_path, source, *TINY, *flags)
    for rule in rules:
        assert rule in line


def test_no_source_at_all(tmp_path):
    assert "name a source, for instance 'bayespress train demo'" in train_refused(tmp_path)
    assert refused("train", "--resume") == "error: name the run's folder with --output"


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["trian"], "no such command 'trian'; did you mean 'train'? (see 'bayespress --help')"),
        (["hello"], "no such command 'hello' (see 'bayespress --help')"),
        (["recipes", "xy"], "no such command 'xy' (see 'bayespress recipes --help')"),
        (["recipes", "show", "x"], "unknown recipe 'x'; there are ag-news-dense"),
        (["predict"], "missing argument 'MODEL' (see 'bayespress predict --help')"),
        (["compress", "run"], "missing option '--output' (see 'bayespress compress --help')"),
        (["compress", "no", "--output", "x"], "no holds no run (there is no config.toml in it)"),
        (["inspect", "x", "--words", "-1"], "invalid value for '--words': -1 is not in the range"),
        (["evaluate", "x", "demo", "--split", "y"], "invalid value for '--split': 'y' is not one"),
        (["demo", "--seed", "x"], "seed must be int, got 'x'"),
    ],
)
def test_a_command_that_is_typed_wrong(arguments, rule):
    assert refused(*arguments).startswith(f"error: {rule}")


def test_word_vectors_of_another_size(tmp_path, source):
    (tmp_path / "v.txt").write_text("good 1 2 3\n")
    line = train_refused(tmp_path, source, *TINY, "--embeddings", "v.txt")
    assert line == "error: v.txt, line 1 has 3 dimensions, the network 6: set --embedding-size 3"


def test_word_vectors_of_right_size_are_counted(tmp_path, source):
    (tmp_path / "v.txt").write_text("good 1 2 3 4 5 6\n")
    said = worked("train", source, *TINY, "--embeddings", "v.txt", "--epochs", "1")
    assert "1 of 9 words have a pretrained vector" in said


def test_a_folder_that_is_in_use(tmp_path, source, trained):
    before = snapshot(trained.run)
    line = refused("train", source, *TINY, "--output", trained.run)
    assert line == (
        f"error: {trained.run} already holds a run: continue it with --resume, "
        "or choose another folder with --output"
    )
    assert snapshot(trained.run) == before
    (tmp_path / "run").write_text("a file")
    assert "run is not an empty folder: choose another" in train_refused(tmp_path, source)
    assert "x is a folder: give --output the name of a file" in refused(
        "compress", trained.run, "--force", "--output", (tmp_path / "x").mkdir() or "x"
    )


def test_a_name_that_is_no_unicode(tmp_path, source):
    line = refused("train", source, *TINY, "--output", "r\udcff")
    assert line.endswith("is not valid Unicode and cannot be written: change it")
    assert "run" not in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        (["--hidden-size", "9"], "hidden_size is 5 there, not 9; leave it out or start a new run"),
        (["--preset", "w"], "code is 'LLLLLL' there, not 'LCLCCL'"),
        (["demo"], "the data changed since the run in"),
        (["--epochs", "2"], "the run has 8 epochs, --epochs may only raise that"),
        (["--epochs", "x"], "epochs must be int, got 'x'"),
        (["--recipe", "imdb-w"], "--resume goes on with the run's own settings: leave --recipe"),
    ],
)
def test_a_resumed_run_keeps_its_settings(trained, flags, rule):
    before = snapshot(trained.run)
    assert rule in refused("train", "--resume", *flags, "--output", trained.run)
    assert snapshot(trained.run) == before


def test_a_run_whose_data_changed(tmp_path, source):
    worked("train", source, *TINY, "--epochs", "1", "--output", "run")
    before = snapshot(tmp_path / "run")
    write_csv(source, rows(100))
    line = refused("train", "--resume", "--epochs", "2", "--output", "run")
    assert "the data changed since the run in run began: start a new run" in line
    assert snapshot(tmp_path / "run") == before


def test_a_damaged_run(tmp_path, source):
    worked("train", source, *TINY, "--epochs", "1", "--output", "run")
    for name in ("checkpoint.safetensors", "best.safetensors"):
        path = tmp_path / "run" / name
        path.write_bytes(path.read_bytes()[:50])
    assert "checkpoint.safetensors is damaged" in refused(
        "train", "--resume", "--epochs", "2", "--output", "run"
    )
    assert "best.safetensors is damaged" in refused("compress", "run", "--output", "m.bpr")
    assert not (tmp_path / "m.bpr").exists()
    (tmp_path / "run" / "config.toml").write_text("= 3")
    assert "config.toml is not valid TOML" in refused("evaluate", "run", source)


def newer(content):
    """Rewrite a model file as a version of the future would."""
    values = list(file._PRELUDE.unpack_from(content))
    values[1] = 99
    body = file._PRELUDE.pack(*values) + content[file._PRELUDE.size : -4]
    return body + struct.pack("<I", zlib.crc32(body))


BAD_MODELS = {
    "cut": (lambda content: content[:-20], "is damaged, it should have"),
    "flipped": (
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        "is damaged, its checksum does not match: copy or download it once more",
    ),
    "empty": (lambda _: b"", "is not a bayespress model file"),
    "other": (lambda _: b"text,label\nx,a\n", "is not a bayespress model file"),
    "newer": (newer, "was written by a newer bayespress (format 99, this reads"),
}


@pytest.mark.parametrize("command", [["predict"], ["inspect"], ["evaluate", "demo"]])
@pytest.mark.parametrize(("change", "rule"), BAD_MODELS.values(), ids=BAD_MODELS)
def test_a_model_file_that_is_not_whole(tmp_path, trained, command, change, rule):
    (tmp_path / "bad.bpr").write_bytes(change(trained.model.read_bytes()))
    name, *rest = command
    assert refused(name, "bad.bpr", *rest).startswith(f"error: bad.bpr {rule}")


@pytest.mark.parametrize("command", [["predict"], ["inspect"], ["evaluate", "demo"]])
def test_a_path_without_a_model(tmp_path, source, command):
    name, *rest = command
    assert "no.bpr does not exist" in refused(name, "no.bpr", *rest)
    (tmp_path / "empty").mkdir()
    assert refused(name, "empty", *rest) == (
        "error: empty is a folder without a model: give a model file or a run's folder"
    )
    (tmp_path / "a run").mkdir()
    (tmp_path / "a run" / "config.toml").write_text("")
    line = refused(name, "a run", *rest)
    assert "continue it with 'bayespress train --resume --output 'a run''" in line
    assert "or make a file of its best epoch so far with 'bayespress compress 'a run'" in line


def test_standard_input_that_is_not_utf_8(trained):
    assert refused("predict", trained.run, stdin=b"good\nna\xefve\n") == (
        "error: standard input, line 2: byte 3 (0xef) is not UTF-8; "
        "convert it, for instance with iconv"
    )


def test_a_loss_that_is_not_finite_leaves_the_folder_free(tmp_path, source):
    with np.errstate(all="ignore"):
        line = train_refused(tmp_path, source, *TINY, "--learning-rate", "1e20", "--kl-weight=1e38")
    assert re.search(
        r"the loss is not finite in epoch 1, step \d: lower --learning-rate \(now", line
    )


def test_everything_pruned(tmp_path, source):
    line = refused(
        *("train", source, *TINY, "--output", "run"),
        *("--weight-log-sigma", "5", "--group-log-sigma", "5", "--dense-epochs", "0"),
    )
    assert line == (
        "error: everything was pruned in epoch 1: lower the learning rates, "
        "raise --kl-warmup or lower --kl-weight"
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_too_little_memory_leaves_the_folder_free(tmp_path, source, monkeypatch, error):
    def fit(_self):
        raise error

    monkeypatch.setattr(Trainer, "fit", fit)
    line = train_refused(tmp_path, source, *TINY)
    assert line.startswith("error: there is not enough memory: lower --batch-size")


def test_mistakes_of_ours_are_not_hidden(source, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda _: {}[0])
    with pytest.raises(KeyError):
        call("train", source, *TINY)


@pytest.fixture
def full_disk():
    """Let no file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_in_training_loses_nothing(tmp_path, source, full_disk):
    arguments = ("train", source, *TINY, "--epochs", "3", "--output", "run")
    full_disk(6000)  # enough for the settings and the best network, not for the checkpoint
    line = refused(*arguments)
    assert "cannot write run/checkpoint.safetensors: no space left; mend that, then" in line
    command = line.partition("continue with: bayespress ")[2]
    assert command == "train --resume --output run"
    assert not list((tmp_path / "run").glob(".*"))
    full_disk(resource.RLIM_INFINITY)
    worked(*command.split())
    worked(*arguments[:-1], "whole")
    assert (tmp_path / "run/model.bpr").read_bytes() == (tmp_path / "whole/model.bpr").read_bytes()


def test_a_full_disk_at_the_start_leaves_nothing(tmp_path, source, full_disk):
    full_disk(100)
    line = refused("train", source, *TINY, "--output", "run")
    assert "cannot write run/config.toml: no space left; free some and run the same" in line
    assert not (tmp_path / "run").exists()


def test_a_full_disk_while_a_model_is_written(tmp_path, trained, full_disk):
    full_disk(100)
    line = refused("compress", trained.run, "--output", "small.bpr")
    assert line == (
        "error: cannot write small.bpr: no space left; free some and run the same command again"
    )
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path, source):
    (tmp_path / "file").write_text("")
    line = refused("train", source, *TINY, "--output", "file/run")
    assert "Not a directory; choose another place with --output" in line


AG_NEWS = b'"1","Title","a description"\n"2","Other","another description"\n'


def test_a_download_that_stops_early(trained, tmp_path, server):
    server.offer("ag_news/train.csv", AG_NEWS)
    server.cut = 5
    done = call("train", "ag-news", "--output", "run")
    assert done.code == 2
    note, line = done.err.splitlines()
    assert note.startswith("downloading http")
    assert "error: the download of http" in line
    assert "stopped early; run the same command again" in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_download_with_a_wrong_checksum(tmp_path, server):
    server.offer("ag_news/train.csv", AG_NEWS, md5="0" * 32)
    line = call("train", "ag-news", "--output", "run").err.splitlines()[-1]
    assert "sent a file whose MD5 sum is not 000" in line
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from bayespress.cli import main
main()
"""


def call_without(modules, *arguments, text=""):
    command = [sys.executable, "-W", "error", "-c", WITHOUT, modules, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, input=text)


@pytest.mark.parametrize(
    ("module", "arguments", "purpose", "extra"),
    [
        ("torch", ["train", "demo"], "training", "train"),
        ("torch", ["demo"], "training", "train"),
        ("torch", ["recipes", "run", "imdb-fast"], "training", "train"),
        ("torch", ["compress", "run", "--output", "x"], "this command", "train"),
        ("tomli_w", ["train", "demo"], "training", "train"),
        ("pyarrow", ["evaluate", "MODEL", "x.parquet"], "reading Parquet", "train"),
        ("pooch", ["evaluate", "MODEL", "ag-news"], "downloading data", "train"),
        ("requests", ["evaluate", "MODEL", "ag-news"], "this command", "train"),
        ("datasets", ["evaluate", "MODEL", "hf:a/b"], "reading hf:a/b", "hf"),
        ("huggingface_hub", ["predict", "hf://a/b", "x"], "reading hf://a/b", "hub"),
        ("huggingface_hub", ["push", "MODEL", "a/b"], "HubModel", "hub"),
        ("onnx", ["export", "MODEL", "--to", "onnx", "--output", "x"], "writing ONNX", "onnx"),
    ],
)
def test_an_absent_extra_is_named(tmp_path, trained, module, arguments, purpose, extra):
    (tmp_path / "x.parquet").write_bytes(b"")
    arguments = [trained.model if word == "MODEL" else word for word in arguments]
    done = call_without(module, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {purpose} needs the package '{module}': pip install 'bayespress[{extra}]'\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "MODEL", "good film"],
        ["inspect", "MODEL", "--json"],
        ["evaluate", "MODEL", "SOURCE", "--json"],
        ["export", "MODEL", "--to", "js", "--output", "model.mjs", "--force"],
        ["push", "MODEL", "--output", "pushed", "--force"],
        *([name, "--help"] for name in ("demo", "train", "compress", "recipes")),
        ["recipes", "ls"],
    ],
    ids=" ".join,
)
def test_finished_models_need_no_extra(trained, arguments):
    known = {"MODEL": trained.run, "SOURCE": trained.source}
    arguments = [known.get(word, word) for word in arguments]
    done = call_without(
        "torch,safetensors,tomli_w,pooch,requests,pyarrow,datasets,huggingface_hub,onnx", *arguments
    )
    assert (done.returncode, done.stderr) == (0, "")
    if "--help" not in arguments:
        assert done.stdout == worked(*arguments)


def test_text_that_is_no_unicode_trains_nonetheless(tmp_path):
    made = [(f"{text} \ud83d", label) for text, label in rows()]
    worked("train", write_jsonl(tmp_path / "s.jsonl", made), *TINY, "--epochs", "1")
