"""Presets of sampling options that the hub brings along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chat.models import Conversation


@dataclass(frozen=True, slots=True)
class BuiltinPreset:
    """Options under a name that is translated."""

    label: str | Promise
    description: str | Promise
    options: Mapping[str, Any]


BUILTIN: Mapping[str, BuiltinPreset] = {
    "balanced": BuiltinPreset(
        _("Balanced"), _("for most things"), {"temperature": 0.7, "top_k": 40, "top_p": 0.9}
    ),
    "creative": BuiltinPreset(
        _("Creative"), _("for stories and ideas"), {"temperature": 1.2, "top_k": 60, "top_p": 0.95}
    ),
    "precise": BuiltinPreset(
        _("Precise"), _("for facts and summaries"), {"temperature": 0.3, "top_k": 20, "top_p": 0.7}
    ),
    "code": BuiltinPreset(
        _("Code"),
        _("for programs"),
        {"temperature": 0.2, "top_k": 10, "top_p": 0.5, "max_tokens": 4096},
    ),
}


def preset_options(conversation: Conversation) -> Mapping[str, Any]:
    """The options of the preset that the conversation uses. A query only where that is a person's own."""
    if conversation.builtin_preset in BUILTIN:
        return BUILTIN[conversation.builtin_preset].options
    return conversation.preset.options if conversation.preset else {}


def preset_name(conversation: Conversation) -> str:
    """What that preset is called; empty without one."""
    if conversation.builtin_preset in BUILTIN:
        return str(BUILTIN[conversation.builtin_preset].label)
    return conversation.preset.name if conversation.preset else ""
