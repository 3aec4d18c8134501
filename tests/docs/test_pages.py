"""What the pages and the README show can be typed: code runs, commands work, flags exist."""

import ast
import contextlib
import importlib
import re
import shlex
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import torch
from torch import nn

from bayespress import compact
from bayespress.cli import cli
from bayespress.cli.options import given
from bayespress.cli.train import layered, source_and_code
from bayespress.data.downloads import DATA_VARIABLE
from bayespress.storage import CACHE_VARIABLE
from bayespress.text.tokens import UNKNOWN
from tests.cli.helpers import TINY, call, rows, worked, write_csv
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import small_model

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
ELSEWHERE = {
    "onnx.md",
    "format.md",
}  # tests/export/test_onnx.py, tests/compact/test_format_document.py
OTHER_FLAGS = {"--nproc-per-node", "--strict"}  # of torchrun and mkdocs

HAS_COMPILER = any(map(shutil.which, ("cc", "gcc", "clang")))

_BLOCK = re.compile(r"((?:^<!-- .*? -->\n)*)^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Block:
    """A fenced block, and what the comments before it say to the tests."""

    kind: str
    content: str
    marks: dict[str, str]

    @property
    def runs(self):
        return "not run" not in self.marks


def blocks(page):
    for comments, kind, content in _BLOCK.findall(page.read_text(encoding="utf-8")):
        marks = dict(re.findall(r"^<!-- ([a-z ]+): (.*?) -->$", comments, re.MULTILINE))
        yield Block(kind, content, marks)


def named(pages):
    return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in pages]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Whatever a page takes for granted; a run is made once."""
    folder = tmp_path_factory.mktemp("given")
    for name in ("demo.bpr", "imdb.bpr"):
        shutil.copy(ROOT / "examples" / "models" / name, folder)
    for name in ("reviews.csv", "held-out.csv"):
        write_csv(folder / name, rows(), header=("review", "verdict"))
    genres = [(text, f"{label};film" if "film" in text else label) for text, label in rows()]
    write_csv(folder / "films.csv", [*genres, ("so it is", "")], header=("plot", "genres"))
    (folder / "letters.txt").write_text("Dear friend, so it is.\nIt is so good.\n" * 40)
    columns = ("--text-column", "review", "--label-column", "verdict")
    worked(
        *("train", folder / "reviews.csv", *TINY, *columns, "--epochs", "3"),
        *("--output", folder / "runs/demo"),
    )
    for name, model in (
        ("reviews-LLLLLL", small_model(activation="sigmoid")),
        ("mine", random_language_model(word_encoder(UNKNOWN), 4)),
    ):
        (folder / "runs" / name).mkdir()
        compact.save(model, folder / "runs" / name / "model.bpr")
    return folder


@pytest.fixture
def place(store, tmp_path, monkeypatch):
    """An empty folder to work in, and a way to put things there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.setenv(CACHE_VARIABLE, str(store / "cache"))
    monkeypatch.setattr("bayespress.cli.bulk._QUIET_SECONDS", 600)
    for name in (DATA_VARIABLE, "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)

    def put(names):
        for name in filter(None, names.split(", ")):
            copy = shutil.copytree if (store / name).is_dir() else shutil.copy
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            copy(store / name, name)

    return put


@pytest.mark.parametrize("page", named(p for p in PAGES[:-1] if p.name not in ELSEWHERE))
def test_what_a_page_shows_works(page, place):
    names = {"__name__": page.name}
    for block in blocks(page):
        place(block.marks.get("given", ""))
        if block.kind == "python":
            run_python(block, names)
        elif block.kind == "console":
            compare_session(block.content)
        elif block.kind == "sh":
            for line in block.content.replace("\\\n", "").splitlines():
                run_line(line, block)
        else:
            assert block.kind in {"text", "js", ""}, block


def run_python(block, names):
    if block.runs:
        exec(compile(block.content, names["__name__"], "exec"), names)
    else:
        check_imports(block.content)


def check_imports(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, one.name) for one in node.names), ast.unparse(node)


def run_line(line, block):
    """Type a command; with the settings of the block's comment where it trains."""
    program, *arguments = shlex.split(line, comments=True)
    if not block.runs:
        check_line(line)
        return
    assert program == "bayespress", line
    if arguments[0] == "train" and "--resume" not in arguments:
        parsed(arguments)
        arguments += shlex.split(block.marks["with"])
    done = call(*arguments)
    complaints = [said for said in done.err.splitlines() if not said.startswith("tried ")]
    assert (done.code, complaints) == (0, []), line


