"""A whole text as HTML."""

from __future__ import annotations

from chat.markdown import engine
from chat.markdown.citations import ENV, Citations


def render(text: str, citations: Citations | None = None) -> str:
    """A model's answer: complete and safe, whatever it contains. The marks of ``citations`` become links."""
    return engine.blocks(text, {ENV: citations} if citations else {})


def render_user(text: str) -> str:
    """A person's message: the same, with line breaks where they were typed."""
    return engine.user_blocks(text)
