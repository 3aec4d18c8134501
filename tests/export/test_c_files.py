"""What is written for C: no more than is needed, under any name, with an example that works."""

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import pytest

from bayespress.compact import CompactGRU, CompactLSTM
from bayespress.errors import ArtifactError, ConfigError
from bayespress.export.c import c_files, write_c
from bayespress.runtime import LanguageModel, TextPredictor
from bayespress.storage import StorageError
from bayespress.text import TokenEncoder
from tests.compact.language_strategies import (
    random_language_model,
    small_language_model,
    word_encoder,
)
from tests.compact.strategies import encoder_of, random_model, random_network, small_model
from tests.export.helpers import COMPILER, STRICT, command, known_model, needs_compiler


def known_network(kind, layers, **changes):
    encoder = encoder_of(["good", "bad", "it", "is"], lowercase=True, max_length=90)
    return random_network(encoder, kind, layers, live=0.8, outputs=2, **changes)


@needs_compiler
@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
@pytest.mark.parametrize("model", [
    known_model(), known_model(lowercase=False, activation="sigmoid"), small_language_model(),
    random_language_model(word_encoder(lowercase=True), 3),
    random_language_model(word_encoder(tokenizer="spaces"), 3, range(6)),
    known_network(CompactGRU, [[3]]), known_network(CompactLSTM, [[3], [2]], pooling="max"),
    known_network(CompactGRU, [[3, 2], [40, 2]], pooling="mean", multi_label=True),
])  # fmt: skip
def test_nothing_is_allocated_and_no_variable_is_written(tmp_path, model):
    write_c(model, tmp_path)
    command(COMPILER, *STRICT, "-O3", "-c", "model.c", cwd=tmp_path)
    rows = command("nm", "model.o", cwd=tmp_path).decode().split("\n")
    kinds = {row.split()[-1].lstrip("_"): row.split()[-2] for row in rows if row}
    outside = {name for name, kind in kinds.items() if kind == "U"}
    assert outside <= {"exp", "memcmp", "memcpy", "memset", "stack_chk_fail"}
    assert not {name for name, kind in kinds.items() if kind in "BbCSs"}
    # A table of pointers may be filled in when the program starts, and never again.
    assert {name for name, kind in kinds.items() if kind in "Dd"} <= {"model_labels"}
    public = {name for name, kind in kinds.items() if kind in "TR"}
    assert all(name.startswith("model_") for name in public)


@needs_compiler
def test_two_threads_at_once_get_their_own_answers(tmp_path):
    write_c(known_model(), tmp_path)
    (tmp_path / "threads.c").write_text(THREADS)
    command(COMPILER, *STRICT, "-fsanitize=thread", "-D_POSIX_C_SOURCE=200809L", "-pthread",
            "threads.c", "model.c", "-o", "threads", "-lm", cwd=tmp_path)  # fmt: skip
    command(tmp_path / "threads", cwd=tmp_path)


THREADS = r"""
#include "model.h"
#include <pthread.h>
#include <string.h>
static void *work(void *text)
{
    float first[MODEL_CLASSES], again[MODEL_CLASSES];
    int k;
    model_predict(text, strlen(text), first);
    for (k = 0; k < 2000; k++) {
        model_predict(text, strlen(text), again);
        if (memcmp(first, again, sizeof first) != 0) return text;
    }
    return NULL;
}
int main(void)
{
    pthread_t one, two;
    void *results[2];
    pthread_create(&one, NULL, work, "good x bad");
    pthread_create(&two, NULL, work, "it is 42 times as bad");
    pthread_join(one, results);
    pthread_join(two, results + 1);
    return results[0] || results[1];
}
"""


@needs_compiler
def test_two_threads_use_memory_of_their_own(tmp_path):
    write_c(known_network(CompactGRU, [[3, 2], [2, 2]]), tmp_path)
    program = re.sub(r"(strlen\(text\)), ", r"\1, memory, ", THREADS)
    (tmp_path / "threads.c").write_text(
        program.replace("    int k;", "    struct model_token memory[MODEL_TOKENS];\n    int k;")
    )
    command(COMPILER, *STRICT, "-fsanitize=thread", "-D_POSIX_C_SOURCE=200809L", "-pthread",
            "threads.c", "model.c", "-o", "threads", "-lm", cwd=tmp_path)  # fmt: skip
    command(tmp_path / "threads", cwd=tmp_path)


def make(folder):
    command("make", "-s", f"CC={COMPILER}", cwd=folder)


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make")


@needs_compiler
@needs_make
def test_the_example_classifies_lines(tmp_path):
    labels = ('so "good"?', "schön\\")
    model = dataclasses.replace(known_model(), labels=labels)
    write_c(model, tmp_path, "sentiment")
    make(tmp_path)
    texts = ["good", "", "bad 42", "é\0x"]
    said = command("./sentiment", cwd=tmp_path, input="\n".join(texts).encode()).decode()
    rows = TextPredictor(model).predict_proba(texts)
    assert said == "".join(f"{labels[row.argmax()]}\t{row.max():.6f}\n" for row in rows)
    bad = subprocess.run(
        [tmp_path / "sentiment"], input=b"ok\nno \xff\n", capture_output=True, check=False
    )
    assert (bad.returncode, bad.stderr) == (1, b"line 2: byte 4 is not UTF-8\n")


