# ruff: noqa: RUF001 - sigmas are what this is about
"""Give every runtime one line of many megabytes, and watch answers, time and memory.

    python scripts/strange_lines.py
    python scripts/strange_lines.py --mb 10

A text of words, one of a single word, of spaces, of combining marks, of capital sigmas (whose
lowercase depends on what stands around them), of zero bytes. Each is answered by the command from
standard input, by `predict --input` from a .txt, by the exported C program and by the exported
JavaScript module in node. Answers must be those of the Python function. For each way the largest
memory of any process, from /proc, beyond what a line of one word takes is told in multiples of the
text. It must stay below a limit, in multiples of the text or of the answer, whichever is longer:
`predict --input` repeats a text, and JSON takes six bytes for a zero byte. Prints a JSON object;
the exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))
from check_runtimes import TOLD
from processes import MEGABYTE, family, highest
from strange_texts import LIMIT, built, encoder_of, network

from bayespress.compact import CompactClassifier, CompactLSTM, save
from bayespress.export.javascript import write_js
from bayespress.runtime import TextPredictor

SHAPES = {
    "words": "good bad it ",
    "one word": "x",
    "spaces": " ",
    "marks": "e\u0301\u0323",
    "sigmas": "aΣ'Σ.Σ ",
    "zero bytes": "\0",
}
MOST = 10.0
"""How many times the bytes of a text, or of its answer, a way may take."""
JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { predict } from "./model.mjs";
console.log(JSON.stringify(predict(readFileSync(0, "utf8").slice(0, -1)).probabilities));
"""


def text_of(shape: str, size: int) -> str:
    """Give a text of so many bytes and a known word at its end."""
    piece = SHAPES[shape]
    return piece * (size // len(piece.encode())) + " good"


class Ways:
    """How one model is asked."""

    def __init__(self, model: CompactClassifier, folder: Path) -> None:
        self.model, self.folder, self.answer_bytes = model, folder, 0
        file = folder / "model.bpr"
        save(model, file)
        self._predict = [sys.executable, "-m", "bayespress.cli", "predict", str(file)]
        self._commands = {"command": self._predict}
        if shutil.which("cc"):
            self._commands["C program"] = [str(built(model, folder / "c"))]
        if shutil.which("node"):
            write_js(model, folder / "model.mjs")
            (folder / "ask.mjs").write_text(JAVASCRIPT, encoding="utf-8")
            self._commands["JavaScript"] = ["node", str(folder / "ask.mjs")]

    def ask(self, source: Path) -> dict[str, tuple[list[float], float, float]]:
        """Give probabilities, seconds and megabytes of each way."""
        found = {}
        for name, command in self._commands.items():
            said, *cost = self._run(command, source)
            found[name] = (self._read(name, said), *cost)
        output = self.folder / "answers"
        files = ["--input", str(source), "--output", str(output), "--probabilities", "--force"]
        _, *cost = self._run([*self._predict, *files, "--workers", "1"], source)
        (answer,) = output.glob("*.jsonl")
        self.answer_bytes = answer.stat().st_size
        shares = json.loads(answer.read_text())["probabilities"]
        found["predict --input"] = ([shares[label] for label in self.model.labels], *cost)
        return found

    def _run(self, command: Sequence[str], source: Path) -> tuple[bytes, float, float]:
        """Run a command with a file as its standard input."""
        began, most = time.perf_counter(), 0.0
        with source.open("rb") as stream, tempfile.TemporaryFile() as out:
            process = subprocess.Popen(command, stdin=stream, stdout=out, stderr=subprocess.DEVNULL)
            while process.poll() is None:
                # The system's own figure at the end would count what this process has, too.
                most = max([most, *map(highest, family(process.pid))])
                time.sleep(0.01)
            out.seek(0)
            said = out.read()
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}")
        return said, time.perf_counter() - began, most

    def _read(self, name: str, said: bytes) -> list[float]:
        if name == "JavaScript":
            return [float(share) for share in json.loads(said)]
        if name == "command":
            shares = json.loads(said)["probabilities"]
        else:  # the program tells of the labels that have at least a half
            shares = {label: float(share) for label, share in TOLD.findall(said.decode())}
        return [shares.get(label, -1.0) for label in self.model.labels]


def measure(ways: Ways, size: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Ask in all ways for texts of all shapes; give figures, and what is wrong."""
    source = ways.folder / "line.txt"
    source.write_bytes(b"good\n")
    idle = {name: megabytes for name, (_, _, megabytes) in ways.ask(source).items()}
    lines, wrong = [], []
    for shape in SHAPES:
        text = text_of(shape, size)
        source.write_bytes(text.encode() + b"\n")
        expected = TextPredictor(ways.model).predict_proba([text])[0].tolist()
        for name, (found, seconds, megabytes) in ways.ask(source).items():
            times = max(megabytes - idle[name], 0) * MEGABYTE / size
            apart = max(
                min(abs(a - b), 2 * LIMIT if b > 0.5 else 0) if a < 0 else abs(a - b)
                for a, b in zip(found, expected, strict=True)
            )
            print(f"{shape}, {name}: {seconds:.1f} s, {megabytes:.0f} MB", file=sys.stderr)
            if not apart <= LIMIT:
                wrong.append(f"{shape}, {name}: differs by {apart:.2g}")
            answer = ways.answer_bytes if name == "predict --input" else 0
            if times * size > MOST * max(size, answer):
                wrong.append(f"{shape}, {name}: takes {times:.1f} times the text")
            lines.append({
                "text": shape, "way": name, "seconds": round(seconds, 2),
                "peak_mb": round(megabytes), "times_the_text": round(times, 2),
            })  # fmt: skip
    return lines, wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one JSON object; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb", type=float, default=100, help="megabytes of a line  [100]")
    given = parser.parse_args(arguments)
    encoder = encoder_of(["good bad it a Σ aσ aς'σ e\u0301 x"], lowercase=True, max_length=200)
    # Several labels, as the C program tells all of those that are likely.
    model = network(encoder, CompactLSTM, [[3]], "last", multi_label=True, outputs=6)
    with tempfile.TemporaryDirectory() as folder:
        lines, wrong = measure(Ways(model, Path(folder)), round(given.mb * MEGABYTE))
    for line in wrong:
        print(line, file=sys.stderr)
    print(json.dumps({"mb": given.mb, "lines": lines, "wrong": len(wrong)}), flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
