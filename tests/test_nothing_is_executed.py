"""What docs/security.md promises of the code: nothing that is loaded is unpickled or evaluated."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "bayespress"
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "code",
    "yaml",
}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {
    ("torch", "load"),
    ("torch", "jit"),
    ("np", "load"),
    ("numpy", "load"),
    ("runpy", "run_path"),
}


def faults(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            yield node.func.id
        elif isinstance(node, ast.Attribute) and (name_of(node.value), node.attr) in METHODS:
            yield f"{name_of(node.value)}.{node.attr}"


def name_of(node):
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_module_can_execute_what_it_reads(file):
    assert list(faults(ast.parse(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from yaml import load",
        "eval(x)",
        "torch.load(p)",
        "np.load(p)",
        "import joblib.x",
    ],
)
def test_the_search_finds_what_it_looks_for(code):
    assert len(list(faults(ast.parse(code)))) == 1