def compare_session(content):
    """Compare what commands print with what is shown below them, but for the last digit."""
    for session in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        line, _, shown = session.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "bayespress"
        found = [said.rstrip() for said in worked(*arguments).rstrip().splitlines()]
        for said, wanted in zip(found, shown.rstrip().splitlines(), strict=True):
            assert alike(said, wanted), f"{said!r} is shown as {wanted!r}"


def alike(said, wanted):
    if _NUMBER.sub("#", said) != _NUMBER.sub("#", wanted):
        return False
    pairs = zip(_NUMBER.findall(said), _NUMBER.findall(wanted), strict=True)
    return all(abs(float(a) - float(b)) < 1.1 * 10 ** -len(b.partition(".")[2]) for a, b in pairs)


def check_line(line):
    """Check a command that is not run: its flags and settings, or that there is such a target."""
    words = shlex.split(line, comments=True)
    if "bayespress.cli" in words:
        words = words[words.index("bayespress.cli") :]
    if words and words[0] in {"bayespress", "bayespress.cli"}:
        parsed(words[1:])
    elif words and words[0] == "make" and len(words) == 2:
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    else:
        assert not words or words[0] in {"pip", "make", "echo"}, line


def parsed(arguments):
    """Parse as the command line does, and put the settings together."""
    command, words = cli, list(arguments)
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(click.Context(cli), name)
        assert command is not None, arguments
    params = command.make_context(name, words).params
    if name == "train" and not params["resume"]:
        said = given(params)
        source, code = source_and_code(params["sources"], said)
        code = code or params["preset"]
        said |= {"source": source} if source else {}
        layered(params["recipe"], said | ({"code": code} if code else {}))


README = PAGES[-1]


def test_commands_of_the_readme_have_flags_and_settings_that_exist():
    lines = [
        line
        for b in blocks(README)
        if b.kind in {"", "sh"}
        for line in b.content.replace("\\\n", "").splitlines()
    ]
    assert len(lines) > 20
    for line in lines:
        check_line(line)


class Tutorial(nn.Module):
    """A model that someone has."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm, self.fc = nn.Embedding(9, 2), nn.LSTM(2, 2), nn.Linear(2, 2)

    def forward(self, ids):
        return self.fc(self.lstm(self.embedding(ids.t()))[0][-1])


def test_code_of_the_readme_runs(place):
    place("runs/reviews-LLLLLL, runs/mine")
    texts, labels = zip(*rows(), strict=True)
    names = {"nll": torch.zeros(()), "kl_weight": 0.1, "num_train": 9, "model": Tutorial()}
    names |= {"texts": texts, "labels": labels, "example_ids": torch.randint(9, (2, 3))}
    codes = [block.content for block in blocks(README) if block.kind == "python"]
    assert len(codes) == 5
    for code in codes:
        if "native" not in code or HAS_COMPILER:
            with contextlib.redirect_stdout(None):
                exec(code, names)


def all_flags(command=cli):
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from all_flags(command.get_command(click.Context(command), name))


@pytest.mark.parametrize("page", named(PAGES))
def test_every_flag_that_is_mentioned_exists(page):
    text = page.read_text(encoding="utf-8")
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", re.sub(r"<!--.*?-->", "", text)))
    assert mentioned <= {*all_flags(), "--help", "--version", *OTHER_FLAGS}


def test_the_table_of_rooms_has_the_order_that_is_checked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [layer.replace("bayespress.", "").split(" | ") for layer in layers]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    shown = [re.findall(r"\w+", line) for line in lines]
    assert shown == checked


@pytest.mark.parametrize("page", ["results.md", "index.md"])
def test_figures_in_tables_stand_in_the_results(page):
    source = (ROOT / "results" / "README.md").read_text(encoding="utf-8").replace("**", "")
    cells = {
        cell.strip().strip("*")
        for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
        for cell in line.strip("|").split("|")
    }
    figures = {cell for cell in cells if re.fullmatch(r"[\d.,\u00d7%/ +]+(?:bytes|min)?", cell)} - {
        ""
    }
    assert len(figures) > 5
    assert {figure for figure in figures if figure not in source} <= {
        "73.30 %",
        "83.80 %",
        "90.96 %",
    }
