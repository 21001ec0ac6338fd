"""Waiting and asking, over plain http.client."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for it, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


async def ask(url: str, path: str = "/v1/models", key: str = "") -> tuple[int, Any]:
    """Status and JSON body of a GET."""
    return await asyncio.to_thread(_ask, url, path, key)


def _ask(url: str, path: str, key: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


def chat(url: str, key: str, question: str, max_tokens: int = 40) -> list[dict[str, Any]]:
    """The chunks of one streamed answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        body = {
            "model": "any",
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": max_tokens,
            "temperature": 0,
            "messages": [{"role": "user", "content": question}],
        }
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        lines = [line[6:].strip() for line in response if line.startswith(b"data: ")]
        assert lines.pop() == b"[DONE]"
        return [json.loads(line) for line in lines]
    finally:
        connection.close()
