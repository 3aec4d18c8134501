"""Models as C, given any bytes as text: no fault that a sanitizer knows, and what must hold holds.

The same harness is fuzzed by clang's libFuzzer, and replays a corpus with any compiler.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from scripts import fuzz_files
from scripts.fuzz import libfuzzer
from scripts.fuzz.models import EXAMPLES

from bayespress.compact import CompactClassifier, CompactGRU, CompactModel, load, loads
from bayespress.export.c import library_files, token_bytes
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.runtime.predictor import softmax
from bayespress.text import TextEncoder, Tokenizer, Vocabulary

SOURCE = Path(__file__).parent
LONGEST = 200
TOLERANCE = 1e-5
PIECES = (
    "good", "bad", "it's", "don’t", "'", "’", "\n", "\r\n", " ", "\t", "\0", ".", "½", "İ",
    "I\u0307", "ΟΔΟΣ", "Σ", "aΣ", "Σa", "σοφός", "ς", "ß", "ẞ", "ŉ", "ǅ", "\u0345", "\u0307",
    "\u200d", "\u00ad", "naïve", "e\u0301", "日本", "٣", "🎬", "\u1680", "\u2028", "\x85", "\xa0",
    "<unk>", "<eos>", "_", "a_1",
)  # fmt: skip
HALVES = (
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc2", b"\xe2\x82", b"\xe0\x80\x80", b"\xed\xa0\x80",
    b"\xf0\x9f", b"\xf4\x90\x80\x80", b"\xff", b"\xfe", b"\xef\xbb\xbf",
)  # fmt: skip
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_HEADERS = ("math", "stdint", "stdio", "stdlib", "string")
_STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-g")


def demo() -> CompactModel:
    """Give the example model: one LSTM, lowercase, a single output."""
    return load(EXAMPLES / "demo.bpr")


def network() -> CompactModel:
    """Give two layers of GRU cells that read both ways."""
    model = next(model for seed in range(1000) if _is_full(model := _gru(seed)))
    words = [piece.lower() for piece in PIECES if re.fullmatch(r"\w+", piece)]
    count = len(model.embedding)
    known = dict.fromkeys([*words, *(f"word{number}" for number in range(count))])
    rows = {word: row for row, word in enumerate([*known][:count], 1)}
    vocabulary = Vocabulary(MappingProxyType(rows), count + 1)
    return replace(model, encoder=TextEncoder(Tokenizer(True), vocabulary, 50))


def _gru(seed: int) -> CompactClassifier:
    return fuzz_files.random_network(np.random.default_rng(seed), CompactGRU, [[5, 4], [3, 4]])


def _is_full(model: CompactClassifier) -> bool:
    """Tell whether something is left of every part."""
    cells = [cell for layer in model.layers for cell in layer]
    has_weights = all(cell.weight_ih.any() and cell.weight_hh.any() for cell in cells)
    return has_weights and min(model.embedding.shape) > 3 and len(model.labels) > 2


def language(level: str) -> CompactModel:
    """Give a language model of a level, lowercase."""
    models = (loads(data) for data in fuzz_files.random_language_models(200, 3))
    return next(
        model
        for model in models
        if model.encoder.level == level
        and model.encoder.lowercase
        and model.encoder.tokenizer == "words"
        and model.lstm.hidden_size > 3
        and len(model.inputs) > 3
    )


NETWORKS: Mapping[str, Callable[[], CompactModel]] = MappingProxyType(
    {
        "c-words": demo,
        "c-network": network,
        "c-language": lambda: language("word"),
        "c-characters": lambda: language("char"),
    }
)
"""What is exported, by the names of targets."""


@dataclass(frozen=True)
class Answers:
    """What a model in C says of texts, one a row.

    Attributes
    ----------
    codes
        What reading returns.
    valid
        Bytes of the valid part.
    shares
        Probabilities; not a number where there is no answer.
    """

    codes: np.ndarray
    valid: np.ndarray
    shares: np.ndarray


def clang() -> str | None:
    """Name a compiler that has libFuzzer."""
    return shutil.which("clang")


def words(model: CompactModel) -> list[bytes]:
    """Give what such texts consist of."""
    is_classifier = isinstance(model, CompactClassifier)
    known = [*model.encoder.vocabulary.rows][:200] if is_classifier else model.encoder.tokens
    return [*(word.encode() for word in (*PIECES, *known)), *HALVES]


def seeds(model: CompactModel) -> list[bytes]:
    """Give texts to begin with."""
    pieces = words(model)
    return [b"", *pieces, b" ".join(pieces[:40])[:LONGEST], b"good bad " * 20, b"a\nb\n\nc" * 9]


def write(model: CompactModel, folder: Path) -> list[str]:
    """Write a model and its harness; give the names of the sources."""
    is_classifier = isinstance(model, CompactClassifier)
    ways = {"model": False, "fast": True} if is_classifier else {"model": False}
    text = "".join(f"#include <{name}.h>\n" for name in _HEADERS)
    for name, fast in ways.items():
        for file, content in library_files(model, name, fast=fast).items():
            (folder / file).write_text(content, encoding="utf-8")
        text += f'#include "{name}.h"\n'
    text += f"#define SHARES {'MODEL_CLASSES' if is_classifier else 'MODEL_TOKENS'}\n"
    if is_classifier:
        text += f"#define SUMS {int(not model.multi_label)}\n"
        template = (SOURCE / "ask.c").read_text(encoding="utf-8")
        text += "".join(_ask(template, model, name, fast) for name, fast in ways.items())
    kind = "classifier" if is_classifier else "language"
    text += (SOURCE / "harness.c").read_text(encoding="utf-8")
    text += (SOURCE / f"harness_{kind}.c").read_text(encoding="utf-8")
    (folder / "harness.c").write_text(text, encoding="utf-8")
    return ["harness.c", *(f"{name}.c" for name in ways)]


def _ask(template: str, model: CompactClassifier, name: str, fast: bool) -> str:
    """Write how a classifier is asked, with exactly the memory that it asks for."""
    has_memory = token_bytes(model, fast=fast) > 0
    upper = name.upper()
    memory = f"struct {name}_token *memory = malloc(COUNT * sizeof *memory);" if has_memory else ""
    gaps = {
        "NAME": name,
        "MEMORY_OF_TEXT": memory.replace("COUNT", f"{upper}_TOKENS_OF(length)"),
        "MEMORY_OF_IDS": memory.replace("COUNT", "count"),
        "ARGUMENT": "memory, " if has_memory else "",
        "END": "free(memory);" if has_memory else "",
    }
    return re.sub(r"\$\{(\w+)\}", lambda gap: gaps[gap[1]], template)


def compiled(
    compiler: str, model: CompactModel, folder: Path, flags: Sequence[str] = SANITIZERS
) -> Path:
    """Compile a model so that it replays texts.

    Raises
    ------
    subprocess.CalledProcessError
        If the compiler fails; with its words.
    """
    sources, program = write(model, folder), folder / "replay"
    command = [compiler, *_STRICT, *flags, "-DREPLAY", "-o", str(program), *sources, "-lm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return program


def has_sanitizers(compiler: str, folder: Path) -> bool:
    """Tell whether a compiler can find faults in memory and what C leaves undefined."""
    file = folder / "empty.c"
    file.write_text("int main(void) { return 0; }\n", encoding="ascii")
    command = [compiler, *SANITIZERS, "-o", str(folder / "empty"), str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def replayed(program: Path, model: CompactModel, texts: Sequence[bytes]) -> Answers:
    """Ask a compiled model all texts, whose rules the harness checks.

    Raises
    ------
    RuntimeError
        If a text breaks a rule, or a sanitizer finds a fault.
    """
    data = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    done = subprocess.run([program], input=data, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode("utf-8", "replace")[-2000:])
    is_classifier = isinstance(model, CompactClassifier)
    size = len(model.labels if is_classifier else model.encoder.tokens)
    kind = [("code", "<i4"), ("valid", "<u8"), ("shares", "<f4", (size,))]
    rows = np.frombuffer(done.stdout, kind)
    return Answers(rows["code"], rows["valid"], rows["shares"])


def expected(model: CompactModel, texts: Sequence[bytes]) -> Answers:
    """Give what Python says of the same texts."""
    decoded = [_decoded(text) for text in texts]
    valid = [
        len(text) if end is None else end for text, (_, end) in zip(texts, decoded, strict=True)
    ]
    whole = [text for text, end in decoded if end is None]
    if isinstance(model, CompactClassifier):
        codes, shares = np.zeros(len(whole), np.int32), TextPredictor(model).predict_proba(whole)
    else:
        codes, shares = _of_language_model(model, whole)
    is_whole = np.array([end is None for _, end in decoded], bool)
    every = Answers(
        np.full(len(texts), -1, np.int32),
        np.array(valid, np.uint64),
        np.full((len(texts), shares.shape[1]), np.nan, np.float32),
    )
    every.codes[is_whole], every.shares[is_whole] = codes, shares
    return every


def _decoded(text: bytes) -> tuple[str, int | None]:
    """Decode a text, or tell where it ends to be UTF-8."""
    try:
        return text.decode(), None
    except UnicodeDecodeError as error:
        return "", error.start


def _of_language_model(model: Any, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    ready = LanguageModel(model)
    start, encoder = ready._lstm.zero_state(1), model.encoder
    has_unknown = "<unk>" in encoder.tokens
    codes = [int(bool(encoder.unknown(text)) and not has_unknown) for text in texts]
    shares = [
        softmax(ready._logits(ready._read(encoder.encode(text), start))[None]) for text in texts
    ]
    return np.array(codes, np.int32), np.concatenate([np.empty((0, len(encoder.tokens))), *shares])


def differences(model: CompactModel, answers: Answers, texts: Sequence[bytes]) -> list[str]:
    """Tell where C and Python do not say the same."""
    other = expected(model, texts)
    found = []
    for number, text in enumerate(texts):
        if answers.codes[number] != other.codes[number]:
            found.append(f"{text!r}: code {answers.codes[number]}, not {other.codes[number]}")
        if answers.valid[number] != other.valid[number]:
            found.append(f"{text!r}: valid {answers.valid[number]}, not {other.valid[number]}")
        if other.codes[number] >= 0:
            away = np.abs(answers.shares[number] - other.shares[number]).max()
            if not away <= TOLERANCE:
                found.append(f"{text!r}: probabilities differ by {away}")
    return found


def fuzz(name: str, order: libfuzzer.Order) -> dict[str, Any]:
    """Fuzz a model in C, then compare what its texts gave with Python."""
    model, compiler = NETWORKS[name](), clang()
    place = order.folder / "model"
    place.mkdir()
    sources = write(model, place)
    flags = ("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-O2", "-g")
    program = place / "fuzz"
    command = [str(compiler), *flags, "-o", str(program), *sources, "-lm"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)
    line = libfuzzer.run(name, [str(program)], seeds(model), words(model), LONGEST, order)
    texts = [file.read_bytes() for file in sorted((order.folder / "grown").iterdir())]
    if not line["finds"]:
        replay = compiled(str(compiler), model, place)
        wrong = differences(model, replayed(replay, model, texts), texts)
        line |= {"compared_with_python": len(texts), "differences": wrong[:3]}
        line["finds"] += len(wrong)
    return line
