"""Backends (AI servers) and the catalogue of models that each one offers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from backends.access import Access, Restricted, RestrictedQuerySet
from backends.adapters.base import Capability, Endpoint, ModelInfo, Timeouts
from backends.adapters.errors import ErrorKind
from backends.adapters.registry import KINDS
from backends.crypto import decrypt, encrypt
from backends.preferences import ModelPreference
from backends.pulls.models import Pull
from backends.searches.models import Search
from backends.slugs import unused

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


#: What keeps a server from answering anything, and passes by itself.
AWAY = frozenset({ErrorKind.CONNECT, ErrorKind.TIMEOUT, ErrorKind.OVERLOADED})

__all__ = ["AWAY", "Access", "Backend", "CatalogueModel", "ModelPreference", "Pull", "Search", "State"]


class State(models.TextChoices):
    """What the last look at the server showed."""

    UNKNOWN = "unknown", _("Not looked at yet")
    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")


def kind_choices() -> list[tuple[str, str]]:
    """All kinds and their labels. A function, so that a new kind needs no migration."""
    return [(key, kind.label) for key, kind in KINDS.items()]


class BackendQuerySet(RestrictedQuerySet["Backend"]):
    """Finders that know who may use what."""

    def enabled(self) -> BackendQuerySet:
        """Those switched on."""
        return self.filter(enabled=True)

    def usable_by(self, user: User) -> BackendQuerySet:
        """Those that this person may talk to."""
        return self.enabled().open_to(user)


class Backend(Restricted):
    """A configured AI server. Credentials are stored encrypted and are write-only for people."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=kind_choices)
    base_url = models.CharField(
        _("address"), max_length=300, help_text=_("For example http://192.168.1.20:11434")
    )
    api_key_encrypted = models.TextField(blank=True, default="", editable=False)
    username = models.CharField(_("user name"), max_length=100, blank=True, default="")
    password_encrypted = models.TextField(blank=True, default="", editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    slots = models.PositiveSmallIntegerField(
        _("answers at once"),
        null=True,
        blank=True,
        help_text=_(
            "How many answers this server writes at the same time; others wait in line here. "
            "Empty: as many as the server says, or its own queue."
        ),
    )
    connect_timeout = models.FloatField(_("connect time-out"), default=5.0, help_text=_("Seconds."))
    first_byte_timeout = models.FloatField(
        _("first answer time-out"), default=330.0, help_text=_("Seconds; covers loading a model.")
    )
    stall_timeout = models.FloatField(
        _("silence time-out"), default=120.0, help_text=_("Seconds between two pieces.")
    )
    options = models.JSONField(blank=True, default=dict, editable=False)
    managed = models.BooleanField(
        default=False, editable=False, help_text="Run by the hub itself: the built-in model."
    )

    state = models.CharField(max_length=8, choices=State, default=State.UNKNOWN, editable=False)
    state_error = models.CharField(max_length=20, blank=True, default="", editable=False)
    state_message = models.CharField(max_length=400, blank=True, default="", editable=False)
    #: What to do about it, in English: it is translated for whoever reads it.
    state_hint = models.CharField(max_length=400, blank=True, default="", editable=False)
    version = models.CharField(max_length=80, blank=True, default="", editable=False)
    reported_slots = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    state_since = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BackendQuerySet.as_manager()

    class Meta:
        ordering = ["managed", "name"]
        verbose_name = _("backend")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill the slug once; the address loses its trailing slash."""
        self.base_url = self.base_url.strip().rstrip("/")
        if not self.slug:
            self.slug = unused_slug(self.name)
        super().save(*args, **kwargs)

    @property
    def kind_label(self) -> str:
        """The kind in words."""
        return KINDS[self.kind].label if self.kind in KINDS else self.kind

    @property
    def has_api_key(self) -> bool:
        """Whether a key is stored; the key itself is never shown."""
        return bool(self.api_key_encrypted)

    @property
    def has_password(self) -> bool:
        """Whether a password is stored."""
        return bool(self.password_encrypted)

    @property
    def slot_limit(self) -> int | None:
        """Answers at once, None for no limit of ours."""
        return self.slots or self.reported_slots

    @property
    def is_away(self) -> bool:
        """Whether the last look found nobody there. The built-in server starts when it is needed."""
        return not self.managed and self.state == State.OFFLINE and self.state_error in AWAY

    def set_api_key(self, value: str) -> None:
        """Store another key; save() is the caller's."""
        self.api_key_encrypted = encrypt(value)

    def set_password(self, value: str) -> None:
        """Store another password; save() is the caller's."""
        self.password_encrypted = encrypt(value)

    def endpoint(self) -> Endpoint:
        """The plain values an adapter is given. Raises CannotDecrypt."""
        return Endpoint(
            base_url=self.base_url,
            api_key=decrypt(self.api_key_encrypted),
            username=self.username,
            password=decrypt(self.password_encrypted),
            timeouts=Timeouts(
                connect=self.connect_timeout, first_byte=self.first_byte_timeout, stall=self.stall_timeout
            ),
            options={key: str(value) for key, value in self.options.items()},
        )


def unused_slug(name: str) -> str:
    """A slug for the name that no other backend has, and no page."""
    return unused(slugify(name)[:50] or "backend", Backend.objects.all())


#: How long a refusal of tools is believed before they are offered again.
REFUSAL_HOLDS = timedelta(days=1)


class CatalogueModelQuerySet(RestrictedQuerySet["CatalogueModel"]):
    """Finders of models."""

    def listed(self) -> CatalogueModelQuerySet:
        """Those that their backends offer."""
        return self.filter(listed=True)

    def for_chat(self) -> CatalogueModelQuerySet:
        """Those that can answer, of enabled backends, in the picker's order."""
        return self.listed().filter(is_chat=True, backend__enabled=True).select_related("backend")

    def usable_by(self, user: User) -> CatalogueModelQuerySet:
        """Those that this person may ask. Backend and model have a rule each, and both must allow it."""
        return self.open_to(user).filter(backend__in=Backend.objects.usable_by(user))

    def with_wishes_of(self, user: User) -> CatalogueModelQuerySet:
        """Each with ``is_favourite`` and ``is_unwanted``, as this person set them; None where they never did."""
        wish = models.FilteredRelation("preferences", condition=models.Q(preferences__user=user))
        columns = {"is_favourite": models.F("wish__favourite"), "is_unwanted": models.F("wish__hidden")}
        return self.annotate(wish=wish, **columns)

    def undecided(self) -> CatalogueModelQuerySet:
        """Those of which nobody wanted anything: without alias, rule, or a person's preference."""
        return self.filter(
            alias="",
            hidden=False,
            hub_default=False,
            sampling={},
            access=Access.EVERYONE,
            preferences__isnull=True,
        )


class CatalogueModel(Restricted):
    """A model that a backend offered when it was last seen; stays listed while the backend is off.

    The columns from ``alias`` on are the hub's and not the server's. A model that its server no
    longer offers is kept without being ``listed`` where somebody decided something about it, so that
    all of this is there again when the model is.
    """

    backend = models.ForeignKey(Backend, on_delete=models.CASCADE, related_name="models")
    model_id = models.CharField(max_length=250)
    name = models.CharField(max_length=250, blank=True, default="")
    family = models.CharField(max_length=100, blank=True, default="")
    parameter_size = models.CharField(max_length=40, blank=True, default="")
    quantization = models.CharField(max_length=40, blank=True, default="")
    size_bytes = models.BigIntegerField(null=True, blank=True)
    context_length = models.PositiveIntegerField(null=True, blank=True)
    max_context_length = models.PositiveIntegerField(null=True, blank=True)
    capabilities = models.JSONField(null=True, blank=True)
    loaded = models.BooleanField(null=True)
    remote = models.BooleanField(default=False)
    digest = models.CharField(max_length=100, blank=True, default="")
    details = models.JSONField(default=dict, blank=True)
    is_chat = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    listed = models.BooleanField(default=True, editable=False)

    alias = models.CharField(
        _("name on this hub"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("Empty: the server’s own name."),
    )
    hidden = models.BooleanField(
        _("Hide for everybody"),
        default=False,
        help_text=_("Nobody is offered it; conversations that use it go on."),
    )
    hub_default = models.BooleanField(default=False, editable=False)
    #: What its server's counts have taught: see ``chat.generation.estimate``.
    bytes_per_token = models.FloatField(null=True, blank=True, editable=False)
    #: Tokens of the window that a refusal has named, where the list of models does not tell.
    refused_window = models.PositiveIntegerField(null=True, blank=True, editable=False)
    tools_refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Sampling options that an administrator set for it, as a conversation has them.
    sampling = models.JSONField(default=dict, blank=True, editable=False)

    #: There only where :meth:`CatalogueModelQuerySet.with_wishes_of` was asked.
    is_favourite: bool | None
    is_unwanted: bool | None

    objects = CatalogueModelQuerySet.as_manager()

    class Meta:
        ordering = ["backend__managed", "backend__name", "position", "model_id"]
        constraints = [
            models.UniqueConstraint(fields=["backend", "model_id"], name="one_row_per_model"),
            models.UniqueConstraint(
                fields=["hub_default"], condition=models.Q(hub_default=True), name="one_hub_default"
            ),
        ]

    def __str__(self) -> str:
        return self.alias or self.name or self.model_id

    @property
    def ref(self) -> str:
        """How pages name it: ``BACKEND-SLUG/MODEL-ID``."""
        return f"{self.backend.slug}/{self.model_id}"

    def can(self, capability: Capability) -> bool | None:
        """Whether the server says so; None where it does not tell."""
        return None if self.capabilities is None else capability.value in self.capabilities

    @property
    def refuses_tools(self) -> bool:
        """Whether a request with tools was refused lately; later it is tried again, since servers change."""
        refused = self.tools_refused_at
        return refused is not None and timezone.now() - refused < REFUSAL_HOLDS


def row_values(info: ModelInfo, position: int) -> dict[str, Any]:
    """The columns of a catalogue row for what an adapter listed."""
    capabilities = None if info.capabilities is None else sorted(info.capabilities)
    return {
        "name": info.name[:250],
        "family": info.family[:100],
        "parameter_size": info.parameter_size[:40],
        "quantization": info.quantization[:40],
        "size_bytes": info.size_bytes,
        "context_length": info.context_length,
        "max_context_length": info.max_context_length,
        "capabilities": capabilities,
        "loaded": info.loaded,
        "remote": info.remote,
        "digest": info.digest[:100],
        "details": dict(info.details),
        "is_chat": can_chat(info.capabilities),
        "position": position,
        "listed": True,
    }


def can_chat(capabilities: Iterable[str] | None) -> bool:
    """A model that only embeds cannot answer; where nothing is known it gets the benefit of the doubt."""
    if capabilities is None:
        return True
    known = set(capabilities)
    return not known or bool(known - {Capability.EMBEDDING})
