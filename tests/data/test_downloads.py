"""Downloads from a server of the test's own: whole, broken, and without a disk to go to."""

from __future__ import annotations

import errno
import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from bayespress.config import DataConfig
from bayespress.data import TextSplits, downloads, load, load_text
from bayespress.data.downloads import fetch, fetch_archive, unpack
from bayespress.errors import DownloadError, MissingExtraError
from bayespress.storage import StorageError, cache_folder

pytest.importorskip("pooch")

TRAIN = b"".join(b'"%d","title","text %d"\n' % (row % 4 + 1, row) for row in range(40))
MEMBERS = "aclImdb/t*/[np]*/*.txt"


def files_below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def archive(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def imdb_archive():
    files = {
        f"aclImdb/{split}/{label}/{number}_1.txt": f"{split} {label} {number}".encode()
        for split in ("train", "test")
        for label in ("neg", "pos")
        for number in range(5)
    }
    return archive({**files, "aclImdb/train/unsup/0_0.txt": b"none", "aclImdb/README": b"none"})


def test_ag_news_is_downloaded_once(server, cache, said):
    server.offer("ag_news/train.csv", TRAIN)
    server.offer("ag_news/test.csv", TRAIN[: len(TRAIN) // 2].rpartition(b"\n")[0])
    first = load(DataConfig(source="ag-news"))
    assert len(first.train) == 34
    assert load(DataConfig(source="ag-news")) == first
    assert server.requests == ["/ag_news/train.csv", "/ag_news/test.csv"]
    assert files_below(cache) == ["ag_news/test.csv", "ag_news/train.csv"]
    assert said[0].startswith("downloading http://127.0.0.1:")
    assert said[0].endswith("/ag_news/train.csv (0.0 MB)")


def test_imdb_is_downloaded_and_unpacked_once(server, cache, said):
    server.offer("aclImdb", imdb_archive())
    first = load(DataConfig(source="imdb", validation_fraction=0.2))
    assert (len(first.train), len(first.validation), len(first.test)) == (8, 2, 10)
    assert load(DataConfig(source="imdb", validation_fraction=0.2)) == first
    assert server.requests == ["/aclImdb"]
    assert len(files_below(cache)) == 20 + 1  # and their checksums
    assert "unpacking aclImdb.tar.gz into" in said[1]


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b"other words"),
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.symlink_to("nothing")),
    ],
)
def test_an_unpacked_file_that_was_damaged_is_fetched_again(server, cache, said, damage):
    server.offer("aclImdb", imdb_archive())
    first = load(DataConfig(source="imdb"))
    damage(cache / "aclImdb" / "train" / "pos" / "3_1.txt")
    assert load(DataConfig(source="imdb")) == first
    assert server.requests == ["/aclImdb", "/aclImdb"]
    assert len(files_below(cache)) == 20 + 1


def test_a_damaged_folder_stays_while_no_other_can_be_had(server, cache, said):
    server.offer("aclImdb", imdb_archive())
    load(DataConfig(source="imdb"))
    (cache / "aclImdb" / "train" / "pos" / "3_1.txt").write_bytes(b"")
    before = files_below(cache)
    server.close()
    with pytest.raises(DownloadError, match=r"cannot reach http://127.*; check the network"):
        load(DataConfig(source="imdb"))
    assert files_below(cache) == before


def test_a_folder_without_checksums_is_taken_as_it_is(server, cache, said):
    server.offer("aclImdb", imdb_archive())
    first = load(DataConfig(source="imdb"))
    (cache / "aclImdb" / "checksums.json").unlink()
    assert load(DataConfig(source="imdb")) == first
    assert server.requests == ["/aclImdb"]


def test_ptb_is_downloaded_once_for_words_and_characters(server, cache, said):
    for part in ("train", "valid", "test"):
        server.offer(f"ptb/ptb.{part}.txt", f" {part} <unk> \n".encode())
    words = load_text(DataConfig(source="ptb-word"))
    assert words == TextSplits("train <unk>\n", "valid <unk>\n", "test <unk>\n")
    assert load_text(DataConfig(source="ptb-char")) == words
    assert server.requests == [f"/ptb/ptb.{part}.txt" for part in ("train", "valid", "test")]
    assert files_below(cache) == ["ptb/ptb.test.txt", "ptb/ptb.train.txt", "ptb/ptb.valid.txt"]


def test_another_text_than_the_ptb_is_refused(server, cache, said):
    server.offer("ptb/ptb.train.txt", b" another text \n", md5="0" * 32)
    with pytest.raises(DownloadError, match=r"sent a file whose MD5 sum is not 0{32}"):
        load_text(DataConfig(source="ptb-word"))


def test_damaged_file_in_the_cache_is_replaced(server, cache, said):
    server.offer("ag_news/test.csv", TRAIN)
    (cache / "ag_news").mkdir(parents=True)
    (cache / "ag_news" / "test.csv").write_bytes(TRAIN[:-3])
    assert fetch("ag_news/test.csv").read_bytes() == TRAIN


