"""``/v1/embeddings``, which all imitators of OpenAI offer in the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.adapters.base import Endpoint
from backends.adapters.classify import error_from_payload
from backends.adapters.http import Http
from backends.adapters.values import as_dict, as_int, as_list
from backends.adapters.vectors import pages, vectors


async def embeddings(http: Http, api: Endpoint, model: str, texts: Sequence[str]) -> list[list[float]]:
    """One vector for each text. ``api`` is the address with its version.

    Raises Unsupported where the server was not started for this, NotFound where it has no such route.
    """
    return [item for page in pages(texts) for item in await _page(http, api, model, page)]


async def _page(http: Http, api: Endpoint, model: str, texts: Sequence[str]) -> list[list[float]]:
    body = {"model": model, "input": list(texts), "encoding_format": "float"}
    answer = as_dict(
        await http.request_json(api, "POST", "/embeddings", body=body, timeout=api.timeouts.first_byte)
    )
    if answer.get("error"):
        raise error_from_payload(answer, api)
    entries = sorted(map(as_dict, as_list(answer.get("data"))), key=_position)
    return vectors([entry.get("embedding") for entry in entries], len(texts))


def _position(entry: dict[str, Any]) -> int:
    return as_int(entry.get("index")) or 0
