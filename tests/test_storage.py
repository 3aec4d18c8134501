import errno
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayespress.storage import StorageError, write_atomically, write_bytes

BIG_WRITE = """
import resource, signal, sys
from pathlib import Path
from bayespress.storage import StorageError, write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(Path(sys.argv[1]), bytes(100_000))
except StorageError as error:
    print(error)
"""
needs_permissions = pytest.mark.skipif(
    not getattr(os, "geteuid", lambda: 1)(), reason="root may write anywhere"
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    return path


def check_untouched(path):
    assert path.read_bytes() == b"old"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@given(st.binary(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_what_is_written_replaces_what_was_there(path, content):
    write_bytes(path, content)
    assert path.read_bytes() == content
    assert len(list(path.parent.iterdir())) == 1


def test_missing_folders_are_made(tmp_path):
    write_bytes(tmp_path / "a" / "b" / "c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_the_old_content_stays_readable_while_the_new_is_written(path):
    seen = []

    def write(temporary):
        temporary.write_bytes(b"ne")
        seen.append((temporary.parent, path.read_bytes()))
        temporary.write_bytes(b"new")

    write_atomically(path, write)
    assert seen == [(path.parent, b"old")]
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mistake", [ValueError, KeyboardInterrupt])
def test_a_writer_that_raises_leaves_the_old_content_and_no_leftovers(path, mistake):
    def write(temporary):
        temporary.write_bytes(b"half of the n")
        raise mistake

    with pytest.raises(mistake):
        write_atomically(path, write)
    check_untouched(path)


def test_files_get_the_permissions_that_any_new_file_gets(path):
    ordinary = path.with_name("ordinary")
    ordinary.touch()
    write_bytes(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_clear_line(path, number):
    def write(temporary):
        temporary.write_bytes(b"ha")
        raise OSError(number, os.strerror(number))

    rule = "cannot write .*file.bin: no space left; free some and run the same command again"
    with pytest.raises(StorageError, match=rule):
        write_atomically(path, write)
    check_untouched(path)


def test_a_disk_that_is_full_when_the_file_is_flushed_is_no_success(path, monkeypatch):
    def fsync(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError, match="no space left"):
        write_bytes(path, b"new")
    check_untouched(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes")
def test_a_write_that_the_system_cuts_short_leaves_the_old_content(path):
    done = subprocess.run(
        [sys.executable, "-c", BIG_WRITE, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write {path}: no space left; free some and run")
    check_untouched(path)


def test_other_reasons_are_named_with_the_remedy(path, monkeypatch):
    def refuse(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    rule = "cannot write .*: Read-only file system; choose another place with --output"
    with pytest.raises(StorageError, match=rule):
        write_bytes(path, b"new")
    check_untouched(path)


@needs_permissions
def test_a_folder_that_may_not_be_written_to_is_named_with_the_remedy(path):
    path.parent.chmod(0o500)
    try:
        rule = "cannot write .*file.bin: Permission denied; choose another place with --output"
        with pytest.raises(StorageError, match=rule):
            write_bytes(path, b"new")
        check_untouched(path)
    finally:
        path.parent.chmod(0o700)


def test_a_file_where_a_folder_should_be_is_named(path):
    with pytest.raises(StorageError, match=r"cannot write .*file.bin.more: "):
        write_bytes(path / "more", b"new")
    check_untouched(path)


def test_a_folder_where_the_file_should_be_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write .*: Is a directory"):
        write_bytes(tmp_path, b"new")
    assert [file for file in tmp_path.parent.iterdir() if file.suffix == ".part"] == []
