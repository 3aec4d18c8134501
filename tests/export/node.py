"""One node process that runs exported modules for all tests: starting it takes longer."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bayespress.export.javascript import write_js

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


class Node:
    """A running node, and the folder of the modules that it has loaded."""

    def __init__(self, folder: Path):
        self._folder, self._numbers = folder, itertools.count()
        self._process = subprocess.Popen(
            [NODE, Path(__file__).with_suffix(".mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def answers(self, model, calls, brief=False):
        """Export a model; give what its functions return, or ``{"error": …}``, for each call."""
        path = self._folder / f"{next(self._numbers)}.mjs"
        write_js(model, path)
        # JSON of ASCII alone: texts may hold halves of characters.
        question = {"module": path.as_uri(), "calls": calls, "brief": brief}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answers = json.loads(self._process.stdout.readline())
        assert isinstance(answers, list), answers["broken"]
        return [answer.get("value", answer) for answer in answers]

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)
