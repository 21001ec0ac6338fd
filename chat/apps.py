"""The product: conversations."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    """Conversations, messages and the answers being written."""

    name = "chat"
    verbose_name = _("Chat")

    def ready(self) -> None:
        """The database keeps the search's index, whatever migrations do to its tables."""
        from chat.searching import index  # once all models are there

        pre_migrate.connect(index.before_migrations, sender=self)
        post_migrate.connect(index.after_migrations, sender=self)
