"""Without space, memory, a compiler, a home or a sound cache: one clear line, and nothing lost."""

import errno
import importlib
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from bayespress import compiler, kernels, runtime, storage
from bayespress.bulk import memory
from bayespress.cli import doctor
from bayespress.compiler import BuildError, build_folder, compiler_version
from bayespress.data import hub
from bayespress.errors import HubError
from bayespress.export.native import NativePredictor
from bayespress.kernels.build import built
from bayespress.runtime.remote import explained
from bayespress.storage import CACHE_VARIABLE, StorageError, cache_folder
from bayespress.training import Trainer, encoding
from tests.cli.conftest import _in_a_folder_of_its_own, source, trained
from tests.cli.helpers import TINY, call, refused, worked, write_csv
from tests.kernels.test_build import needs_compiler, script
from tests.training.test_encoding import assert_same, encode

SCRIPTS = Path(__file__).parents[2] / "scripts"
__all__ = ["_in_a_folder_of_its_own", "source", "trained"]  # fixtures


def full(*_args, **_named):
    raise OSError(errno.ENOSPC, "No space left on device")


# A disk without space.


@pytest.fixture
def texts():
    return write_csv(Path("texts.csv"), [("1", "good film"), ("2", "bad")], header=("id", "text"))


def answer(trained, *flags):
    return ("predict", trained.model, "--input", "texts.csv", "--output", "out", *flags)


def test_answers_that_are_made_anew_stay_until_the_new_ones_are_whole(trained, texts, monkeypatch):
    call(*answer(trained))
    old = Path("out/texts.csv").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(memory, "write_bytes", lambda path, _: full_storage(path))
        done = call(*answer(trained, "--force", "--prefix", "my_"))
    assert (done.code, Path("out/texts.csv").read_bytes()) == (2, old)
    assert "cannot write" in done.err
    assert call(*answer(trained, "--force", "--prefix", "my_")).code == 0
    assert b"my_label" in Path("out/texts.csv").read_bytes()


def full_storage(path):
    raise StorageError(f"cannot write {path}: no space left; free some")


def full_put(made, target, put=storage.put):
    with mock.patch.object(Path, "replace", full):
        put(made, target)


