"""Backends in Django's admin. Secrets are write-only here too."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backends.addresses import clean_address
from backends.models import Backend
from backends.options import clean_options, options_of, read_lines, write_lines


class BackendAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    """The row, with fields that take a new secret and never show the old one."""

    new_api_key = forms.CharField(
        label=_("new key"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    new_password = forms.CharField(
        label=_("new password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    option_lines = forms.CharField(
        label=_("options"), required=False, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    )

    class Meta:
        model = Backend
        fields = [
            "name", "kind", "base_url", "username", "enabled", "access", "groups",
            "slots", "connect_timeout", "first_byte_timeout", "stall_timeout",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("connect_timeout", "first_byte_timeout", "stall_timeout"):
            self.fields[name].validators.append(MinValueValidator(1))
        names = ", ".join(option.name for option in options_of(self.instance.kind))
        self.fields["option_lines"].initial = write_lines(self.instance.options)
        self.fields["option_lines"].help_text = _("name=value, one a line. This kind has: %(names)s.") % {
            "names": names or "–"
        }

    def clean(self) -> dict[str, Any]:
        """Options that the kind has, with values that it takes."""
        cleaned: dict[str, Any] = super().clean() or {}
        try:
            lines = read_lines(cleaned.get("option_lines", "").splitlines())
            self.instance.options = clean_options(cleaned.get("kind", ""), lines)
        except ValidationError as error:
            self.add_error("option_lines", error)
        return cleaned

    def clean_base_url(self) -> str:
        """As on the hub's own page; the built-in model has an address of its own."""
        typed: str = self.cleaned_data["base_url"]
        plain = self.instance.managed or self.cleaned_data.get("kind") == "scripted"
        return typed if plain else clean_address(typed)


@admin.register(Backend)
class BackendAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """AI servers."""

    form = BackendAdminForm
    list_display = ["name", "kind", "base_url", "enabled", "state", "version", "checked_at"]
    list_filter = ["kind", "enabled", "state"]
    filter_horizontal = ["groups"]

    def save_model(self, request: HttpRequest, obj: Backend, form: Any, change: bool) -> None:
        """New secrets replace the stored ones; a changed address drops those that were not typed again."""
        if change and "base_url" in form.changed_data:
            obj.set_api_key("")
            obj.set_password("")
        if form.cleaned_data.get("new_api_key"):
            obj.set_api_key(form.cleaned_data["new_api_key"])
        if form.cleaned_data.get("new_password"):
            obj.set_password(form.cleaned_data["new_password"])
        super().save_model(request, obj, form, change)
