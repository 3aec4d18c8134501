"""Small sources on disk, and a server that stands in for the publishers' own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bayespress.data import downloads
from bayespress.data.downloads import DATA_VARIABLE, DOWNLOADS, Download
from bayespress.storage import CACHE_VARIABLE


@pytest.fixture(autouse=True)
def _no_data_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CACHE_VARIABLE, DATA_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file below the test's folder."""

    def write_one(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_one


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


class Server:
    """Serves bytes from memory; `cut` bytes at the end of each answer are promised but not sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.cut = 0
        self._monkeypatch = monkeypatch
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                content = outer.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) - outer.cut])

            def log_message(self, *_: object) -> None:
                pass

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()

    def offer(self, key: str, content: bytes, *, md5: str | None = None) -> None:
        """Serve `content` as the download `key`."""
        self.files[f"/{key}"] = content
        self.point(key, md5 or hashlib.md5(content).hexdigest())

    def point(self, key: str, md5: str) -> None:
        """Let the download `key` come from this server."""
        url = f"http://127.0.0.1:{self._httpd.server_port}/{key}"
        self._monkeypatch.setitem(DOWNLOADS, key, Download(url, md5))

    def close(self) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this computer; proxies do not stand between."""
    pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    stub = Server(monkeypatch)
    yield stub
    stub.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the downloads told the user."""
    lines: list[str] = []
    monkeypatch.setattr(downloads, "_say", lines.append)
    return lines
