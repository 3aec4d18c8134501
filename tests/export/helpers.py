"""Models as C, compiled with all warnings and sanitizers, and what they answer to many texts."""

import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bayespress.compact import CompactClassifier
from bayespress.export.c import library_files, token_bytes, write_c
from tests.compact.strategies import encoder_of, random_model
from tests.export.texts import KNOWN

COMPILER = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

# Each text stands in memory of its own, exactly as long: reading beyond it is found.
DRIVER = r"""
#include "model.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static float answer[SIZE];

int main(int count, char **arguments)
{
    uint64_t length, valid;
    int32_t code;
    (void)count;
    (void)arguments;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        char *text = length > 0 ? malloc(length) : NULL;
        if (fread(text, 1, length, stdin) != length) return 2;
        BEGIN
        ASK
        END
        valid = model_check(text, length);
        free(text);
        fwrite(&code, sizeof code, 1, stdout);
        fwrite(&valid, sizeof valid, 1, stdout);
        fwrite(answer, sizeof answer, 1, stdout);
    }
    return 0;
}
"""
ASK_CLASSIFIER = """
if (count > 1)
    code = model_predict_ids((const int32_t *)text, length / sizeof(int32_t), MEMORY answer);
else
    code = model_predict(text, length, MEMORY answer);
"""
# As much memory as the header asks for, and not a byte more.
BEGIN_MEMORY = """
struct model_token *memory =
    malloc((count > 1 ? length / sizeof(int32_t) : MODEL_TOKENS_OF(length)) * sizeof *memory);
"""
END_MEMORY = "free(memory);"
ASK_LANGUAGE_MODEL = """
struct model_state state;
model_start(&state);
code = model_read(&state, text, length);
model_next(&state, answer);
"""


@dataclass
class Answers:
    codes: np.ndarray
    valid: np.ndarray
    probabilities: np.ndarray


def known_model(lowercase=True, outputs=2, hidden=4, **changes):
    words = [word for word in KNOWN if re.fullmatch(r"\w+", word)]
    encoder = encoder_of(words, lowercase=lowercase, max_length=500)
    live = [number for number in range(4 * hidden) if number % 3]
    return random_model(encoder, 3, hidden, live, outputs, **changes)


class Program:
    """A model compiled once, ready to answer."""

    def __init__(self, model, folder, flags=(*STRICT, *SANITIZERS), *, fast=False):
        files = write_c(model, Path(folder), replace=True)
        assert [file.name for file in files] == ["model.h", "model.c", "main.c", "Makefile"]
        if fast:
            for file, text in library_files(model, fast=True).items():
                (Path(folder) / file).write_text(text)
        is_classifier = isinstance(model, CompactClassifier)
        ask = ASK_CLASSIFIER if is_classifier else ASK_LANGUAGE_MODEL
        self._size = len(model.labels if is_classifier else model.encoder.tokens)
        has_memory = is_classifier and token_bytes(model) > 0
        gaps = {
            "SIZE": str(self._size),
            "ASK": ask,
            "MEMORY": "memory," if has_memory else "",
            "BEGIN": BEGIN_MEMORY if has_memory else "",
            "END": END_MEMORY if has_memory else "",
        }
        driver = re.sub("|".join(gaps), lambda gap: gaps[gap[0]], DRIVER.replace("ASK", ask))
        (Path(folder) / "driver.c").write_text(driver)
        self._program = Path(folder) / "driver"
        command(COMPILER, *flags, "-o", self._program, "driver.c", "model.c", "-lm", cwd=folder)

    def ask(self, texts, *arguments):
        """Answer texts given as bytes or strings, all in one process."""
        contents = [text.encode() if isinstance(text, str) else text for text in texts]
        data = b"".join(struct.pack("<Q", len(content)) + content for content in contents)
        done = subprocess.run(
            [self._program, *arguments], input=data, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        kind = [("code", "<i4"), ("valid", "<u8"), ("probabilities", "<f4", (self._size,))]
        rows = np.frombuffer(done.stdout, kind)
        assert len(rows) == len(contents)
        return Answers(rows["code"], rows["valid"], rows["probabilities"])

    def ask_ids(self, ids):
        """Answer texts given as ids."""
        return self.ask([np.array(text, np.int32).tobytes() for text in ids], "ids")

    def probabilities(self, texts):
        answers = self.ask(texts)
        assert not answers.codes.any()
        return answers.probabilities


def command(*words, cwd, **options):
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def first_invalid(content):
    """Where Python finds the first byte that is not UTF-8; the length if there is none."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(content)
