"""What an administrator decides about an MCP server."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backends.addresses import clean_address, origin
from chat.forms import SecretInput
from chat.mcp.target import McpProblem, allowed_command
from chat.models import McpKind, McpServer

#: Lines of arguments and of headers.
MOST = 50
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)")
#: Headers that HTTP or MCP itself sets.
_TAKEN = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept",
                    "accept-encoding", "cookie", "mcp-session-id", "mcp-protocol-version"})  # fmt: skip
_PLAIN = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class SecretLines(forms.Textarea):
    """Lines that are taken and never shown."""

    def format_value(self, value: object) -> None:
        """Nothing, whatever is stored or was typed."""


class McpServerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A server. Token and headers are write-only: an empty field keeps what is stored."""

    token = forms.CharField(label=gettext_lazy("Token"), required=False, strip=True, max_length=4000)
    headers = forms.CharField(
        label=gettext_lazy("Other headers"),
        required=False,
        max_length=8000,
        widget=SecretLines(attrs={"rows": 2, **_PLAIN}),
        help_text=gettext_lazy("One a line, like X-Key: value. They are stored encrypted and never shown."),
    )
    forget_secrets = forms.BooleanField(
        label=gettext_lazy("Forget the stored token and headers"), required=False
    )
    command = forms.ChoiceField(
        label=gettext_lazy("Program"),
        required=False,
        help_text=gettext_lazy("Only programs that the hub’s owner lists in MCP_COMMANDS can be started."),
    )
    lines = forms.CharField(
        label=gettext_lazy("Arguments"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 2, **_PLAIN}),
        help_text=gettext_lazy("For the program, one a line."),
    )

    class Meta:
        model = McpServer
        fields = [
            "name",
            "kind",
            "url",
            "token",
            "headers",
            "forget_secrets",
            "command",
            "lines",
            "enabled",
            "timeout",
            "access",
            "groups",
        ]
        widgets = {"url": forms.TextInput(attrs={"placeholder": "http://192.168.1.20:8000/mcp", **_PLAIN})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance
        self.fields["token"].widget = SecretInput(stored=bool(stored.token_encrypted))
        if stored.headers_encrypted:
            self.fields["headers"].widget.attrs["placeholder"] = _("•••••• stored; type to replace")
        if not stored.has_secrets:
            del self.fields["forget_secrets"]
        keys = dict.fromkeys([*settings.MCP_COMMANDS, *filter(None, [stored.command])])
        self.fields["command"].choices = [("", "—"), *((key, key) for key in keys)]  # type: ignore[attr-defined]
        self.fields["lines"].initial = "\n".join(map(str, stored.arguments))

    def clean_url(self) -> str:
        """An http(s) address without credentials, or nothing."""
        typed: str = self.cleaned_data["url"]
        return clean_address(typed) if typed.strip() else ""

    def clean_lines(self) -> list[str]:
        """The arguments."""
        lines = [line for line in self.cleaned_data["lines"].splitlines() if line.strip()]
        if len(lines) > MOST or any("\0" in line for line in lines):
            raise forms.ValidationError(_("At most %(count)d lines of text.") % {"count": MOST})
        return lines

    def clean_headers(self) -> dict[str, str]:
        """Names and values."""
        found: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["headers"].splitlines()):
            match = _HEADER.fullmatch(line.strip())
            if not match or match[1].lower() in _TAKEN or len(found) >= MOST:
                raise forms.ValidationError(
                    _("Write headers like X-Key: value, one a line. Some names belong to the protocol.")
                )
            found[match[1]] = match[2]
        return found

    def clean_token(self) -> str:
        """What can stand in a header."""
        typed: str = self.cleaned_data["token"]
        if not re.fullmatch(r"[\x21-\x7e]*", typed):
            raise forms.ValidationError(_("A token has no spaces and no special letters."))
        return typed

    def clean(self) -> dict[str, Any]:
        """What its kind needs, and secrets that stay at home."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("kind") == McpKind.STDIO:
            self.check_command(cleaned.get("command", ""))
        elif not cleaned.get("url") and "url" not in self.errors:
            self.add_error("url", _("Enter its address."))
        self.keep_secrets_at_home(cleaned)
        return cleaned

    def check_command(self, key: str) -> None:
        """Only what the owner of the hub listed."""
        try:
            allowed_command(key)
        except McpProblem as problem:
            if "command" not in self.errors:
                self.add_error("command", str(problem))

    def keep_secrets_at_home(self, cleaned: dict[str, Any]) -> None:
        """A stored secret is sent to the server that it was typed for and to no other."""
        before, after = self.initial.get("url", ""), cleaned.get("url", "")
        if not after or origin(before) == origin(after) or cleaned.get("forget_secrets"):
            return
        text = _("The address changed. Type this again for the new server, or forget it.")
        for name in ("token", "headers"):
            if getattr(self.instance, f"{name}_encrypted") and not cleaned.get(name):
                self.add_error(name, text)

    def save(self, commit: bool = True) -> McpServer:
        """Store the row; secrets only where new ones were typed."""
        server: McpServer = super().save(commit=False)
        server.arguments = self.cleaned_data["lines"]
        if self.cleaned_data.get("forget_secrets"):
            server.set_token("")
            server.set_headers({})
        if self.cleaned_data["token"]:
            server.set_token(self.cleaned_data["token"])
        if self.cleaned_data["headers"]:
            server.set_headers(self.cleaned_data["headers"])
        if commit:
            server.save()
            self.save_m2m()
        return server
