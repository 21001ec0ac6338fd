"""People and how they get in."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users, invitations, preferences."""

    name = "privatechathub.accounts"
    label = "accounts"
    verbose_name = _("People")
