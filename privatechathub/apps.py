"""The site's own Django app: commands, checks, pages that belong to no other part."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HubConfig(AppConfig):
    """The hub itself."""

    name = "privatechathub"
    label = "hub"
    verbose_name = _("Hub")

    def ready(self) -> None:
        """Register the system checks."""
        from privatechathub import checks  # noqa: F401
