"""The product: conversations."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    """Conversations, messages and the answers being written."""

    name = "chat"
    verbose_name = _("Chat")
