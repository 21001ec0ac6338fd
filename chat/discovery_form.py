"""Where to look for AI servers: shown before anything is contacted."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from backends.searches.places import USUAL_PORTS, read_places, read_ports


class DiscoveryForm(forms.Form):
    """Ranges, addresses, names and ports; only private networks pass."""

    places = forms.CharField(
        label=_("Where"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_(
            "Ranges like 192.168.1.0/24, addresses and names, one a line. Only private networks, at most 1,024 "
            "addresses. Names like box.local work where this machine knows them."
        ),
    )
    ports = forms.CharField(
        label=_("Ports"),
        max_length=200,
        initial=", ".join(map(str, USUAL_PORTS)),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Where AI servers usually listen. Add your own with commas between them."),
    )

    def clean_places(self) -> str:
        """As it was typed, once it can be read."""
        typed: str = self.cleaned_data["places"]
        read_places(typed)
        return typed

    def clean_ports(self) -> tuple[int, ...]:
        """The numbers."""
        return read_ports(self.cleaned_data["ports"])