@pytest.mark.parametrize("flags", [(), ("--force",)])
def test_a_run_that_ended_between_note_and_move_goes_on(trained, texts, monkeypatch, flags):
    call(*answer(trained))
    Path("texts.csv").write_text("id,text\n3,a good plot\n")
    with monkeypatch.context() as patch:
        patch.setattr("bayespress.bulk.memory.put", full_put)
        done = call(*answer(trained, *flags))
    line = done.err.splitlines()[-1]
    assert line == (
        "error: cannot write out/texts.csv: no space left; mend that, then continue with: the same "
        "command"
    )
    assert Path("out/texts.csv").read_text().startswith("id,text,label,probability\n1,")
    assert call(*answer(trained, *flags)).code == 0
    assert Path("out/texts.csv").read_text().splitlines()[1].startswith("3,a good plot,")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_is_printed_to_a_full_disk_is_no_success(trained):
    command = [sys.executable, "-m", "bayespress.cli", "inspect", str(trained.model), "--json"]
    with Path("/dev/full").open("wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "error: cannot write what is printed: no space left; free some and run the same command "
        "again\n"
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_hub_whose_cache_cannot_be_written_to_is_one_line(number):
    with (
        pytest.raises(HubError, match=r"a/b cannot be kept .*; mend that, or set HF_HOME to"),
        explained("a/b"),
    ):
        raise OSError(number, os.strerror(number), "blobs/1")


def test_a_data_set_that_finds_no_space_is_not_said_to_be_the_networks_fault():
    rule = r"cannot keep hf:a/b: .*; free some space, or set HF_HOME to"
    with pytest.raises(StorageError, match=rule), hub._explained("hf:a/b"):
        full()


def test_retries_of_the_hubs_library_are_no_lines_of_their_own(monkeypatch):
    monkeypatch.delenv("HF_HUB_VERBOSITY", raising=False)
    logger = logging.getLogger("huggingface_hub.utils._http")
    with hub._explained("hf:a/b"):
        assert not logger.isEnabledFor(logging.WARNING)
    assert logger.isEnabledFor(logging.WARNING)


def test_a_system_without_room_for_locks_is_one_line(trained, texts, monkeypatch):
    refuse = mock.Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    line = refused(*answer(trained, "--workers", "1"))
    assert "there is no room for their locks (on Linux in /dev/shm): [Errno 28] No space" in line
    assert "; mend that, then continue with: the same command" in line
    assert not Path("out/texts.csv").exists()


# Too little memory.

MAP = "libtorch_cpu.so: failed to map segment from shared object"


@pytest.mark.parametrize(
    "error", [ImportError(MAP), RuntimeError("can't start new thread"), OSError(errno.ENOMEM,
              "Cannot allocate memory")],
)  # fmt: skip
def test_other_words_for_too_little_memory_are_known(source, monkeypatch, error):
    def fit(_):
        raise error

    monkeypatch.setattr(Trainer, "fit", fit)
    assert "there is not enough memory: lower --batch" in refused("train", source, *TINY)


def test_a_module_may_hide_that_memory_ran_out(source, monkeypatch):
    def fit(_):
        try:
            raise ImportError(MAP)
        except ImportError as error:
            raise ImportError("numpy's C extensions cannot be imported") from error

    monkeypatch.setattr(Trainer, "fit", fit)
    assert "there is not enough memory" in refused("train", source, *TINY)


@needs_compiler
def test_an_output_kernel_without_memory_says_so():
    code = kernels.library()
    loss = kernels.OutputLoss(hidden=1, tokens=1 << 44)
    with pytest.raises(MemoryError, match="a compiled kernel found no memory"):
        code.output_loss(loss, None, None, 0, 1)


# Compilers that are none.


@pytest.fixture
def cc(tmp_path, monkeypatch):
    return lambda text: monkeypatch.setenv("CC", script(tmp_path / "a-cc", text))


GARBAGE = r"printf '\377\376 no'; printf '\377\376 no\n' >&2; exit 1"
NO_LIBRARY = 'while [ $# -gt 0 ]; do [ "$1" = -o ] && echo garbage > "$2"; shift; done; exit 0'


@pytest.mark.parametrize(
    ("text", "rule"),
    [(GARBAGE, "a-cc failed: \ufffd\ufffd no"), ("exit 0", "a-cc made no library: set CC to")],
)
def test_a_compiler_that_is_none_is_told(cc, text, rule):
    cc(text)
    with pytest.raises(BuildError, match=rule):
        built()


def test_the_doctor_looks_at_a_compiler_that_says_nothing(cc):
    cc("exit 0")
    assert compiler_version().endswith("a-cc, no version told")
    assert doctor._compiler().is_well


def test_a_compiler_that_hangs_is_asked_once(cc, tmp_path, monkeypatch):
    monkeypatch.setattr("bayespress.kernels.build._SECONDS", 0.5)
    log = tmp_path / "log"
    cc(f'case "$1" in --version) exit 0;; esac; echo >> {log}; exec sleep 9')
    with pytest.raises(BuildError, match=r"does not run: .*timed out"):
        built()
    assert log.read_text() == "\n"


def test_files_are_answered_where_the_compiler_made_no_library(trained, texts, cc):
    cc(NO_LIBRARY)
    model = runtime.load_classifier(trained.model).model
    with pytest.raises(BuildError, match="what the C compiler made cannot be loaded"):
        NativePredictor(model)
    assert call(*answer(trained, "--workers", "1")).code == 0
    assert Path("out/texts.csv").exists()


def test_kernels_that_are_no_library_are_the_compilers_fault(cc):
    cc(NO_LIBRARY)
    _, problem = importlib.import_module("bayespress.kernels.library")._loaded.__wrapped__()
    assert problem.startswith("what the C compiler made cannot be loaded: ")


@needs_compiler
def test_kernels_that_lack_a_function_are_done_without(monkeypatch):
    kernels = importlib.import_module("bayespress.kernels.library")
    monkeypatch.setitem(kernels._SIGNATURES, "unknown", (None, ()))
    found, problem = kernels._loaded.__wrapped__()
    assert found is None
    assert problem.startswith("what the C compiler made lacks a function: ")
    assert "bayespress_unknown" in problem


# No place for a cache.


def test_a_home_that_is_not_known_is_told_with_the_remedy(monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, "~nobody-is-called-so/cache")
    with pytest.raises(StorageError, match="home folder that is not known: set BAYESPRESS_CACHE"):
        cache_folder()
    found = {one["topic"]: one for one in json.loads(worked("doctor", "--json"))["findings"]}
    assert not found["cache"]["is_well"]


def test_without_a_cache_and_a_place_for_temporary_files_it_trains_all_the_same(
    tmp_path, source, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(BuildError, match=r"no folder for compiled code .*: set BAYESPRESS_CACHE"):
        build_folder("models")
    worked("train", source, *TINY, "--epochs", "1", "--output", "run")


@needs_compiler
def test_a_full_disk_under_the_cache_is_no_compiler(monkeypatch):
    monkeypatch.setattr(compiler.tempfile, "TemporaryDirectory", full)
    with pytest.raises(BuildError, match=r"compiled code cannot be kept in .*BAYESPRESS_CACHE"):
        built()


# A cache that is damaged.


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".so", ".sha256"])
def test_a_folder_in_the_place_of_a_library_is_replaced(suffix):
    file = built()
    whole = file.read_bytes()
    other = file.with_suffix(suffix)
    other.unlink()
    (other / "deep").mkdir(parents=True)
    assert built().read_bytes() == whole


