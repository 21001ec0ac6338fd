"""Rendered Markdown is kept for a while: a finished text never changes, and pages show it again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from chat.markdown import Citations, render

#: Characters of HTML that are kept in all.
LIMIT = 4_000_000

_kept: OrderedDict[bytes, str] = OrderedDict()
_size = 0
_lock = threading.Lock()


def rendered(text: str, renderer: Callable[[str], str] = render) -> str:
    """The HTML of a text that will not grow."""
    return _kept_or(_key(text, renderer.__name__), lambda: renderer(text))


def rendered_answer(text: str, citations: Citations) -> str:
    """The same of a model's answer, the marks of its sources as links."""
    if not citations:
        return rendered(text)
    salt = blake2b(repr(sorted(citations.items())).encode("utf-8", "replace"), digest_size=16).digest()
    return _kept_or(_key(text, "answer", salt), lambda: render(text, citations))


def _key(text: str, how: str, salt: bytes = b"") -> bytes:
    return blake2b(
        text.encode("utf-8", "replace"), digest_size=16, person=how[:16].encode(), salt=salt
    ).digest()


def _kept_or(key: bytes, render_it: Callable[[], str]) -> str:
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    html = render_it()
    keep(key, html)
    return html


def keep(key: bytes, html: str) -> None:
    """Remember it, and forget what was not asked for the longest."""
    global _size
    with _lock:
        if key not in _kept:
            _kept[key] = html
            _size += len(html)
        while _size > LIMIT and _kept:
            _size -= len(_kept.popitem(last=False)[1])
