"""The hub as an ASGI application: pages, and the websockets of their conversations."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "privatechathub.settings")

from privatechathub.ops.handler import pages

django_pages = pages()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from chat.generation import runtime
from chat.realtime.routing import websocket_urlpatterns


class SameOrigin:
    """Lets a websocket in only from a page of the very host that it connects to."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Close the connection of any other page before it is accepted."""
        if is_same_origin(dict(scope["headers"])):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})


def is_same_origin(headers: dict[bytes, bytes]) -> bool:
    """Whether the page's origin is this host or a trusted origin."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        return bool(host and urlsplit(origin).netloc == host)
    except ValueError:
        return False


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Close a websocket at an address that is none."""
    await send({"type": "websocket.close", "code": 4404})


class WithRuntime:
    """Starts what runs beside the pages with the first connection, whatever server runs the application."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Daphne has no lifespan events, so the first request is the first chance."""
        if runtime.current() is None and scope["type"] in {"http", "websocket"}:
            await runtime.start()
        await self.application(scope, receive, send)


sockets = [*websocket_urlpatterns, re_path("", nowhere)]  # type: ignore[arg-type]

application = WithRuntime(
    ProtocolTypeRouter(
        {
            "http": django_pages,
            "websocket": SameOrigin(URLRouter(sockets)),
        }
    )
)
