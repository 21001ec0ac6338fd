"""Forms of the product."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MinValueValidator
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from backends.adapters.base import Timeouts
from backends.adapters.registry import KINDS
from backends.addresses import clean_address, origin
from backends.models import Backend
from chat.option_fields import PREFIX, option_fields, options_in

#: Form field -> field of Timeouts.
TIMEOUTS = {"connect_timeout": "connect", "first_byte_timeout": "first_byte", "stall_timeout": "stall"}


#: Another kind has other options: with a script they come at once. Only the kind goes into that address,
#: never what else is typed in the form.
KIND_CHOSEN = {
    "hx-get": reverse_lazy("chat:backend-options"),
    "hx-target": "#backend-options",
    "hx-swap": "outerHTML",
}


class SecretInput(forms.PasswordInput):
    """A field that takes a secret and never shows one."""

    def __init__(self, *, stored: bool = False) -> None:
        attributes = {"autocomplete": "off", "spellcheck": "false"}
        if stored:
            attributes["placeholder"] = str(_("•••••• stored; type to replace"))
        super().__init__(attrs=attributes, render_value=False)


class BackendForm(forms.ModelForm):  # type: ignore[type-arg]
    """An AI server. Secrets are write-only: an empty field keeps what is stored."""

    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(key, kind.label) for key, kind in KINDS.items() if kind.public]
    )
    api_key = forms.CharField(label=_("Key"), required=False, strip=True, max_length=4000)
    password = forms.CharField(label=_("Password"), required=False, strip=False, max_length=1000)
    forget_secrets = forms.BooleanField(label=_("Forget the stored key and password"), required=False)

    class Meta:
        model = Backend
        fields = [
            "name",
            "kind",
            "base_url",
            "api_key",
            "username",
            "password",
            "forget_secrets",
            "enabled",
            "access",
            "groups",
            "slots",
            "connect_timeout",
            "first_byte_timeout",
            "stall_timeout",
        ]
        widgets = {"base_url": forms.URLInput(attrs={"placeholder": "http://192.168.1.20:11434"})}

    def __init__(self, *args: Any, all_kinds: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance
        self.fields["kind"].widget.attrs |= KIND_CHOSEN
        if all_kinds:
            self.fields["kind"].choices = [(key, kind.label) for key, kind in KINDS.items()]  # type: ignore[attr-defined]
        if stored.managed:
            self.keep_to_people()
            return
        self.fields |= option_fields(self.chosen_kind(), stored.options)
        self.fields["api_key"].widget = SecretInput(stored=stored.has_api_key)
        self.fields["password"].widget = SecretInput(stored=stored.has_password)
        for name in TIMEOUTS:
            field = self.fields[name]
            field.required = False
            field.validators.append(MinValueValidator(1))
            field.widget.attrs["min"] = 1
        if not stored.has_api_key and not stored.has_password:
            del self.fields["forget_secrets"]

    def chosen_kind(self) -> str:
        """The kind whose options are asked for: what is typed, proposed or stored, or else the first."""
        if self.is_bound:
            return str(self.data.get("kind", ""))
        choices: list[tuple[str, str]] = self.fields["kind"].choices  # type: ignore[attr-defined]
        return str(self.initial.get("kind") or choices[0][0])

    @property
    def option_names(self) -> list[str]:
        """The fields of the part "Advanced"."""
        return [name for name in self.fields if name.startswith(PREFIX)]

    @property
    def kind_label(self) -> str:
        """The kind whose options these are."""
        kind = KINDS.get(self.chosen_kind())
        return kind.label if kind else ""

    def keep_to_people(self) -> None:
        """Where the hub runs the server itself, the owner decides its name and who may use it."""
        for name in self.fields.keys() - {"name", "enabled", "access", "groups", "slots"}:
            del self.fields[name]

    def clean_base_url(self) -> str:
        """An http(s) address without credentials in it."""
        typed: str = self.cleaned_data["base_url"]
        return typed if self.cleaned_data.get("kind") == "scripted" else clean_address(typed)

    def clean(self) -> dict[str, Any]:
        """Empty time-outs go back to their defaults."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in TIMEOUTS.keys() & self.fields.keys():
            if cleaned.get(name) in (None, ""):
                cleaned[name] = getattr(Timeouts(), TIMEOUTS[name])
        self.keep_secrets_at_home(cleaned)
        return cleaned

    def keep_secrets_at_home(self, cleaned: dict[str, Any]) -> None:
        """A stored secret is sent to the server that it was typed for and to no other."""
        before, after = self.initial.get("base_url", ""), cleaned.get("base_url", "")
        if not after or origin(before) == origin(after) or cleaned.get("forget_secrets"):
            return
        for name, stored in (
            ("api_key", self.instance.has_api_key),
            ("password", self.instance.has_password),
        ):
            if stored and not cleaned.get(name):
                self.add_error(
                    name, _("The address changed. Type this again for the new server, or forget it.")
                )

    def save(self, commit: bool = True) -> Backend:
        """Store the row; secrets only where new ones were typed, and gone with the address they were for."""
        backend: Backend = super().save(commit=False)
        if not backend.managed:
            backend.options = options_in(self.cleaned_data)
        if self.cleaned_data.get("forget_secrets"):
            backend.set_api_key("")
            backend.set_password("")
        if self.cleaned_data.get("api_key"):
            backend.set_api_key(self.cleaned_data["api_key"])
        if self.cleaned_data.get("password"):
            backend.set_password(self.cleaned_data["password"])
        if commit:
            backend.save()
            self.save_m2m()
        return backend
