"""A small hub: what huggingface_hub calls to push and to load, in memory."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import yaml

TOKEN = "hf_of_the_test"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repo:
    files: dict = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    messages: list = field(default_factory=list)


@dataclass
class Hub:
    """What the server has, and what was asked of it."""

    address: str = ""
    repos: dict = field(default_factory=dict)
    large: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    status: int | None = None  # answer all with it

    def add(self, name, files, **how):
        self.repos[name] = Repo(dict(files), **how)
        return self.repos[name]


@contextmanager
def serving():
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_any()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the base class's names

    def handle_any(self):
        path = unquote(urlsplit(self.path).path)
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.calls.append((self.command, path))
        if self.hub.status is not None:
            return self.answer(self.hub.status, {"error": "so it is"})
        for pattern, call in self.routes.items():
            if match := re.fullmatch(pattern, path):
                return call(self, *match.groups())
        return self.answer(404, {"error": f"nothing at {path}"})

    @property
    def is_known(self):
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def answer(self, status, content=b"", **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def who(self):
        if not self.is_known:
            return self.answer(401, {"error": "Invalid credentials"})
        return self.answer(200, {"type": "user", "name": "me", "orgs": []})

    def create(self):
        if not self.is_known:
            return self.answer(401, {"error": "Invalid username or password."})
        asked = json.loads(self.content)
        owner = asked.get("organization") or "me"
        if owner != "me":
            return self.answer(403, {"error": f"you are not of {owner}"})
        name = f"{owner}/{asked['name']}"
        address = {"url": f"{self.hub.address}/{name}", "name": name, "id": "1"}
        if name in self.hub.repos:
            return self.answer(409, address)
        hidden = asked.get("private") or asked.get("visibility") == "private"
        self.hub.add(name, {}, private=bool(hidden))
        return self.answer(200, address)

    def validate(self):
        card = json.loads(self.content)["content"]
        front = yaml.safe_load(card.split("---\n")[1])
        if front.get("license") == "mine":
            return self.answer(400, {"errors": [{"message": '"license" must be one of …'}]})
        return self.answer(200, {"errors": [], "warnings": []})

    def preupload(self, _name, _revision):
        if not self.is_known:
            return self.answer(401, {"error": "Invalid username or password."})
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(".bpr") else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for one in json.loads(self.content)["files"]
        ]
        return self.answer(200, {"files": files})

    def batch(self, _name):
        objects = [
            {
                **one,
                "authenticated": True,
                "actions": {"upload": {"href": f"{self.hub.address}/large/{one['oid']}"}},
            }
            for one in json.loads(self.content)["objects"]
        ]
        return self.answer(200, {"transfer": "basic", "objects": objects})

    def upload(self, oid):
        assert hashlib.sha256(self.content).hexdigest() == oid
        self.hub.large[oid] = self.content
        return self.answer(200)

    def commit(self, name, _revision):
        if not self.is_known:
            return self.answer(401, {"error": "Invalid username or password."})
        repo = self.hub.repos[name]
        for line in self.content.splitlines():
            step = json.loads(line)
            value = step["value"]
            if step["key"] == "header":
                repo.messages.append(value["summary"])
            elif step["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif step["key"] == "lfsFile":
                repo.files[value["path"]] = self.hub.large[value["oid"]]
        address = f"{self.hub.address}/{name}/commit/{COMMIT}"
        answer = {"success": True, "commitOid": COMMIT, "commitUrl": address, "hookOutput": ""}
        return self.answer(200, answer)

    def resolve(self, name, revision, file):
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self.is_known):
            return self.answer(401, X_Error_Code="RepoNotFound", X_Error_Message="not found")
        if repo.gated:
            return self.answer(403, X_Error_Code="GatedRepo", X_Error_Message="ask")
        if revision not in ("main", "v1", COMMIT):
            return self.answer(404, X_Error_Code="RevisionNotFound", X_Error_Message="no")
        if file not in repo.files:
            return self.answer(404, X_Error_Code="EntryNotFound", X_Error_Message="no")
        content = repo.files[file]
        tag = f'"{hashlib.sha1(content).hexdigest()}"'
        return self.answer(200, content, X_Repo_Commit=COMMIT, ETag=tag)

    def info(self, name, _revision=None):
        if name not in self.hub.repos:
            return self.answer(404, X_Error_Code="RepoNotFound", X_Error_Message="not found")
        return self.answer(200, {"id": name, "sha": COMMIT, "siblings": []})

    routes: ClassVar = {
        r"/api/whoami-v2": who,
        r"/api/repos/create": create,
        r"/api/validate-yaml": validate,
        r"/api/models/([^/]+/[^/]+)/preupload/(.+)": preupload,
        r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch": batch,
        r"/large/(\w+)": upload,
        r"/api/models/([^/]+/[^/]+)/commit/(.+)": commit,
        r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?": info,
        r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)": resolve,
    }
