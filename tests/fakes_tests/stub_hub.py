"""The least that the measurements need of a hub: sign-in, composer, conversation, websocket, relay."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

from tests.bench.websocket import CLOSE, GUID, TEXT, encode_frame
from tests.fakes.http1 import RequestParser, head
from tests.fakes.records import Request

FORM = """<form id="composer" method="post" action="{action}"><input type="hidden" name="key" value="{key}">
<textarea name="text"></textarea><select name="model"><option value="fake/fast">fast</option></select></form>"""


class StubHub:
    """Numbers conversations and relays answers to whoever listens."""

    def __init__(self, backend: str) -> None:
        self._backend = urlsplit(backend)
        self._watchers: dict[str, list[asyncio.StreamWriter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._chats = self._keys = 0
        self.origin = ""

    async def __aenter__(self) -> StubHub:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        parser = RequestParser()
        try:
            while data := await reader.read(65536):
                parser.feed(data)
                while request := parser.next_request():
                    if request.path.startswith("/ws/"):
                        await self._listen(request, reader, writer)
                        return
                    writer.write(self._answer(request))
        except ConnectionError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    def _answer(self, request: Request) -> bytes:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        match request.method, request.path:
            case "GET", "/accounts/login/":
                return self._page(
                    '<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="c"></form>'
                )
            case "POST", "/accounts/login/":
                right = (form["login"], form["password"], form["csrfmiddlewaretoken"]) == (
                    "ada",
                    "secret",
                    "c",
                )
                return self._go("/", ("Set-Cookie", "sessionid=s1")) if right else self._page("wrong")
            case _ if request.headers.get("cookie") != "sessionid=s1":
                return self._go("/accounts/login/")
            case "GET", "/":
                return self._page('<link rel="stylesheet" href="/a.css">' + self._form("/chat/new/"))
            case "GET", "/a.css":
                return self._page("a{background:url(https://elsewhere.example/x.png)}", "text/css")
            case "POST", "/chat/new/":
                self._chats += 1
                chat = f"/chat/{self._chats}/"
                self._start(chat, form)
                return self._page("<p>started</p>", more=[("HX-Push-Url", chat)])
            case "POST", path:
                self._start(path, form)
                return self._page("")
            case _, path:
                return self._page(f'<main hx-ws:connect="/ws{path}">{self._form(path)}</main>')

    def _form(self, action: str) -> str:
        self._keys += 1
        return FORM.format(action=action, key=f"k{self._keys}")

    @staticmethod
    def _page(html: str, media_type: str = "text/html", more: list[tuple[str, str]] | None = None) -> bytes:
        body = html.encode()
        return (
            head(200, [("Content-Type", media_type), ("Content-Length", str(len(body))), *(more or [])])
            + body
        )

    @staticmethod
    def _go(where: str, *more: tuple[str, str]) -> bytes:
        return head(302, [("Location", where), ("Content-Length", "0"), *more])

    async def _listen(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        key = request.headers["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()  # noqa: S324
        writer.write(head(101, [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept)]))
        self._watchers.setdefault(request.path.removeprefix("/ws"), []).append(writer)
        await reader.read(100)
        writer.write(encode_frame(CLOSE, b"\x03\xe8", b""))

    def _start(self, chat: str, form: dict[str, str]) -> None:
        task = asyncio.create_task(self._relay(chat, form["text"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, chat: str, text: str) -> None:
        while chat not in self._watchers:
            await asyncio.sleep(0.001)
        body = json.dumps({"model": "fast", "stream": True, "messages": [{"role": "user", "content": text}]})
        reader, writer = await asyncio.open_connection(self._backend.hostname, self._backend.port)
        request = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        writer.write(request.encode())
        try:
            async for line in reader:
                if b'"content":"' in line:
                    self._tell(chat, line.split(b'"content":"')[1].split(b'"')[0])
                elif b"[DONE]" in line:
                    break
        finally:
            writer.close()
        self._tell(chat, b'<article data-status="completed"></article>')

    def _tell(self, chat: str, text: bytes) -> None:
        for watcher in self._watchers.get(chat, ()):
            watcher.write(encode_frame(TEXT, text, b""))