def test_encoded_texts_that_were_changed_are_made_anew(monkeypatch):
    monkeypatch.setattr(encoding, "_WORTH_SECONDS", 0.0)
    first = encode()
    (file,) = (cache_folder() / "encoded").iterdir()
    sound = file.read_bytes()
    for place in range(len(sound) - 1, len(sound) - 200, -9):  # ids and lengths stand at the end
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert_same(encode(), first)
        assert file.read_bytes() == sound
    file.unlink()
    (file / "in the way").mkdir(parents=True)
    assert_same(encode(), first)
    assert file.read_bytes() == sound


# What the script itself sees.


@pytest.fixture
def starving(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from starving import attempt, cases, disk, program, zygote  # noqa: PLC0415 - of no package

    yield attempt, cases, disk, program, zygote
    for name in [name for name in sys.modules if name.partition(".")[0] == "starving"]:
        del sys.modules[name]


def test_the_script_sees_what_is_wrong(starving, tmp_path):
    attempt, cases, _, program, _ = starving
    wrong = program.mistakes_of_line
    good = "error: cannot write x: no space left; free some and run the same command again\n"
    assert wrong(program.Done(2, "", good)) == []
    assert wrong(program.Done(1, "", good)) == ["exit code 1"]
    assert "a traceback" in wrong(program.Done(2, "", "Traceback (most recent call)\n" + good))
    assert len(wrong(program.Done(2, "", "note\n" + good))) == 1
    assert len(wrong(program.Done(2, "", "error: the system: No space left on device"))) == 1
    given = cases.Given(tmp_path, tmp_path)
    tried = attempt.Attempt(
        cases.Case("x", ()), given, tmp_path / "root", {"a": b"new"}, {},
        {"a": b"old", "b": b"old"}, program.Done(2, "", good),
    )  # fmt: skip
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").write_bytes(b"ne")
    (tmp_path / "root" / ".c.part").write_bytes(b"n")
    assert sorted(tried.mistakes()) == [".c.part was left", "a is torn", "b is gone"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library, as Linux does")
@needs_compiler
def test_no_write_that_fails_loses_anything(starving, trained, tmp_path):
    _, cases, disk, _, zygote = starving
    given = cases.Given(tmp_path / "given", tmp_path / "cache")
    shutil.copytree(trained.run, given.folder / "run")
    some = [case for case in cases.CASES if case.name in ("compress", "push --output")]
    with zygote.Zygote(tmp_path, disk.build_shim(tmp_path)) as programs:
        report = disk.every_write(given, programs, some, 1)
    assert (report.wrong, report.worked) == ([], 0)
    assert report.refused == report.runs >= 20
    assert report.figures["writes"].keys() == {"compress", "push --output"}
