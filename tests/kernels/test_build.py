"""Kernels are compiled once; what the machine lacks is told, and nothing depends on them."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bayespress import compiler
from bayespress.kernels import build
from bayespress.kernels.build import SWITCH, BuildError, built
from bayespress.storage import CACHE_VARIABLE
from bayespress.training.run import RunFolder, load_tensors

COMPILER = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv(SWITCH, raising=False)
    return tmp_path / "cache" / "kernels"


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def counting(tmp_path, monkeypatch):
    """A compiler that writes a line for every compilation."""
    log = tmp_path / "log"
    log.touch()
    text = f'case "$1" in --version) ;; *) echo "$@" >> {log};; esac\nexec {COMPILER} "$@"'
    monkeypatch.setenv("CC", script(tmp_path / "counting-cc", text))
    return lambda: len(log.read_text().splitlines())


@needs_compiler
def test_the_second_start_compiles_nothing(cache, tmp_path, monkeypatch):
    compilations = counting(tmp_path, monkeypatch)
    first = built()
    assert first.parent == cache
    assert compilations() == 1
    assert built() == first
    assert compilations() == 1
    names = sorted(file.name.removeprefix(first.stem) for file in cache.iterdir())
    assert names == [".lock", ".sha256", ".so"]


@needs_compiler
@pytest.mark.parametrize("damage", [b"", b"not a library", None])
def test_a_damaged_cache_is_built_anew(cache, tmp_path, monkeypatch, damage):
    compilations = counting(tmp_path, monkeypatch)
    file = built()
    file.write_bytes(file.read_bytes()[:5000] if damage is None else damage)
    assert built() == file
    assert compilations() == 2
    assert file.stat().st_size > 5000


@needs_compiler
def test_another_processor_gets_a_library_of_its_own(cache, monkeypatch):
    first = built()
    monkeypatch.setattr(compiler, "_processor", lambda: "another one")
    assert built() != first


@needs_compiler
def test_a_compiler_that_does_not_know_the_processor_makes_general_code(
    cache, tmp_path, monkeypatch
):
    picky = f'for a in "$@"; do case "$a" in -m*) exit 1;; esac; done\nexec {COMPILER} "$@"'
    monkeypatch.setenv("CC", script(tmp_path / "picky-cc", picky))
    assert built().exists()


@needs_compiler
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root writes everywhere")
def test_a_cache_that_cannot_be_written_to_is_done_without(cache):
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    assert built().exists()


def test_a_cache_that_is_no_folder_is_done_without(cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    if COMPILER:
        assert built().exists()


def test_without_a_compiler_it_says_what_to_install(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="there is no C compiler: install gcc or clang"):
        built()


def test_a_compiler_that_fails_is_told_with_its_first_line(cache, tmp_path, monkeypatch):
    text = 'case "$1" in --version) exit 0;; esac\necho "no room" >&2; echo more >&2; exit 1'
    monkeypatch.setenv("CC", script(tmp_path / "broken-cc", text))
    with pytest.raises(BuildError, match=r"the C compiler .*broken-cc failed: no room$"):
        built()


def test_a_compiler_that_hangs_is_given_up(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_SECONDS", 0.2)
    monkeypatch.setenv("CC", script(tmp_path / "slow-cc", "exec sleep 5"))
    with pytest.raises(BuildError, match=r"the C compiler .*slow-cc does not run: .*timed out"):
        built()


def test_the_switch_turns_them_off(cache, monkeypatch):
    monkeypatch.setenv(SWITCH, "0")
    with pytest.raises(BuildError, match=f"switched off by {SWITCH}=0"):
        built()
    assert not cache.exists()


TRAINING = """
import sys
from pathlib import Path
from pathlib import Path
from tests.training.test_trainer import train
from bayespress.training import Silent
class Notes(Silent):
    def on_note(self, text): print(text)
train(Path(sys.argv[1]), epochs=2, listener=Notes())
"""


def run_training(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_compiler
@pytest.mark.slow
def test_training_without_a_compiler_gives_the_same_network_and_says_what_is_missing(tmp_path):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    says = run_training(tmp_path / "slow", PATH=str(nothing), CC="")
    assert "there is no C compiler: install gcc or clang" in says
    assert run_training(tmp_path / "fast") == ""
    slow, fast = (
        load_tensors(RunFolder(tmp_path / name / "run").checkpoint_file)[0]
        for name in ("slow", "fast")
    )
    assert slow.keys() == fast.keys()
    # Adam divides by gradients' size: rounding shows where they are nearly zero.
    for name, tensor in slow.items():
        if name.startswith("net."):
            torch.testing.assert_close(fast[name], tensor, rtol=1e-2, atol=2e-3, msg=name)


@needs_compiler
@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other instructions than x86-64's")
@pytest.mark.parametrize("instructions", ["-march=haswell", "-march=x86-64"])
def test_other_processors_code_gives_the_same_numbers(tmp_path, instructions):
    """The kernels have three forms: 16, 8 and 4 numbers at a time."""
    if "haswell" in instructions and "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX2")
    # -march=native and what goes with it is left out for what is asked.
    text = f"""
    keep=""
    for a in "$@"; do case "$a" in -march=*|-mprefer*) ;; *) keep="$keep $a";; esac; done
    exec {COMPILER} $keep {instructions}"""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=",
         str(Path(__file__).with_name("test_equal_to_torch.py"))],
        env={**os.environ, "CC": script(tmp_path / "other-cc", text),
             CACHE_VARIABLE: str(tmp_path / "cache")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
