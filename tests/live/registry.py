"""An Ollama that only downloads: one model of one layer, a hundredth of it with every line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOTAL = 1_000_000


class Registry(ThreadingHTTPServer):
    """What arrived stays, as with the real one. ``begun`` holds where each download began."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.have = 0
        self.stop_at = TOTAL
        self.begun: list[int] = []
        self.open = 0
        self.models: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_args: Any) -> None:
        """A hub that was killed hangs up; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def do_GET(self) -> None:
        listed = (
            [] if self.path == "/api/ps" else [{"name": name, "size": TOTAL} for name in self.server.models]
        )
        self._whole({"models": listed, "version": "0.33.0"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path != "/api/pull":
            self._whole({"capabilities": ["completion"]})
            return
        self.server.begun.append(self.server.have)
        self.server.open += 1
        try:
            self._pull(asked["model"])
        finally:
            self.server.open -= 1
            self.close_connection = True

    def _pull(self, name: str) -> None:
        self._head("application/x-ndjson", "transfer-encoding", "chunked")
        registry = self.server
        while registry.have < TOTAL:
            registry.have += TOTAL // 100 if registry.have < registry.stop_at else 0
            self._line(status="pulling abc", digest="sha256:abc", total=TOTAL, completed=registry.have)
            time.sleep(0.02)
        registry.models.append(name)
        self._line(status="success")

    def _line(self, **frame: Any) -> None:
        line = json.dumps(frame).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def _whole(self, payload: Any) -> None:
        body = json.dumps(payload).encode()
        self._head("application/json", "content-length", str(len(body)))
        self.wfile.write(body)

    def _head(self, kind: str, name: str, value: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Says nothing."""


@contextmanager
def registry() -> Iterator[Registry]:
    """Serve until the block ends."""
    with Registry() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
