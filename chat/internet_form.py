"""What an administrator decides about the internet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backends.addresses import clean_address
from chat.forms import SecretInput
from chat.models import Internet, SearchEngine
from chat.outbound.addresses import read_networks

#: Networks that an administrator may list, at most.
MAX_NETWORKS = 100


class InternetForm(forms.ModelForm):  # type: ignore[type-arg]
    """The switch, what is reached beside the public internet, and who searches. The key is write-only."""

    jina_key = forms.CharField(label=gettext_lazy("Key of Jina"), required=False, strip=True, max_length=400)
    forget_key = forms.BooleanField(label=gettext_lazy("Forget the stored key"), required=False)

    class Meta:
        model = Internet
        fields = ["allowed", "search_engine", "searxng_url", "jina_key", "forget_key", "networks"]
        widgets = {
            "networks": forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"}),
            "searxng_url": forms.TextInput(
                attrs={"placeholder": "http://192.168.1.20:8888", "autocomplete": "off"}
            ),
        }
        help_texts = {
            "allowed": gettext_lazy(
                "Off: this hub talks to its AI servers, and to MCP servers on your own network. On: models may fetch "
                "pages and search, for whoever asks, and every host is written down."
            ),
            "searxng_url": gettext_lazy(
                "It may be on your own network. Its settings must allow the format json."
            ),
            "networks": gettext_lazy(
                "Tools reach the public internet only. List networks like 192.168.1.0/24 to open them too; the AI "
                "servers in them stay closed."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = bool(self.instance.jina_key_encrypted)
        self.fields["jina_key"].widget = SecretInput(stored=stored)
        if not stored:
            del self.fields["forget_key"]

    def clean_networks(self) -> str:
        """As it was typed, once it can be read."""
        typed: str = self.cleaned_data["networks"]
        try:
            networks = read_networks(typed)
        except ValueError as error:
            text = _("%(word)s is not an address or a range.") % {"word": str(error)[:60]}
            raise forms.ValidationError(text) from None
        if len(networks) > MAX_NETWORKS:
            raise forms.ValidationError(_("At most %(count)d networks.") % {"count": MAX_NETWORKS})
        return typed

    def clean_searxng_url(self) -> str:
        """An http(s) address without credentials, or nothing."""
        typed: str = self.cleaned_data["searxng_url"]
        return clean_address(typed) if typed.strip() else ""

    def clean(self) -> dict[str, Any]:
        """The chosen engine has what it needs."""
        cleaned: dict[str, Any] = super().clean() or {}
        has_key = cleaned.get("jina_key") or (
            self.instance.jina_key_encrypted and not cleaned.get("forget_key")
        )
        if cleaned.get("search_engine") == SearchEngine.SEARXNG and not cleaned.get("searxng_url"):
            if "searxng_url" not in self.errors:
                self.add_error("searxng_url", _("Enter its address."))
        elif cleaned.get("search_engine") == SearchEngine.JINA and not has_key:
            self.add_error("jina_key", _("Enter the key."))
        return cleaned

    def save(self, commit: bool = True) -> Internet:
        """Store the one row; the key only where a new one was typed."""
        internet: Internet = super().save(commit=False)
        internet.pk = 1
        if self.cleaned_data.get("forget_key"):
            internet.set_jina_key("")
        if self.cleaned_data.get("jina_key"):
            internet.set_jina_key(self.cleaned_data["jina_key"])
        if commit:
            internet.save()
        return internet
