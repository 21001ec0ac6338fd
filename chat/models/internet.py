"""What administrators decide about the internet. Off until they do."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from backends.adapters.base import Secret
from backends.crypto import decrypt, encrypt


class SearchEngine(models.TextChoices):
    """Who searches the web."""

    NONE = "", _("Nobody")
    SEARXNG = "searxng", _("A SearXNG server")
    JINA = "jina", _("Jina, with a key")


class Internet(models.Model):
    """One row for the hub. ``networks`` are the private addresses that tools may reach all the same."""

    allowed = models.BooleanField(_("Models may use the internet"), default=False)
    networks = models.TextField(_("Private addresses that tools may reach"), blank=True, default="")
    search_engine = models.CharField(
        _("Who searches the web"), max_length=8, choices=SearchEngine, blank=True, default=SearchEngine.NONE
    )
    searxng_url = models.CharField(_("Address of the SearXNG server"), max_length=500, blank=True, default="")
    jina_key_encrypted = models.TextField(blank=True, default="", editable=False)

    def __str__(self) -> str:
        return "internet"

    @classmethod
    def current(cls) -> Internet:
        """The row, or one with everything off. One query."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def set_jina_key(self, value: str) -> None:
        """Store another key; save() is the caller's."""
        self.jina_key_encrypted = encrypt(value)

    def jina_key(self) -> Secret:
        """The key. Raises CannotDecrypt."""
        return decrypt(self.jina_key_encrypted)

    @property
    def can_search(self) -> bool:
        """Whether what the chosen engine needs is there."""
        needs = {SearchEngine.SEARXNG: self.searxng_url, SearchEngine.JINA: self.jina_key_encrypted}
        return self.allowed and bool(needs.get(SearchEngine(self.search_engine)))
