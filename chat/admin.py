"""Administrators' rules for tools, in Django's own administration."""

from __future__ import annotations

from django.contrib import admin

from chat.models import ToolPolicy


@admin.register(ToolPolicy)
class ToolPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Which tools models may call, for whom. ``*`` with “Deny” switches tools off."""

    list_display = ("tool", "group", "verdict")
    list_filter = ("verdict",)
