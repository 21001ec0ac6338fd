"""A model that always wants to run a command: an OpenAI-compatible provider for OpenCode."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMAND = "echo from-the-shell"


class ShellModel:
    """Asked something it calls ``bash``, if it may; told a result it repeats it. Keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.url = ""

    def deltas(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The pieces of an answer."""
        last = request["messages"][-1]
        if last["role"] == "tool":
            yield {"content": f"The tool said: {last['content']}"}
        elif not request.get("tools"):
            yield {"content": "I have no tools."}
        else:
            arguments = json.dumps({"command": COMMAND, "description": "Says something"})
            function = {"name": "bash", "arguments": arguments}
            yield {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}


@contextmanager
def shell_model() -> Iterator[ShellModel]:
    """It listens on loopback for the time of a block."""
    model = ShellModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model.requests.append(request)
            deltas = list(model.deltas(request))
            finish = "tool_calls" if "tool_calls" in deltas[-1] else "stop"
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for delta, reason in [*((delta, None) for delta in deltas), ({}, finish)]:
                choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": reason}
                chunk = {"id": "c", "object": "chat.completion.chunk", "model": "shell", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
