"""Health, and what to say when a form's protection fails."""

from __future__ import annotations

import asyncio

from channels.layers import channel_layers
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database and channel layer work, 503 otherwise. Tells nothing else to strangers."""
    state = {"database": database_works(), "channel_layer": asyncio.run(layer_works())}
    healthy = all(state.values())
    body = {"status": "ok" if healthy else "failing", "version": settings.VERSION, **state}
    return JsonResponse(body, status=200 if healthy else 503)


def database_works() -> bool:
    """Whether it answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except Error:
        return False
    return True


async def layer_works() -> bool:
    """Whether a message goes out and comes back. Any error of any layer means no.

    A layer of its own: one layer may not be received from on two event loops at once.
    """
    layer = channel_layers.make_backend("default")
    try:
        async with asyncio.timeout(3):
            channel = await layer.new_channel("health")
            await layer.send(channel, {"type": "health"})
            answer = await layer.receive(channel)
            if hasattr(layer, "close_pools"):
                await layer.close_pools()
    except Exception:
        return False
    return bool(answer["type"] == "health")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open for too long or the browser blocks cookies; nothing was changed."""
    return render(request, "403_csrf.html", status=403)