@needs_compiler
@needs_make
@pytest.mark.parametrize("max_length", [30, 2**70])
def test_the_example_tells_all_labels_that_a_line_has(tmp_path, max_length):
    encoder = encoder_of(["good", "bad", "it"], max_length=max_length)
    model = random_network(
        encoder, CompactLSTM, [[3, 2], [2, 3]], outputs=4, multi_label=True, seed=6
    )
    model.output_weight[:] *= 30
    model.output_bias[:] = -0.1
    write_c(model, tmp_path, "topics")
    make(tmp_path)
    texts = ["good", "", "bad it it", "it bad", "good " * 50, "it"]
    said = command("./topics", cwd=tmp_path, input="\n".join(texts).encode()).decode()
    lines = [
        [f"{label}\t{p:.6f}" for label, p in zip(model.labels, row, strict=True) if p >= 0.5]
        for row in TextPredictor(model).predict_proba(texts).tolist()
    ]
    assert len({len(line) for line in lines}) > 1
    assert [] in lines
    for found, line in zip(said.removesuffix("\n").split("\n"), lines, strict=True):
        told = found.split("\t") if found else []
        assert told[::2] == [one.split("\t")[0] for one in line]
        expected = [float(one.split("\t")[1]) for one in line]
        np.testing.assert_allclose([float(p) for p in told[1::2]], expected, atol=2e-6)


@needs_compiler
@needs_make
@pytest.mark.parametrize("encoder", [
    word_encoder("<unk>"), word_encoder("‘", "$", tokenizer="spaces"), word_encoder("‘", "$"),
    TokenEncoder("char", "words", False, tuple("\n a\0bcé")),
])  # fmt: skip
def test_the_example_goes_on_with_a_text(tmp_path, encoder):
    model = random_language_model(encoder, 4, seed=2, activation="hard_sigmoid")
    write_c(model, tmp_path, "writer", replace=True)
    make(tmp_path)
    for prompt in ("", "a", "a é"):
        if encoder.level == "word" and "<unk>" not in encoder.tokens:
            prompt = prompt and "the cat ("  # noqa: PLW2901
        said = command("./writer", prompt, "30", cwd=tmp_path).decode()
        expected = LanguageModel(model).generate(prompt, 30, temperature=0)
        assert said == f"{prompt}{''.join(expected)}\n"
    drawn = command("./writer", "a" if encoder.level == "char" else "the", "30", "7", cwd=tmp_path)
    assert drawn == command("./writer", *drawn_again(encoder), cwd=tmp_path)
    assert b"<unk>" not in drawn


def drawn_again(encoder):
    return "a" if encoder.level == "char" else "the", "30", "7"


@needs_compiler
@needs_make
def test_the_example_refuses_a_prompt_that_the_model_does_not_know(tmp_path):
    write_c(random_language_model(word_encoder(), 2), tmp_path)
    make(tmp_path)
    for prompt, message in ((b"new", b"take them out"), (b"a\xff", b"byte 2 of the prompt is not")):
        done = subprocess.run([tmp_path / "model", prompt], capture_output=True, check=False)
        assert done.returncode == 1
        assert message in done.stderr


@needs_compiler
def test_several_models_work_in_one_program_under_any_names(tmp_path):
    names = ["next", "word", "gate", "read", "no", "Model2", "x_", "lower", "output", "int"]
    for number, name in enumerate(names):
        model = small_language_model() if number % 2 else known_model()
        model = known_network(CompactGRU, [[3, 2], [2, 2]]) if number % 4 == 2 else model
        write_c(model, tmp_path, name, replace=True)
    includes = "".join(f'#include "{name}.h"\n' for name in names)
    calls = " + ".join(f'{name}_check("x", 1)' for name in names)
    (tmp_path / "all.c").write_text(
        f"{includes}int main(void) {{ return {calls} != {len(names)}; }}"
    )
    sources = [f"{name}.c" for name in names]
    command(COMPILER, *STRICT, "all.c", *sources, "-o", "all", "-lm", cwd=tmp_path)
    command(tmp_path / "all", cwd=tmp_path)


def test_only_what_a_model_needs_is_written():
    def source(*words, lowercase):
        model = random_model(encoder_of(words, lowercase=lowercase), 2, 2, range(8), 2)
        return c_files(model)["model.c"]

    assert "lower" not in source("good", lowercase=False)
    english, greek = source("good", lowercase=True), source("σοφός", lowercase=True)
    assert "0x130" in english  # a letter whose lowercase has a mark that ends a word
    assert "sigma" not in english
    assert "sigma" in greek
    assert len(greek) > len(english)


@pytest.mark.parametrize("name", ["", "3x", "a-b", "_x", "é", "a b"])
def test_a_name_that_is_not_one_of_c_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="is not one of C: give --name letters, digits and under"):
        write_c(small_model(), tmp_path / "c", name)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("name", ["main", "Main", "math", "string"])
def test_a_name_that_is_taken_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match=r"is taken by another file: choose another --name"):
        write_c(small_model(), tmp_path, name)


def test_a_label_that_c_would_cut_is_refused(tmp_path):
    model = dataclasses.replace(small_model(), labels=("a\0b", "c"))
    with pytest.raises(ArtifactError, match=r"the label 'a\\x00b' has a zero character"):
        write_c(model, tmp_path)


def test_a_token_that_is_not_unicode_is_refused(tmp_path):
    model = random_language_model(TokenEncoder("char", "words", False, ("a", "\ud800")), 1)
    with pytest.raises(
        ArtifactError, match=r"'\\ud800' is not valid Unicode and cannot be written"
    ):
        write_c(model, tmp_path)


def test_a_folder_that_is_not_empty_is_left_alone_unless_told(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(StorageError, match="is not empty: choose another --output, or add --force"):
        write_c(small_model(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    written = write_c(small_model(), tmp_path, replace=True)
    assert sorted(tmp_path.iterdir()) == sorted([*written, tmp_path / "mine"])
    with pytest.raises(StorageError, match="is a file: give --output the name of a folder"):
        write_c(small_model(), tmp_path / "mine")
