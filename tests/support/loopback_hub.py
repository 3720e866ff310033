"""A hub of data sets on 127.0.0.1: speaks what its client asks for, misbehaves on demand."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.server.owner.serve(self)

    def do_GET(self):
        self.server.owner.serve(self)

    def log_message(self, *_args):
        """Nothing is printed."""


class LoopbackHub:
    """The hub; use it as a context manager.

    ``files`` are {(repository, path): bytes}, each at the revision given with it. Large files
    (``small`` bytes or more) are redirected to another address and tagged with their SHA-256,
    small ones with the SHA-1 of their git object, as the real hub does. ``cuts`` are the bytes
    after which each next transfer ends; ``lies`` {path: bytes} are sent in place of the truth.
    """

    def __init__(self, files, revisions, small=200):
        self.files, self.revisions, self.small = dict(files), dict(revisions), small
        self.cuts, self.lies, self.asked = [], {}, []

    def __enter__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def sent(self, path):
        """The ranges asked for in transfers of a file, None for a whole one."""
        return [bounds for method, name, bounds in self.asked if (method, name) == ("GET", path)]

    def serve(self, request):
        """Answer one request."""
        if "/tree/" in request.path:
            self._list(request)
            return
        owner, name, _, revision, path = request.path.split("/datasets/")[-1].split("/", 4)
        repository = f"{owner}/{name}"
        content = self.files.get((repository, path))
        headers = {"X-Repo-Commit": self.revisions[repository]}
        if content is None or revision != self.revisions[repository]:
            self._tell(request, 404, b"", headers | {"X-Error-Code": "EntryNotFound"})
            return
        large = len(content) >= self.small
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        tag = hashlib.sha256(content).hexdigest() if large else blob.hexdigest()
        if large:
            headers |= {"X-Linked-Etag": f'"{tag}"', "X-Linked-Size": str(len(content))}
        if large and "/cdn/" not in request.path:
            headers["Location"] = f"{self.url}/cdn/datasets/{request.path.split('/datasets/')[-1]}"
            self._tell(request, 302, b"", headers)
            return
        self._send(request, path, self.lies.get(path, content), headers | {"ETag": f'"{tag}"'})

    def _list(self, request):
        """The files of a folder, as the hub's API lists them."""
        where = unquote(request.path.split("?")[0]).split("/datasets/")[-1]
        owner, name, _, revision, folder = where.split("/", 4)
        repository = f"{owner}/{name}"
        inside = [p for r, p in self.files if r == repository and p.rpartition("/")[0] == folder]
        if not inside or revision != self.revisions[repository]:
            self._tell(request, 404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        entries = [{"type": "file", "path": p, "size": 1, "oid": "0" * 40} for p in inside]
        content = json.dumps(entries).encode()
        self._tell(request, 200, content, {"Content-Type": "application/json"})

    def _send(self, request, path, content, headers):
        bounds = request.headers.get("Range")
        self.asked.append((request.command, path, bounds))
        start = 0 if bounds is None else int(bounds.removeprefix("bytes=").split("-")[0])
        if bounds is not None:
            headers |= {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self._tell(request, 200 if bounds is None else 206, content[start:], headers)

    def _tell(self, request, code, content, headers):
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command == "HEAD" or not content:
            return
        cut = self.cuts.pop(0) if self.cuts else len(content)
        request.wfile.write(content[:cut])
        if cut < len(content):
            request.close_connection = True