def test_truncated_download_is_explained_and_leaves_nothing(server, cache, said):
    server.offer("ag_news/test.csv", TRAIN)
    server.cut = 100
    with pytest.raises(
        DownloadError,
        match=r"the download of http://127.*/test\.csv stopped early; run the same command again, "
        r"or set BAYESPRESS_DATA to a folder that holds the data",
    ):
        fetch("ag_news/test.csv")
    assert files_below(cache) == []


def test_wrong_checksum_is_explained_and_leaves_nothing(server, cache, said):
    server.offer("ag_news/test.csv", TRAIN, md5="0" * 32)
    with pytest.raises(
        DownloadError,
        match=r"sent a file whose MD5 sum is not 0{32}; it was deleted: run the same command again",
    ):
        fetch("ag_news/test.csv")
    assert files_below(cache) == []


def test_missing_file_on_the_server_is_explained(server, cache, said):
    server.point("ag_news/test.csv", "0" * 32)
    with pytest.raises(
        DownloadError, match=r"cannot download http://127.*: 404 Client Error: Not Found; try again"
    ):
        fetch("ag_news/test.csv")
    assert files_below(cache) == []


def test_server_that_cannot_be_reached_is_explained(server, cache, said):
    server.point("ag_news/test.csv", "0" * 32)
    server.close()
    with pytest.raises(
        DownloadError, match=r"cannot reach http://127.* \(ConnectionError\); check the network"
    ):
        fetch("ag_news/test.csv")
    assert files_below(cache) == []


def test_full_disk_while_downloading_is_explained(server, cache, said, monkeypatch):
    def no_space(_chunks, _size, _url):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield b""

    monkeypatch.setattr(downloads, "_with_progress", no_space)
    server.offer("ag_news/test.csv", TRAIN)
    with pytest.raises(
        StorageError,
        match=r"cannot write .*test\.csv: no space left; free some, or set BAYESPRESS_CACHE to a",
    ):
        fetch("ag_news/test.csv")
    assert files_below(cache) == []


def test_cache_that_cannot_be_written_is_explained(server, cache, said):
    cache.write_text("a file stands where the folder should be")
    server.offer("ag_news/test.csv", TRAIN)
    with pytest.raises(StorageError, match=r"cannot write .*; set BAYESPRESS_CACHE to a folder"):
        fetch("ag_news/test.csv")


def test_full_disk_while_unpacking_keeps_the_archive_alone(server, cache, said, monkeypatch):
    def no_space(*_args, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    server.offer("aclImdb", imdb_archive())
    monkeypatch.setattr(tarfile.TarFile, "extractall", no_space)
    with pytest.raises(StorageError, match=r"cannot write .*aclImdb: no space left; free some"):
        fetch_archive("aclImdb", MEMBERS)
    assert [path.name for path in cache.iterdir()] == ["aclImdb.tar.gz"]
    monkeypatch.undo()


@pytest.mark.parametrize(
    "content",
    [
        b"no archive at all",
        imdb_archive()[:-40],
        archive({"other/train/pos/1.txt": b"x"}),
        archive({"../aclImdb/train/pos/1.txt": b"x"}),
    ],
    ids=["noise", "cut", "without the folder", "outside the folder"],
)
def test_damaged_archive_is_explained_and_leaves_nothing(tmp_path, said, content):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "a.tar.gz").write_bytes(content)
    with pytest.raises(
        DownloadError, match=r"a\.tar\.gz is damaged: .*; it was deleted: run the same command"
    ):
        unpack(cache / "a.tar.gz", cache / "aclImdb", MEMBERS)
    assert files_below(tmp_path) == []


def test_another_process_may_unpack_first(tmp_path, said):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(imdb_archive())
    (tmp_path / "aclImdb" / "train").mkdir(parents=True)
    unpack(path, tmp_path / "aclImdb", MEMBERS)
    assert [item.name for item in (tmp_path / "aclImdb").iterdir()] == ["train"]


def test_progress_goes_to_stderr_as_a_plain_line_without_a_terminal(server, cache, capsys):
    server.offer("ag_news/test.csv", TRAIN)
    fetch("ag_news/test.csv")
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("downloading http")
    assert output.err.count("\n") == 1


def test_progress_is_a_bar_on_a_terminal(server, cache, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    server.offer("ag_news/test.csv", TRAIN)
    assert fetch("ag_news/test.csv").read_bytes() == TRAIN
    assert "━" in capsys.readouterr().err


def test_platform_decides_the_cache_folder_otherwise():
    assert cache_folder().name == "bayespress"


def test_download_without_pooch_names_the_extra(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"downloading data .*'bayespress\[train\]'"):
        load(DataConfig(source="imdb"))
