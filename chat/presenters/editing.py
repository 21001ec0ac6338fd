"""The form for another version of a message."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileChoice:
    """A file of a question that is edited, and whether it stays."""

    id: str
    name: str
    stays: bool


@dataclass(frozen=True, slots=True)
class EditView:
    """The form for another version of a message. ``error`` is a sentence or empty."""

    id: int
    conversation_id: str
    role: str
    text: str
    error: str
    files: tuple[FileChoice, ...]
    back_url: str
