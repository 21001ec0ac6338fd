"""Text from outside as a database can keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def clean(text: str) -> str:
    """Without what a database cannot keep: NUL and lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def shortened(text: object, length: int) -> str:
    """At most that many characters of a text; nothing of anything else."""
    return clean(text[:length]) if isinstance(text, str) else ""


def json_text(value: Any, length: int) -> str:
    """A value as JSON to read; empty where there is nothing in it. Where it is cut, the end says so."""
    if not value:
        return ""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, RecursionError):
        return ""
    whole = shortened(text, length)
    if len(text) <= length:
        return whole
    return f"{whole}\n… " + _("(%(count)d characters in all)") % {"count": len(text)}


def cleaned(value: Any) -> Any:
    """A JSON value whose texts a database can keep."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): cleaned(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(entry) for entry in value]
    return value
