"""Servers that bring tools of their own, by the Model Context Protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from backends.access import Restricted, RestrictedQuerySet
from backends.adapters.base import Secret
from backends.crypto import decrypt, encrypt
from backends.slugs import unused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Characters of a slug: it leads every tool's name, and OpenAI takes names of at most 64.
SLUG_LENGTH = 20


class McpKind(models.TextChoices):
    """How the server is reached."""

    HTTP = "http", _("By its address (streamable HTTP)")
    STDIO = "stdio", _("As a program that the hub starts (stdio)")


class McpState(models.TextChoices):
    """What the last look showed."""

    UNKNOWN = "unknown", _("Not looked at yet")
    ONLINE = "online", _("Answers")
    OFFLINE = "offline", _("Does not answer")


class McpServerQuerySet(RestrictedQuerySet["McpServer"]):
    """Finders that know who may use what."""

    def enabled(self) -> McpServerQuerySet:
        """Those switched on."""
        return self.filter(enabled=True)

    def usable_by(self, user: User) -> McpServerQuerySet:
        """Those whose tools this person's models may call."""
        return self.enabled().open_to(user)


class McpServer(Restricted):
    """A configured MCP server. Token and headers are stored encrypted and are write-only for people.

    ``tools`` is what it listed last, as :mod:`chat.mcp.listing` keeps it.
    """

    name = models.CharField(_("name"), max_length=60, unique=True)
    slug = models.SlugField(max_length=SLUG_LENGTH, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=5, choices=McpKind, default=McpKind.HTTP)
    url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("For example http://192.168.1.20:8000/mcp"),
    )
    token_encrypted = models.TextField(blank=True, default="", editable=False)
    headers_encrypted = models.TextField(blank=True, default="", editable=False)
    command = models.CharField(_("program"), max_length=60, blank=True, default="")
    arguments = models.JSONField(blank=True, default=list, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    timeout = models.FloatField(
        _("time-out"),
        default=30.0,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text=_("Seconds that one call may take."),
    )

    tools = models.JSONField(blank=True, default=list, editable=False)
    state = models.CharField(max_length=8, choices=McpState, default=McpState.UNKNOWN, editable=False)
    state_message = models.CharField(max_length=400, blank=True, default="", editable=False)
    latency_ms = models.FloatField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = McpServerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("MCP server")
        verbose_name_plural = _("MCP servers")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill the slug once: rules for its tools go by it."""
        if not self.slug:
            self.slug = unused_slug(self.name)
        super().save(*args, **kwargs)

    def set_token(self, value: str) -> None:
        """Store another bearer token; save() is the caller's."""
        self.token_encrypted = encrypt(value)

    def set_headers(self, headers: dict[str, str]) -> None:
        """Store other headers; save() is the caller's."""
        self.headers_encrypted = encrypt(json.dumps(headers) if headers else "")

    def token(self) -> Secret:
        """The bearer token. Raises CannotDecrypt."""
        return decrypt(self.token_encrypted)

    def headers(self) -> dict[str, str]:
        """The headers. Raises CannotDecrypt."""
        stored = decrypt(self.headers_encrypted).reveal()
        return dict(json.loads(stored)) if stored else {}

    @property
    def has_secrets(self) -> bool:
        """Whether a token or headers are stored; they are never shown."""
        return bool(self.token_encrypted or self.headers_encrypted)


def unused_slug(name: str) -> str:
    """A slug that no other server has, and no page. It holds no underscore: two part it from a tool's name."""
    stem = slugify(name.replace("_", " "))[: SLUG_LENGTH - 4].strip("-") or "mcp"
    return unused(stem, McpServer.objects.all())
