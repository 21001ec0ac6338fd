"""AI servers: which ones exist and how to speak to them."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BackendsConfig(AppConfig):
    """Backends and their catalogue of models."""

    name = "backends"
    verbose_name = _("AI servers")
