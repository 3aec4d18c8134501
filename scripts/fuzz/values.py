"""Change what JSON and TOML hold, so that readers meet values rather than broken syntax."""

from __future__ import annotations

import json
import random
from typing import Any

from scripts.fuzz.target import Change

# Text, not values: what has no Python value of its own can stand in a file too.
TELLING = (
    "null", "true", "false", "0", "1", "-1", "2", "-0.0", "1.5", "1e999", "-1e999", "NaN",
    "Infinity", "1" + "0" * 400, "9" * 5000, "9223372036854775808", '""', '"x"', '"\\ud800"',
    '"a\\nb"', "[]", "{}", "[[]]", "[1,2]", "[1]", '["a","b"]', "[-1,0]", '{"a":1}', '{"a":[1,2]}',
    "[" * 3000 + "]" * 3000, '{"a":' * 1500 + "1" + "}" * 1500,
)  # fmt: skip
_MARK = "\x00mark\x00"


def other_value(data: bytes, source: random.Random, change: Change) -> bytes:
    """Put another value somewhere into JSON, leave a member out, or change bytes."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return change(data)
    if source.random() < 0.25:
        return change(data)
    try:
        changed = json.dumps(_changed(tree, source))
    except (ValueError, RecursionError):
        return change(data)
    return changed.replace(json.dumps(_MARK), source.choice(TELLING)).encode()


def other_line(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change one line of JSON lines as :func:`other_value` does."""
    lines = data.split(b"\n")
    place = source.randrange(len(lines))
    if source.random() < 0.1:
        lines.insert(place, lines[source.randrange(len(lines))])
    else:
        lines[place] = other_value(lines[place], source, change)
    return b"\n".join(lines)


def other_setting(data: bytes, source: random.Random, change: Change) -> bytes:
    """Change the value of a line ``key = value``, or bytes."""
    lines = data.split(b"\n")
    places = [number for number, line in enumerate(lines) if b"=" in line]
    if not places or source.random() < 0.4:
        return change(data)
    place = source.choice(places)
    key, _, _ = lines[place].partition(b"=")
    lines[place] = key + b"= " + source.choice(TOML).encode()
    return b"\n".join(lines)


TOML = (
    "0", "1", "-1", "3.5", "inf", "-inf", "nan", '""', '"x"', "true", "false", "[]", "[1]", "{}",
    "{a = 1}", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "1" + "0" * 400, "9" * 5000,
    "0x" + "f" * 3700, "0b1", "1e400", '"lm"', '"classify"', '"char"', '"word"', '"gru"', "'w+g+n'",
    '"LLLLLL"', '"a\\nb"', '"\\u2028"', '"""\na\nb"""', "[" * 3000 + "]" * 3000,
    "{a=" * 1500 + "1" + "}" * 1500,
)  # fmt: skip


def _changed(tree: Any, source: random.Random) -> Any:
    """Give a tree with a mark somewhere, or without something."""
    if not isinstance(tree, (dict, list)) or not tree or source.random() < 0.15:
        return _MARK
    if isinstance(tree, list):
        place = source.randrange(len(tree))
        if source.random() < 0.1:
            return [*tree[:place], *tree[place + 1 :]]
        return [*tree[:place], _changed(tree[place], source), *tree[place + 1 :]]
    key = source.choice(list(tree))
    if source.random() < 0.1:
        return {name: value for name, value in tree.items() if name != key}
    if source.random() < 0.05:
        return {**tree, source.choice(("x", "", "format", "a\nb")): _MARK}
    return {**tree, key: _changed(tree[key], source)}
