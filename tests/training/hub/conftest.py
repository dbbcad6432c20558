"""A server on this machine that speaks what `huggingface_hub` asks the hub for, and a run to push there."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from keras_vit.__main__ import main

TOKEN = "hf_right"
TELEMETRY = ("/api/agent-harnesses",)  # asked once in a process, and not needed
LARGE = (".keras", ".tflite")  # stored by their SHA-256, as the hub's rules for Git LFS have it


class Hub(http.server.ThreadingHTTPServer):
    """Repositories by name, each a list of commits, from the first: dicts from a path to its bytes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.repositories, self.visibility, self.objects = {}, {}, {}
        self.foreign = []  # requests that the stand-in does not know
        self.broken = None  # the kind of request whose connection breaks off

    def files(self, repository):
        return self.repositories[repository][-1]

    def sha(self, repository, number=-1):
        commits = self.repositories[repository]
        return hashlib.sha1(f"{repository} {range(len(commits))[number]}".encode()).hexdigest()

    def handle_error(self, *_):
        pass  # of connections that were broken off


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes = (
        ("POST", r"/api/repos/create", "create"),
        ("POST", r"/api/validate-yaml", "validate"),
        ("GET", r"/api/models/([^/]+/[^/]+)(?:/revision/main)?", "describe"),
        ("GET", r"/api/models/([^/]+/[^/]+)/tree/\w+", "tree"),
        ("POST", r"/api/models/([^/]+/[^/]+)/preupload/main", "preupload"),
        ("POST", r"/api/models/([^/]+/[^/]+)/commit/main", "commit"),
        ("POST", r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
        ("PUT", r"/objects/(\w+)", "store"),
        ("POST", r"/verify", "verify"),
        ("HEAD", r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", "resolve"),
        ("GET", r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", "resolve"),
    )

    def do(self):
        hub, place = self.server, unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for method, pattern, name in self.routes:
            found = re.fullmatch(pattern, place)
            if found and method == self.command:
                if hub.broken == name:
                    self.close_connection = True
                    return self.connection.close()
                if method != "GET" and method != "HEAD" and not self._is_allowed(name):
                    return self.answer({"error": "Invalid credentials"}, 401)
                return getattr(self, name)(*found.groups())
        if place not in TELEMETRY:
            hub.foreign.append((self.command, place))
        return self.answer({"error": "unknown to the stand-in"}, 404)

    do_GET = do_POST = do_PUT = do_HEAD = do

    def log_message(self, *_):
        pass

    def _is_allowed(self, name):
        return name == "store" or self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def answer(self, value, status=200, headers=()):
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for key, text in {"Content-Length": len(content), **dict(headers)}.items():
            self.send_header(key, str(text))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def create(self):
        hub, job = self.server, json.loads(self.body)
        name = f"{job['organization']}/{job['name']}"
        if job["organization"] != "me":
            return self.answer({"error": "You don't have the rights to create a model there"}, 403)
        if name in hub.repositories:
            error = {"error": "You already created this model repo", "url": f"{hub.address}/{name}"}
            return self.answer(error, 409)
        hub.repositories[name] = [{".gitattributes": b""}]
        hub.visibility[name] = job.get("visibility", job.get("private"))
        return self.answer({"url": f"{hub.address}/{name}", "name": name, "id": "0"})

    def validate(self):
        _, front, _ = json.loads(self.body)["content"].split("---\n", 2)
        is_known = yaml.safe_load(front).get("license") in (None, "apache-2.0", "mit")
        errors = [] if is_known else [{"message": '"license" must be one of [apache-2.0, mit, ...]'}]
        self.answer({"errors": errors, "warnings": []}, 400 if errors else 200)

    def describe(self, name):
        hub = self.server
        if name not in hub.repositories:
            return self.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        siblings = [{"rfilename": path} for path in hub.files(name)]
        return self.answer({"id": name, "sha": hub.sha(name), "siblings": siblings, "tags": []})

    def tree(self, name):
        found = self.server.files(name).items()
        entries = [{"type": "file", "path": path, "size": len(v), "oid": "0" * 40} for path, v in found]
        return self.answer(entries)

    def preupload(self, name):
        paths = [file["path"] for file in json.loads(self.body)["files"]]
        modes = ["lfs" if path.endswith(LARGE) else "regular" for path in paths]
        files = [
            {"path": p, "uploadMode": m, "shouldIgnore": False} for p, m in zip(paths, modes, strict=True)
        ]
        self.answer({"files": files})

    def batch(self, name):
        found = json.loads(self.body)["objects"]
        for entry in found:
            if entry["oid"] not in self.server.objects:
                href = f"{self.server.address}/objects/{entry['oid']}"
                entry["actions"] = {
                    "upload": {"href": href},
                    "verify": {"href": f"{self.server.address}/verify"},
                }
        self.answer({"transfer": "basic", "objects": found}, headers={"Content-Type": "application/json"})

    def store(self, oid):
        is_right = hashlib.sha256(self.body).hexdigest() == oid
        if is_right:
            self.server.objects[oid] = self.body
        self.answer({}, 200 if is_right else 422)

    def verify(self):
        self.answer({})

    def commit(self, name):
        hub = self.server
        files = dict(hub.files(name))
        for line in self.body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "header" and value.get("parentCommit") not in (None, hub.sha(name)):
                return self.answer({"error": "A commit has happened since"}, 412)
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            if operation["key"] == "lfsFile":
                files[value["path"]] = hub.objects[value["oid"]]
            if operation["key"] == "deletedFile":
                del files[value["path"]]
        hub.repositories[name].append(files)
        address = f"{hub.address}/{name}/commit/{hub.sha(name)}"
        return self.answer({"success": True, "commitOid": hub.sha(name), "commitUrl": address})

    def resolve(self, name, revision, path):
        hub = self.server
        if name not in hub.repositories:
            return self.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        numbers = {hub.sha(name, i): i for i in range(len(hub.repositories[name]))} | {"main": -1}
        headers = {"X-Repo-Commit": hub.sha(name, numbers[revision])}
        content = hub.repositories[name][numbers[revision]].get(path)
        if content is None:
            return self.answer({"error": "no entry"}, 404, {"X-Error-Code": "EntryNotFound", **headers})
        digest = (hashlib.sha256 if path.endswith(LARGE) else hashlib.sha1)(content).hexdigest()
        if path.endswith(LARGE):
            headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": len(content)}
        return self.answer(content, headers={"ETag": f'"{digest}"', **headers})


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The stand-in, which `huggingface_hub` uses with the right token and a cache of its own."""
    from huggingface_hub import constants

    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # before it tries again
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()
    assert not server.foreign


@pytest.fixture(scope="package")
def exported(tmp_path_factory):
    """A run on digits, trained, evaluated and exported by commands."""
    folder = tmp_path_factory.mktemp("hub") / "run"
    small = ("num_layers=1", "hidden_dim=16", "num_heads=2", "randaugment_layers=0", "optimizer=adamw")
    fields = (*small, "data=digits", "epochs=1", "subset=100")
    with contextlib.redirect_stdout(None):
        assert main(["train", "vit_digits", *fields, "--run-dir", str(folder)]) == 0
        assert main(["export", str(folder), "--variant", "fp32", "--max-drop", "100"]) == 0
    return folder
