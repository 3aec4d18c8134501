"""A server that has the public data sets, made small, and the ways in which one fails."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "/me/small/resolve/main/model.bpr"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WAYS = (
    "closes at once",
    "closes in the middle",
    "sends half as if it were all",
    "sends another file",
    "sends no HTTP",
    "answers 404",
    "answers 500",
    "sends to another place and back",
    "stalls",
)
"""What a server does in the place of serving."""
PLACES = {
    "nobody listens": "http://127.0.0.1:9",
    "the name is not known": "http://no-such-host.invalid",
    "there is no way": "http://240.0.0.1",
}
"""Addresses where no server is."""
_STALL_SECONDS = 600


def data_sets(seed: int) -> dict[str, bytes]:
    """Make what the table of downloads names, small."""
    source = random.Random(seed)

    def text() -> str:
        return " ".join(source.choices(("a", "film", "plot", "dull", "good", "of"), k=8))

    rows = [f'"{k % 4 + 1}","{text()}","{text()}"\n' for k in range(80)]
    lines = [f" {text()} <unk> \n" for _ in range(60)]
    files = {
        f"aclImdb/{split}/{label}/{k}_1.txt": text().encode()
        for split in ("train", "test")
        for label in ("neg", "pos")
        for k in range(20)
    }
    return {
        "ag_news/train.csv": "".join(rows).encode(),
        "ag_news/test.csv": "".join(rows[:40]).encode(),
        **{f"ptb/ptb.{part}.txt": "".join(lines).encode() for part in ("train", "valid", "test")},
        "aclImdb": _archive(files),
    }


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Server:
    """What a server has, and the way in which it fails.

    Attributes
    ----------
    files
        Bytes by their path.
    way
        One of `WAYS`; empty where it serves.
    address
        Where it is.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.way = ""
        self.address = ""
        self.over = threading.Event()

    def downloads(self, address: str | None = None) -> str:
        """Give the table of downloads, as the programs are told it."""
        return json.dumps(
            {
                key: (f"{address or self.address}/{key}", hashlib.md5(content).hexdigest())
                for key, content in self.files.items()
            }
        )


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    """Serve files as long as the context lasts."""
    server = Server(files)
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_": server}))
    http.daemon_threads = True
    server.address = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_: Server

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self._answer(has_body=False)

    def do_GET(self) -> None:
        """Answer, in the way that is asked for."""
        self._answer(has_body=True)

    def _answer(self, *, has_body: bool) -> None:
        way, content = self.server_.way, self.server_.files.get(self.path[1:])
        self.close_connection = True
        if way == "closes at once":
            return
        if way == "sends no HTTP":
            self.wfile.write(b"\x00\xffwhat is this\r\n\r\n")
        elif way == "sends to another place and back":
            self._head(302, 0, {"Location": self.path})
        elif content is None or way in ("answers 404", "answers 500"):
            self._head(int(way[-3:]) if way.startswith("answers") else 404, 0, {})
        else:
            self._send(way, content, has_body=has_body)

    def _send(self, way: str, content: bytes, *, has_body: bool) -> None:
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        half = content[: len(content) // 2]
        if way == "sends half as if it were all":
            content = half
        elif way == "sends another file":
            content = bytes(reversed(content))
        self._head(200, len(content), {"ETag": tag, "X-Repo-Commit": COMMIT})
        if has_body:
            is_cut = way in ("closes in the middle", "stalls")
            self.wfile.write(half if is_cut else content)
            self.wfile.flush()
        if way == "stalls":
            self.server_.over.wait(_STALL_SECONDS)

    def _head(self, status: int, size: int, more: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(size), **more}.items():
            self.send_header(name, value)
        self.end_headers()
