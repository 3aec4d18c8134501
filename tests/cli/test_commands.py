"""The command line as a user meets it: what works, and one clear line for what does not."""

import io
import json
import subprocess
import sys
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from bayespress.cli import COMMANDS, main

TINY = [
    *("--embedding-size", "4", "--hidden-size", "3", "--batch-size", "16", "--epochs", "3"),
    *("--min-documents", "1", "--learning-rate", "0.02", "--kl-warmup", "1"),
]
NOISE = ["a", "the", "film", "plot", "of", "étude"]


def run(capsys, monkeypatch, *arguments, stdin=b""):
    """Call the command line; return its exit code, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["bayespress", *map(str, arguments)])
    text = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", text)
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    captured = capsys.readouterr()
    return SimpleNamespace(code=code, out=captured.out, err=captured.err)


@pytest.fixture
def call(capsys, monkeypatch):
    return lambda *arguments, stdin=b"": run(capsys, monkeypatch, *arguments, stdin=stdin)


def rows(count, labels=("bad", "gut")):
    random = np.random.default_rng(1)
    for _ in range(count):
        label = labels[int(random.integers(len(labels)))]
        yield " ".join([*random.choice(NOISE, size=4), label, *random.choice(NOISE, size=2)]), label


def write_csv(path, lines, header="text,label"):
    path.write_text(header + "\n" + "".join(f"{t},{label}\n" for t, label in lines))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run on a CSV file: the file and the run's folder."""
    folder = tmp_path_factory.mktemp("cli")
    source = write_csv(folder / "reviews.csv", rows(200))
    command = [sys.executable, "-m", "bayespress.cli", "train", str(source), *TINY]
    command += ["--output", str(folder / "run"), "--epochs", "15"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "test accuracy, shipped file" in done.stdout
    return source, folder / "run"


def test_run_folder_holds_what_is_promised(trained):
    names = {path.name for path in trained[1].iterdir()}
    assert names == {
        "config.toml",
        "history.jsonl",
        "checkpoint.safetensors",
        "best.safetensors",
        "model.bpr",
        "result.json",
    }
    result = json.loads((trained[1] / "result.json").read_text())
    assert result["test_accuracy_file"] == result["test_accuracy_masked"] > 0.9


def test_evaluate_agrees_with_the_result(call, trained):
    source, folder = trained
    answer = call("evaluate", folder, source, "--json")
    result = json.loads((folder / "result.json").read_text())
    assert json.loads(answer.out)["accuracy"] == result["test_accuracy_file"]
    assert "accuracy" in call("evaluate", folder / "model.bpr", source, "--split", "all").out


def test_predict_takes_arguments_and_lines(call, trained):
    texts = ["the film gut", "", "bad étude 😀"]
    by_argument = call("predict", trained[1], *texts).out
    by_line = call("predict", trained[1], stdin="\r\n".join(texts).encode() + b"\n").out
    assert by_argument == by_line
    answers = [json.loads(line) for line in by_line.splitlines()]
    assert [answer["label"] for answer in answers][::2] == ["gut", "bad"]
    assert all(sum(a["probabilities"].values()) == pytest.approx(1, abs=1e-5) for a in answers)


def test_compress_writes_the_same_file_and_never_over_another(call, trained, tmp_path):
    output = tmp_path / "small.bpr"
    assert "compression_ratio" in call("compress", trained[1], "--output", output).out
    assert output.read_bytes() == (trained[1] / "model.bpr").read_bytes()
    again = call("compress", trained[1], "--output", output)
    assert again.code == 2
    assert "exists already" in again.err


def test_inspect_shows_ratios_words_and_gates(call, trained):
    text = call("inspect", trained[1]).out
    for name in ("compression_ratio", "dense_ratio", "size_ratio", "kept word", "neuron"):
        assert name in text
    figures = json.loads(call("inspect", trained[1], "--json").out)
    weights = [word["weight"] for word in figures["words"]]
    assert weights == sorted(weights, reverse=True)
    assert {word["word"] for word in figures["words"]} & {"bad", "gut"}
    assert figures["file_bytes"] == (trained[1] / "model.bpr").stat().st_size


def test_recipes_are_listed_and_shown(call):
    assert "imdb-w+g+n" in call("recipes", "ls").out
    assert "[training]" in call("recipes", "show", "imdb-w+g+n").out
    assert "did you mean" in call("recipes", "show", "imdb-w+g+m").err


def test_three_classes_in_json_lines(call, tmp_path):
    source = tmp_path / "reviews.jsonl"
    lines = [{"text": t, "label": k} for t, k in rows(150, ("1", "2", "drei"))]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert call("train", source, "w+n", *TINY, "--output", tmp_path / "run").code == 0
    answer = json.loads(call("predict", tmp_path / "run", "drei").out)
    assert list(answer["probabilities"]) == ["1", "2", "drei"]


@pytest.mark.parametrize(
    "arguments",
    [[], *([name] for name in COMMANDS), *(["recipes", c] for c in ("ls", "show", "run"))],
)
def test_help_shows_an_example(call, arguments):
    answer = call(*arguments, "--help")
    assert answer.code == 0
    assert "Example:" in answer.out


def check_refused(answer, *words):
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.startswith("error: ")
    for word in words:
        assert word in answer.err


BAD_FILES = {
    "missing column": ("titel,label\na b,x\n", ("text", "titel")),
    "empty file": ("", ("empty.csv",)),
    "single class": ("text,label\n" + "a b,x\nc d,x\n" * 9, ("class",)),
    "empty text": ("text,label\na b,x\n ,y\n", ("line 3", "text is empty")),
    "missing label": ("text,label\na b,x\nc d,\n", ("line 3", "label is missing")),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_data_are_refused_in_one_line(call, tmp_path, name):
    content, words = BAD_FILES[name]
    source = tmp_path / "empty.csv"
    source.write_text(content)
    check_refused(call("train", source, "--output", tmp_path / "run"), *words)
    assert not (tmp_path / "run").exists()


def test_undecodable_bytes_are_refused_with_their_row(call, tmp_path):
    source = tmp_path / "latin.csv"
    source.write_bytes("text,label\ngut,x\nschön,y\n".encode("latin-1"))
    check_refused(call("train", source, "--output", tmp_path / "run"), "line 3", "0xf6")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothere.csv"], ["nothere.csv"]),
        (["imbd"], ["did you mean 'imdb'"]),
        (["demo", "LLXLLL"], ["letter 3", "'X'"]),
        (["demo", "CLLLLL"], ["position 1", "L, N or D"]),
        (["demo", "--preset", "w+"], ["did you mean"]),
        (["demo", "LLLLLL", "--preset", "w"], ["not both"]),
        (["demo", "--epochs", "0", "--batch-size", "-1"], ["epochs must", "batch_size must"]),
        (["demo", "--recipe", "nope"], ["nope"]),
        (["demo", "--embeddings", "nothere.txt"], ["no file of word vectors"]),
        (["--resume"], ["--output"]),
        (["--resume", "--output", "nothere"], ["holds no run"]),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    check_refused(call("train", *arguments), *words)


def test_run_is_never_overwritten(call, trained):
    source, folder = trained
    before = (folder / "checkpoint.safetensors").read_bytes()
    check_refused(call("train", source, *TINY, "--output", folder), "--resume")
    assert (folder / "checkpoint.safetensors").read_bytes() == before


def test_resume_keeps_the_runs_settings(call, trained):
    check_refused(
        call("train", "--resume", "--output", trained[1], "--hidden-size", "7"), "hidden_size is 3"
    )
    assert "finished" in call("train", "--resume", "--output", trained[1]).out


def test_label_unseen_in_training_is_refused(call, trained, tmp_path):
    source = write_csv(tmp_path / "new.csv", [("the film", "bad"), ("plot", "meh")])
    check_refused(call("evaluate", trained[1], source, "--split", "all"), "'meh'", "bad, gut")


def with_checksum(content):
    return content + zlib.crc32(content).to_bytes(4, "little")


@pytest.mark.parametrize("command", ["predict", "inspect"])
def test_bad_model_files_are_refused_in_one_line(call, trained, tmp_path, command):
    content = (trained[1] / "model.bpr").read_bytes()
    file = tmp_path / "model.bpr"
    for bad, word in (
        (content[:-9], "damaged"),
        (content[:60] + bytes([content[60] ^ 1]) + content[61:], "damaged"),
        (with_checksum(content[:8] + b"\x02" + content[9:-4]), "newer"),
        (b"text", "not a bayespress model"),
    ):
        file.write_bytes(bad)
        check_refused(call(command, file), word)
    check_refused(call(command, tmp_path / "nothere.bpr"), "does not exist")


def test_line_that_is_not_utf8_is_named(call, trained):
    answer = call("predict", trained[1], stdin=b"the film\nsch\xf6n\n")
    assert answer.code == 2
    assert "line 2" in answer.err
    assert "0xf6" in answer.err


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))
from bayespress.cli import main
sys.argv[0] = "bayespress"
main()
"""


def test_full_disk_leaves_no_torn_file(trained, tmp_path):
    command = [sys.executable, "-c", LIMITED, "compress", str(trained[1]), "--output"]
    done = subprocess.run(
        [*command, str(tmp_path / "m.bpr")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no space left" in done.stderr
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import sys
for name in {absent!r}:
    sys.modules[name] = None
from bayespress.cli import main
sys.argv[0] = "bayespress"
main()
"""


