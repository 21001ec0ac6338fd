"""Which formats there are. The first that recognises an object reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chat.transfer.formats import chatgpt, claude, hub, librechat, mobile, openwebui
from chat.transfer.portable import HUB, Talk

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the source that its conversations are known by, its name, and how it is read.

    ``read`` raises Unreadable.
    """

    source: str
    label: str
    recognises: Callable[[Item], bool]
    read: Callable[[Item], Talk]


FORMATS = (
    Format(HUB, "Private Chat Hub", hub.recognises, hub.read),
    Format("private-chat-hub-app", "Private Chat Hub (app)", mobile.recognises, mobile.read),
    Format("chatgpt", "ChatGPT", chatgpt.recognises, chatgpt.read),
    Format("claude", "Claude", claude.recognises, claude.read),
    Format("open-webui", "Open WebUI", openwebui.recognises, openwebui.read),
    Format("librechat", "LibreChat", librechat.recognises, librechat.read),
)

LABELS = {entry.source: entry.label for entry in FORMATS}


def format_of(item: Item) -> Format | None:
    """The format of an object, None for one that is no conversation."""
    return next((entry for entry in FORMATS if entry.recognises(item)), None)
