"""People in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from privatechathub.accounts.models import Invitation, User


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts: disable, change roles, set another password."""

    list_display = ["username", "is_staff", "is_active", "last_login"]


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who invited whom; links are made on the hub's own page, since a token is shown once."""

    list_display = ["note", "created_by", "created_at", "expires_at", "used_by"]
    readonly_fields = ["created_by", "created_at", "expires_at", "used_at", "used_by"]

    def has_add_permission(self, request: Any) -> bool:
        """Made elsewhere."""
        return False
