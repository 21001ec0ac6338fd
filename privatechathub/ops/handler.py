"""Django's pages under ASGI: one hop into a thread that keeps its database connection.

Django's own handler makes a thread for each request, opens a database connection in it and closes
both at the end; with SQLite that costs more than most pages. All of the hub's middleware and views
are synchronous, so the whole chain runs in one of a few threads that stay.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import django
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

#: More than processors, for views that wait: for the one writer of SQLite, or for an AI server's test.
THREADS = 16


class ThreadedHandler(ASGIHandler):
    """Runs the synchronous chain in a thread of its pool."""

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hub-page")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request. What it began is finished even when its client has gone."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        loop = asyncio.get_running_loop()
        with body:
            context = copy_context()
            response = await loop.run_in_executor(self.threads, context.run, self.answer, scope, body)
            try:
                await self.send_response(response, send)
            finally:
                if response.streaming:
                    await loop.run_in_executor(self.threads, response.close)

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
