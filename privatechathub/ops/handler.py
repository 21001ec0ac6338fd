"""Django's pages under ASGI: one hop into a thread that keeps its database connection.

Django's own handler makes a thread for each request, opens a database connection in it and closes
both at the end; with SQLite that costs more than most pages. All of the hub's middleware and views
are synchronous, so the whole chain runs in one of a few threads that stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

import django
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

T = TypeVar("T")

#: For views that wait for something else than a processor, an AI server's test for example.
THREADS = 16
#: Requests at a time. With more, Python's threads take turns so often that none is ready soon and that the
#: event loop, which streams everybody's answers, gets one turn among many.
AT_A_TIME = 3
#: Seconds after which a request is believed to wait and the next one may begin.
SLOW = 0.25


class Turn:
    """One request's turn; it ends once, when the request is done or takes long."""

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns: asyncio.Semaphore | None = turns

    def end(self) -> None:
        """Let the next one begin."""
        if self._turns is not None:
            self._turns.release()
            self._turns = None


class ThreadedHandler(ASGIHandler):
    """Runs the synchronous chain in a thread of its pool."""

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hub-page")
        self.turns = asyncio.Semaphore(AT_A_TIME)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request. What it began is finished even when its client has gone."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await self.in_turn(copy_context().run, self.answer, scope, body)
            try:
                await self.send_response(response, send)
            finally:
                if response.streaming:
                    await self.in_turn(response.close)

    async def in_turn(self, work: Callable[..., T], *args: Any) -> T:
        """Do the work in a thread, first come first served."""
        loop = asyncio.get_running_loop()
        await self.turns.acquire()
        turn = Turn(self.turns)
        impatience = loop.call_later(SLOW, turn.end)
        try:
            return await loop.run_in_executor(self.threads, work, *args)
        finally:
            impatience.cancel()
            turn.end()

    def answer(self, scope: dict[str, Any], body: Any) -> HttpResponseBase:
        """The whole request, in one thread. A streaming response is closed once it is sent."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response = self.respond(request) if request else refusal
        assert response is not None  # noqa: S101 - one of the two is there
        if not response.streaming:
            response.close()
        return response

    def respond(self, request: ASGIRequest) -> HttpResponseBase:
        """Middleware and view."""
        response: HttpResponseBase = self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        return response


def pages() -> ThreadedHandler:
    """Django, ready to serve."""
    django.setup(set_prefix=False)
    return ThreadedHandler()
