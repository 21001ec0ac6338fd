"""People of the hub, their preferences, and the invitations that let new ones in."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

INVITATION_LIFE = timedelta(days=7)


class Theme(models.TextChoices):
    """How pages look."""

    SYSTEM = "system", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person. Administrators are ``is_staff``; they set up backends and invite people."""

    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    #: The model of the last new conversation, ``BACKEND-SLUG/MODEL-ID``; offered first next time.
    last_model = models.CharField(max_length=320, blank=True, default="", editable=False)
    #: The model that this person wants in every new conversation, written likewise.
    default_model = models.CharField(max_length=320, blank=True, default="", editable=False)

    #: Which tools models may call for this person, see ``chat.tools.switches``.
    tools = models.JSONField(default=dict, blank=True, editable=False)
    #: Where this person is, as they want models to know it.
    place = models.CharField(_("your place"), max_length=200, blank=True, default="")
    #: An IANA name, or empty for the hub's own.
    time_zone = models.CharField(_("your time zone"), max_length=64, blank=True, default="")
    #: What was typed for a new conversation and not sent.
    draft = models.TextField(blank=True, default="", editable=False)
    #: Messages of models that wait to be read, counted here so that pages need not.
    unread_notices = models.PositiveIntegerField(default=0, editable=False)

    @property
    def display_name(self) -> str:
        """What others see."""
        return self.get_full_name() or self.username


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Finders; a token is stored as its hash only."""

    def usable(self) -> InvitationQuerySet:
        """Neither used nor expired."""
        return self.filter(used_at=None, expires_at__gt=timezone.now())

    def by_token(self, token: str) -> Invitation | None:
        """The usable invitation with that token."""
        return self.usable().filter(token_hash=token_hash(token)).first()


class Invitation(models.Model):
    """A link that lets one person make an account, once, for a week."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(_("for whom"), max_length=80, blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.note or f"#{self.pk}"

    @classmethod
    def issue(cls, by: User, note: str = "") -> tuple[Invitation, str]:
        """A new invitation and its token, which is not to be had again."""
        token = secrets.token_urlsafe(24)
        invitation = cls.objects.create(
            token_hash=token_hash(token), created_by=by, note=note, expires_at=default_expiry()
        )
        return invitation, token


def token_hash(token: str) -> str:
    """What is stored instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def default_expiry() -> datetime:
    """A week from now."""
    return timezone.now() + INVITATION_LIFE
