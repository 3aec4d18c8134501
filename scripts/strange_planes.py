"""Send every code point of Unicode through the tokenizers of Python, C and JavaScript.

    python scripts/strange_planes.py
    python scripts/strange_planes.py --step 16

Each of the 1,114,112 code points stands alone, within a word, and among 500 of its neighbours. A
classifier that knows every character that may be a word, once as it is and once in lowercase, must
answer all of these texts alike in Python, C and JavaScript; of language models, the tokens are
compared themselves. Halves of surrogate pairs are left out of C, whose texts are UTF-8. Prints a
JSON object; the exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parent))
from strange_texts import LIMIT, Differences, built, network

from bayespress.compact import CompactLanguageModel, CompactLSTM
from bayespress.export.javascript import write_js
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.text import TextEncoder, TokenEncoder, Tokenizer, Vocabulary

END, AT_ONCE = 0x110000, 500
CHUNK = 20_000
PREDICT = "predict(text).probabilities"
TOKENIZE = 'tokenize(text).map(({ token }) => token).join("\\0")'
SCRIPT = """
import {{ createInterface }} from "node:readline";
import {{ {function} }} from "./{module}";
for await (const line of createInterface({{ input: process.stdin }})) {{
  const answers = JSON.parse(line).map((text) => {call});
  process.stdout.write(`${{JSON.stringify(answers)}}\\n`);
}}
"""


def texts_of(step: int) -> Iterator[list[str]]:
    """Give texts of one code point each, some thousands at once, then those of 500 neighbours."""
    codes = range(0, END, step)
    for start in range(0, len(codes), CHUNK):
        some = [chr(code) for code in codes[start : start + CHUNK]]
        yield [f"{character} x{character}y" for character in some]
    blocks = [codes[start : start + AT_ONCE] for start in range(0, len(codes), AT_ONCE)]
    for start in range(0, len(blocks), 40):
        # Backwards: a low half behind a high one would be a pair, which is another character to
        # JavaScript, and none to Python.
        yield ["".join(map(chr, reversed(block))) for block in blocks[start : start + 40]]


def classifier(*, lowercase: bool) -> Any:
    """Make a network that knows each single character that is a word, and reads all of a text."""
    tokenizer = Tokenizer(lowercase)
    words = dict.fromkeys(word for code in range(END) for word in tokenizer.words(chr(code)))
    rows = MappingProxyType({word: row for row, word in enumerate(words, 1)})
    encoder = TextEncoder(tokenizer, Vocabulary(rows, len(rows) + 1), 10_000)
    return network(encoder, CompactLSTM, [[3]], "mean")


def language_models() -> Iterator[tuple[str, CompactLanguageModel]]:
    """Make a language model of each way to find tokens."""
    for level, tokenizer in (("word", "words"), ("word", "spaces"), ("char", "words")):
        for lowercase in (False, True):
            known = ("x", "y", "'", "<unk>", "<eos>") if level == "word" else ("x", "y", "\n", "ß")
            encoder = TokenEncoder(level, tokenizer, lowercase, known)
            source = np.random.default_rng(1)
            cell = network(_NO_WORDS, CompactLSTM, [[3]], "last").layers[0][0]
            inputs = source.normal(size=(12, len(known))).astype(np.float32)
            cell = CompactLSTM(**{**vars(cell), "weight_ih": inputs})
            yield (
                f"{level} {tokenizer}{' lowercase' * lowercase}",
                CompactLanguageModel(
                    encoder=encoder,
                    inputs=np.arange(len(known)),
                    lstm=cell,
                    output_weight=source.normal(size=(len(known), 3)).astype(np.float32),
                    output_bias=np.zeros(len(known), np.float32),
                ),
            )


_NO_WORDS = TextEncoder(Tokenizer(), Vocabulary(MappingProxyType({}), 1), 9)


class Module:
    """An exported module in a process of node, which is asked for many texts at once."""

    def __init__(self, model: Any, folder: Path, call: str) -> None:
        write_js(model, folder / "model.mjs")
        function = call.partition("(")[0]
        script = SCRIPT.format(function=function, module="model.mjs", call=call)
        (folder / "ask.mjs").write_text(script, encoding="utf-8")
        self._process = subprocess.Popen(
            ["node", "ask.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, texts: Sequence[str]) -> Any:
        """Give the answers."""
        assert self._process.stdin
        assert self._process.stdout
        # JSON of ASCII alone: texts may hold halves of characters.
        self._process.stdin.write(json.dumps(texts).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def in_c(library: ctypes.CDLL, texts: Sequence[str], labels: int) -> NDArray[np.floating]:
    """Give a classifier's probabilities by the exported functions."""
    answers = np.empty((len(texts), labels), np.float32)
    for row, text in zip(answers, texts, strict=True):
        content = text.encode()
        address = row.ctypes.data_as(ctypes.c_void_p)
        if library.model_predict(content, ctypes.c_size_t(len(content)), address):
            raise SystemExit(f"C refuses {text!r}")
    return answers