@pytest.mark.parametrize(
    ("absent", "extra"), [("torch", "train"), ("datasets", "hf"), ("pyarrow", "train")]
)
def test_absent_extra_is_named_with_the_command(tmp_path, absent, extra):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    source = {"torch": "demo", "datasets": "hf:owner/name", "pyarrow": str(tmp_path / "a.parquet")}
    command = [sys.executable, "-c", WITHOUT.format(absent=[absent]), "train", source[absent]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert f"pip install 'bayespress[{extra}]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_finished_models_need_numpy_alone(trained):
    absent = ["torch", "safetensors", "pooch", "requests", "pyarrow", "datasets", "tomli_w"]
    for arguments in (
        ["predict", str(trained[1]), "gut"],
        ["inspect", str(trained[1])],
        ["evaluate", str(trained[1]), str(trained[0])],
    ):
        command = [sys.executable, "-c", WITHOUT.format(absent=absent), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_predict_answers_before_its_input_ends_and_survives_a_closed_pipe(trained):
    command = [sys.executable, "-m", "bayespress.cli", "predict", str(trained[1])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(b"the film gut\n" * 3000)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["label"] == "gut"
        process.stdout.close()
        try:
            process.stdin.write(b"the film gut\n" * 50_000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert b"Traceback" not in process.stderr.read()


def test_loss_that_is_not_finite_is_one_line(call, trained, tmp_path):
    answer = call(
        "train", trained[0], *TINY, "--learning-rate", "1e30", "--output", tmp_path / "run"
    )
    assert answer.code == 2
    assert "the loss is not finite in epoch 1" in answer.err.splitlines()[-1]
