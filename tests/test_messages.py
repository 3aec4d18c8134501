"""Every error message is matched by a test: three words in a row that only this message has.

A message is a text that is raised, or that a function makes which is called where one is raised.
"""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "src" / "bayespress", ROOT / "tests"
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
RUN = 3


def trees(folder):
    for path in sorted(folder.rglob("*.py")):
        if path != Path(__file__):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def texts(node):
    """The constant texts below a node; a name between two of them parts them."""
    for below in ast.walk(node):
        if isinstance(below, ast.Constant) and isinstance(below.value, str):
            yield below.value


def runs(text):
    """All runs of three words, or the whole text if it is shorter."""
    words = WORD.findall(text.replace("\\", "").lower())
    return {tuple(words[k : k + RUN]) for k in range(max(len(words) - RUN, 0) + 1)} - {()}


def without_documentation(node):
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return [line for line in body if not isinstance(line, ast.FunctionDef | ast.ClassDef)]


@cache
def makers():
    """What functions of the package, by name, write as texts."""
    made = defaultdict(set)
    for path, tree in trees(SOURCE):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = without_documentation(node)
                made[node.name].add((path, node.lineno, tuple(t for n in lines for t in texts(n))))
    return made


def name_of(call):
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


@cache
def messages():
    """Where each message stands, and its runs of words."""
    found = {}
    for path, tree in trees(SOURCE):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Raise) or node.exc is None:
                continue
            add(found, path, node.lineno, texts(node.exc))
            for call in ast.walk(node.exc):
                if isinstance(call, ast.Call):
                    for where in makers().get(name_of(call), ()):
                        add(found, *where, least=RUN)
    return found


def add(found, path, line, parts, least=2):
    words = set().union(*map(runs, parts))
    # A single word is the name of a package, a format, a joint.
    if words := {run for run in words if len(run) >= least}:
        found[f"{path.relative_to(SOURCE).as_posix()}:{line}"] = words


@cache
def telling():
    """The runs of words that are in no other message; equal messages count as one."""
    different = set(map(frozenset, messages().values()))
    counted = Counter(run for words in different for run in words)
    return {
        where: {run for run in words if counted[run] == 1} for where, words in messages().items()
    }


@cache
def quoted():
    found = set()
    for _, tree in trees(TESTS):
        for text in texts(tree):
            found |= runs(text)
            words = WORD.findall(text.replace("\\", "").lower())
            found |= {tuple(words[k : k + 2]) for k in range(len(words) - 1)}
    return found


@pytest.mark.parametrize("where", sorted(messages()))
def test_a_message_is_matched_by_a_test(where):
    own, words = telling()[where], messages()[where]
    if own:
        assert own & quoted(), f"no test has any of {sorted(map(' '.join, own))}"
    else:  # all that it says is said elsewhere too
        assert words <= quoted(), f"no test has {sorted(map(' '.join, words))}"


def test_there_are_messages_enough_for_this_to_be_one():
    assert len(messages()) > 250