def in_c_of_language(
    library: ctypes.CDLL, texts: Sequence[str], tokens: int
) -> tuple[list[int], NDArray[np.floating]]:
    """Give what C says of unknown tokens, and the probabilities of what comes next."""
    state = ctypes.create_string_buffer(4096)  # far more than two vectors of three numbers
    answers, codes = np.empty((len(texts), tokens), np.float32), []
    for row, text in zip(answers, texts, strict=True):
        content = text.encode()
        library.model_start(state)
        codes.append(library.model_read(state, content, ctypes.c_size_t(len(content))))
        library.model_next(state, row.ctypes.data_as(ctypes.c_void_p))
    return codes, answers


def check_classifier(step: int, found: Differences, *, lowercase: bool) -> None:
    """Compare the answers to all texts."""
    model = classifier(lowercase=lowercase)
    numpy = TextPredictor(model)
    what = "lowercase" if lowercase else "as it is"
    with tempfile.TemporaryDirectory() as place:
        library = _library(model, Path(place))
        module = Module(model, Path(place), PREDICT) if shutil.which("node") else None
        for texts in texts_of(step):
            names = [f"{text[:1]!r} …" for text in texts]
            expected = numpy.predict_proba(texts)
            whole = [k for k, text in enumerate(texts) if not _has_half(text)]
            if library:
                answers = in_c(library, [texts[k] for k in whole], len(model.labels))
                some = [names[k] for k in whole]
                found.near(f"C, {what}", some, answers, expected[whole], LIMIT)
            if module:
                answers = np.array(module.ask(texts))
                found.near(f"JavaScript, {what}", names, answers, expected, LIMIT)
        if module:
            module.close()


def check_language_model(
    name: str, model: CompactLanguageModel, step: int, found: Differences
) -> None:
    """Compare the tokens of all texts, and what C answers to them."""
    numpy, encoder = LanguageModel(model), model.encoder
    answers: dict[tuple[int, ...], NDArray[np.floating]] = {}
    with tempfile.TemporaryDirectory() as place:
        library = _library(model, Path(place))
        module = Module(model, Path(place), TOKENIZE) if shutil.which("node") else None
        for texts in texts_of(step):
            if module:
                wanted = ["\0".join(encoder.split(text)) for text in texts]
                for text, a, b in zip(texts, module.ask(texts), wanted, strict=True):
                    found.equal(f"JavaScript, {name}, {text[:5]!r}", a, b)
            whole = [text for text in texts if not _has_half(text)]
            if not library or not whole:
                continue
            codes, shares = in_c_of_language(library, whole, len(encoder.tokens))
            ids = [tuple(encoder.encode(text).tolist()) for text in whole]
            for one in set(ids) - set(answers):
                answers[one] = _next(numpy, one)
            expected = np.stack([answers[one] for one in ids])
            found.near(f"C, {name}", [text[:5] for text in whole], shares, expected, LIMIT)
            unknown = "<unk>" not in encoder.ids
            left_out = [int(unknown and bool(encoder.unknown(text))) for text in whole]
            found.equal(f"C, {name}: unknown", codes, left_out)
        if module:
            module.close()


def _next(model: LanguageModel, ids: Sequence[int]) -> NDArray[np.floating]:
    """Give the probabilities behind tokens; where there are none, nothing was read."""
    nothing = model.nll(np.array([*ids, 0]))[1]
    logits = model.model.output_weight @ nothing.hidden[0] + model.model.output_bias
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum())


def _library(model: Any, folder: Path) -> ctypes.CDLL | None:
    if not shutil.which("cc"):
        return None
    return ctypes.CDLL(str(built(model, folder / "library", library=True)))


def _has_half(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print one JSON object; return 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--step", type=int, default=1, help="take every so many  [1]")
    given = parser.parse_args(arguments)
    found, begin = Differences(), time.perf_counter()
    for lowercase in (False, True):
        print(f"classifier{' lowercase' * lowercase}", file=sys.stderr, flush=True)
        check_classifier(given.step, found, lowercase=lowercase)
    for name, model in language_models():
        print(f"language model {name}", file=sys.stderr, flush=True)
        check_language_model(name, model, given.step, found)
    for line in found.wrong[:100]:
        print(line, file=sys.stderr)
    figures = {
        "code_points": len(range(0, END, given.step)),
        "unicode_of_python": unicodedata.unidata_version,
        "unicode_of_node": _unicode_of_node(),
        "compared": found.compared,
        "largest_difference": found.largest,
        "wrong": len(found.wrong),
        "seconds": round(time.perf_counter() - begin, 1),
    }
    print(json.dumps(figures), flush=True)
    return int(bool(found.wrong))


def _unicode_of_node() -> str | None:
    if not shutil.which("node"):
        return None
    told = subprocess.run(
        ["node", "-p", "process.versions.unicode"], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
