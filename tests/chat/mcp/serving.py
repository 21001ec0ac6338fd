"""Servers on loopback: the SDK's own, and crooked ones."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

SCHEMA = {"type": "object", "properties": {}}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app on a free port; its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, ws="none", log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


class Crooked:
    """Speaks just enough MCP by hand to do what the SDK's servers would not. ``seen``: headers of requests."""

    def __init__(self) -> None:
        self.tools: list[dict[str, Any]] = [{"name": "one", "description": "One.", "inputSchema": SCHEMA}]
        self.next_cursor: str | None = None
        self.before: Callable[[Request], Response | None] = lambda request: None
        self.result: Callable[[], Response | dict[str, Any]] = lambda: {"content": []}
        self.seen: list[dict[str, str]] = []
        self.listed = 0
        self.app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "DELETE"])])

    async def answer(self, request: Request) -> Response:
        self.seen.append(dict(request.headers))
        if early := self.before(request):
            return early
        if request.method != "POST":
            return Response(status_code=405)
        message = json.loads(await request.body())
        if "id" not in message:
            return Response(status_code=202)
        result = self.result_of(message["method"])
        if isinstance(result, Response):
            return result
        if result is None:
            error = {"code": -32601, "message": "Method not found"}
            return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error})
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def result_of(self, method: str) -> Response | dict[str, Any] | None:
        if method == "initialize":
            about = {"name": "crooked", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}
        if method == "tools/list":
            self.listed += 1
            more = {"nextCursor": self.next_cursor} if self.next_cursor else {}
            return {"tools": self.tools} | more
        return self.result() if method == "tools/call" else None


def endless(media_type: str, chunk: bytes, pause: float = 0.0) -> Response:
    """A body without an end."""

    async def body() -> Any:
        import asyncio

        while True:
            yield chunk
            await asyncio.sleep(pause)

    return StreamingResponse(body(), media_type=media_type)
