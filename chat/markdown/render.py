"""A whole text as HTML."""

from __future__ import annotations

from chat.markdown import engine


def render(text: str) -> str:
    """A model's answer: complete and safe, whatever it contains."""
    return engine.blocks(text, {})


def render_user(text: str) -> str:
    """A person's message: the same, with line breaks where they were typed."""
    return engine.user_blocks(text)
