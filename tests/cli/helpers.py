"""The command line, called in this process, and sources that are quick to train on."""

import contextlib
import csv
import io
import json
import random
import sys
from dataclasses import dataclass
from unittest import mock

from bayespress.cli import main

TINY = [
    *("--embedding-size", "6", "--hidden-size", "5", "--batch-size", "16"),
    *("--min-documents", "1", "--max-length", "12", "--learning-rate", "0.02"),
]
TINY_LANGUAGE = [
    *("--task", "lm", "--hidden-size", "8", "--batch-size", "4", "--segment-length", "9"),
    *("--min-documents", "1", "--learning-rate", "0.02"),
]
NOISE = ["a", "the", "film", "plot", "of", "and", "it"]


@dataclass
class Done:
    code: int
    out: str
    err: str


def call(*arguments, stdin=b""):
    """Call the program as a shell would."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with (
        mock.patch.object(sys, "argv", ["bayespress", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Done(code, *(stream_text(stream) for stream in (out, err)))


def stream_text(stream):
    stream.flush()
    return stream.buffer.getvalue().decode()


def worked(*arguments, stdin=b""):
    """Call the program; it must succeed and not complain. Returns what it printed."""
    done = call(*arguments, stdin=stdin)
    assert (done.code, done.err) == (0, ""), done
    return done.out


def refused(*arguments, stdin=b""):
    """Call the program; it must refuse with one line on standard error. Returns the line."""
    done = call(*arguments, stdin=stdin)
    assert done.code == 2, done
    assert done.err.startswith("error: "), done.err
    assert done.err.count("\n") == 1, done.err
    return done.err.rstrip("\n")


def answers(*arguments, stdin=b""):
    """Predict, and read the answers."""
    return [json.loads(line) for line in worked("predict", *arguments, stdin=stdin).splitlines()]


def rows(count=120, labels=("bad", "good")):
    """Texts of random words, one of which is the label."""
    source = random.Random(1)
    made = []
    for number in range(count):
        label = labels[number % len(labels)]
        words = source.choices(NOISE, k=source.randint(1, 8))
        words.insert(source.randint(0, len(words)), label)
        made.append((" ".join(words), label))
    source.shuffle(made)
    return made


def write_csv(path, made, header=("text", "label"), delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *made])
    return path


def write_jsonl(path, made):
    lines = [json.dumps({"text": text, "label": label}) for text, label in made]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def write_folder(path, made):
    for number, (text, label) in enumerate(made):
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / label / f"{number}.txt").write_text(text, encoding="utf-8")
    return path
