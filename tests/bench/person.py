"""Somebody who uses the hub as a browser would: signs in, sends, listens."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

from tests.bench import websocket
from tests.bench.httpclient import HttpClient, Response
from tests.bench.pages import Form, PageError, new_location, read_form, socket_path
from tests.bench.tokens import TokenCounter

_OVER = re.compile(rb'data-status="(?:completed|failed|stopped|interrupted)"')
_ACTIVE = re.compile(rb'data-status="(?:running|queued)"')


@dataclass(slots=True)
class Person:
    """A session on the hub."""

    http: HttpClient

    @classmethod
    async def sign_in(cls, origin: str, username: str, password: str) -> Person:
        """Through the sign-in form."""
        http = HttpClient(origin)
        page = await http.follow(await http.get("/accounts/login/"))
        fields = read_form(page.text).fields | {"login": username, "password": password}
        answer = await http.post("/accounts/login/", fields, {"Referer": page.url})
        if answer.status not in (302, 303) or "sessionid" not in http.cookies:
            await http.close()
            raise PageError(f"signing in failed with {answer.status}")
        return cls(http)

    async def composer(self, url: str = "/") -> Form:
        """The composer of a page, with a key of its own."""
        page = await self.http.follow(await self.http.get(url))
        return self._composer_of(page)

    async def start_chat(self, message: str, counter: TokenCounter, form: Form | None = None) -> Chat:
        """Send the first message of a new conversation and listen to it."""
        form = form or await self.composer()
        page = await self.send(form, message)
        counter.feed(page.body, time.time())
        url = new_location(page.headers)
        path = socket_path(page.text)
        if path is None:
            if url is None:
                raise PageError(f"the answer to a new message ({page.status}) names no conversation")
            page = await self.http.follow(await self.http.get(url))
            counter.feed(page.body, time.time())
            path = socket_path(page.text)
        if path is None:
            raise PageError("a conversation's page has no hx-ws:connect")
        chat = Chat(self, url or page.url, path, counter)
        await chat.listen()
        return chat

    async def send(self, form: Form, message: str, model: str = "fast") -> Response:
        """Post a composer; errors are raised."""
        fields = form.fields | {"text": message, "model": self._model_of(form, model)}
        page = await self.http.post(form.action, fields, {"HX-Request": "true"})
        if page.status >= 400:
            raise PageError(f"sending failed with {page.status}")
        return page

    def _composer_of(self, page: Response) -> Form:
        if page.status != 200:
            raise PageError(f"{page.url} answered {page.status}")
        form = read_form(page.text, "composer")
        form.action = urljoin(page.url, form.action)
        return form

    @staticmethod
    def _model_of(form: Form, model: str) -> str:
        wanted = f"fake/{model}"
        if form.models and wanted not in form.models:
            raise PageError(f"no {wanted} in the model picker, only {', '.join(form.models[:8])}")
        return wanted


@dataclass(slots=True)
class Chat:
    """An open conversation whose frames go to ``counter``."""

    person: Person
    url: str
    path: str
    counter: TokenCounter
    over: asyncio.Event = field(default_factory=asyncio.Event)
    frames: int = 0
    received: int = 0
    _socket: websocket.WebSocket | None = None

    async def listen(self) -> None:
        """Open the websocket."""
        http = self.person.http
        url = urljoin(http.origin, self.path).replace("http://", "ws://", 1)
        self._socket = await websocket.connect(
            url, self._take, cookie=http.cookie_header(), origin=http.origin
        )

    async def composer(self) -> Form:
        """The composer of this conversation as it is now."""
        return await self.person.composer(self.url)

    async def ask(self, form: Form, message: str, counter: TokenCounter) -> Response:
        """Send a message; its tokens go to that counter from now on."""
        self.counter = counter
        self.over.clear()
        page = await self.person.send(form, message)
        counter.feed(page.body, time.time())
        return page

    async def ended(self, seconds: float = 10) -> None:
        """Wait until the page shows the answer as over; look at the page if no frame says so."""
        try:
            await asyncio.wait_for(self.over.wait(), seconds)
        except TimeoutError:
            page = await self.person.http.get(self.url)
            if _ACTIVE.search(page.body):
                raise PageError("an answer does not end") from None

    async def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            await self._socket.close()

    def _take(self, frame: bytes, now: float) -> None:
        self.frames += 1
        self.received += len(frame)
        self.counter.feed(frame, now)
        if self.counter.done.is_set() and _OVER.search(frame) and not _ACTIVE.search(frame):
            self.over.set()
