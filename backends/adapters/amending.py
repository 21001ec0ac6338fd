"""Sending a request again, a little smaller, to a server that refuses a part of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from backends.adapters.errors import BadRequest
from backends.adapters.http import Stream

Body = dict[str, Any]
#: A server that refuses one field after the other gets so many requests in all.
MAX_ATTEMPTS = 4

_REFUSAL = re.compile(
    r"unrecogni[sz]ed|unsupported|unknown|unexpected|extra|not support|not (supported|permitted|allowed)",
    re.IGNORECASE,
)


@asynccontextmanager
async def opened(
    send: Callable[[Body], AbstractAsyncContextManager[Stream]],
    body: Body,
    amended: Callable[[Body, BadRequest], Body],
) -> AsyncIterator[tuple[Stream, Body]]:
    """The stream, and the body that the server took.

    ``amended`` gives the next body to try, or raises where nothing can be changed.
    """
    async with AsyncExitStack() as stack:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                stream = await stack.enter_async_context(send(body))
                break
            except BadRequest as error:
                body = amended(body, error)
                if attempt == MAX_ATTEMPTS:
                    raise
        yield stream, body


def without(body: Body, names: Iterable[str]) -> Body:
    """The body less these fields."""
    left_out = set(names)
    return {name: value for name, value in body.items() if name not in left_out}


def refused(error: BadRequest) -> frozenset[str]:
    """The fields that the error names: in its own list, as ``param``, or in its sentence."""
    listed = {*error.data.get("fields", "").split(","), error.data.get("param", "").partition(".")[0]}
    if _REFUSAL.search(error.message):
        listed.update(re.findall(r"\w+", error.message))
    return frozenset(listed)
