"""A conversation: a tree of messages that one person owns."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backends.database import write_transaction
from backends.models import Backend
from chat.models.comparison import Comparison
from chat.models.path import ENDLESS, way_up
from chat.models.project import Project
from chat.models.sampling_preset import SamplingPreset
from chat.models.system_prompt import SystemPrompt
from chat.models.tag import Tag

if TYPE_CHECKING:
    from uuid import UUID

    from chat.models.message import Message
    from privatechathub.accounts.models import User

TITLE_LENGTH = 120


class Overflow(models.TextChoices):
    """What happens when a conversation outgrows the window of its model."""

    ASK = "ask", _("Ask me")
    DROP = "drop", _("Leave out the oldest messages")
    SUMMARISE = "summarise", _("Summarise the oldest messages")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Finders; the owner filter lives here and nowhere else."""

    def owned_by(self, user: User) -> ConversationQuerySet:
        """This person's own, archived ones too. There is no other way to reach a conversation."""
        return self.filter(owner=user, deleted_at=None)

    def deleted_by(self, user: User) -> ConversationQuerySet:
        """Those that this person deleted and can still have back."""
        return self.filter(owner=user, deleted_at__isnull=False)

    def listed(self) -> ConversationQuerySet:
        """Those that are not put away, by themselves or with their project."""
        return self.filter(archived_at=None, project__archived_at=None)

    def lines(self) -> ConversationQuerySet:
        """One line each: of a comparison its first column stands for all."""
        return self.filter(column=0)

    def whole(self, ids: Collection[UUID]) -> ConversationQuerySet:
        """Those with these ids, and all columns of a comparison of which one has."""
        columns = Comparison.objects.filter(columns__in=ids)
        return self.filter(models.Q(pk__in=ids) | models.Q(comparison__in=columns))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them; what forks share of them stays with these."""
        from chat.tree.keeping import hand_over

        with write_transaction():
            for conversation in self:
                hand_over(conversation)
            return super().delete()

    delete.queryset_only = True  # type: ignore[attr-defined]
    delete.alters_data = True  # type: ignore[attr-defined]


class Conversation(models.Model):
    """What a person and models said to each other, with its own prompt and options.

    ``head`` is the last message of the path that is shown. ``revision`` counts changes of what the
    thread consists of, so that a page that was away can tell whether it missed any. ``tools`` says which
    tools are on here, where that differs from what the person wants everywhere (see ``chat.tools.switches``).
    ``has_cuts``: there is or was a line above which a model does not see, see ``Cut``.

    With a ``prompt`` the conversation follows that entry of the library and ``system_prompt`` is not used;
    ``prompt_values`` answers what the text asks for. Of ``preset`` and ``builtin_preset`` at most one is set;
    ``options`` go before it (see ``chat.generation.sampling``).

    ``forked_from`` is the message up to which it shares the messages of another conversation, but for those of
    ``forked_without`` (ids), which were deleted there when it was forked. ``last_deletion``
    is the ``deleted_at`` of what was deleted last, until something is asked or that is undone.
    ``deleted_at``: it is gone for everybody, until it is restored or purged (see ``chat.services.trash``).
    ``unread``: an answer ended in it while nobody looked.
    ``draft``: what was typed for the next question and not sent; ``upcoming_count``: questions that wait for
    the answer that is written now (see ``UpcomingQuestion``).
    In a ``comparison`` it is the ``column``, counted from 0; ``alias`` stands for its model while that is hidden.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    project = models.ForeignKey(
        Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH, blank=True, default="")
    system_prompt = models.TextField(_("system prompt"), blank=True, default="")
    prompt = models.ForeignKey(
        SystemPrompt, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    prompt_values = models.JSONField(default=dict, blank=True, editable=False)
    options = models.JSONField(default=dict, blank=True)
    preset = models.ForeignKey(
        SamplingPreset, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversations"
    )
    builtin_preset = models.CharField(max_length=12, blank=True, default="", editable=False)
    tools = models.JSONField(default=dict, blank=True, editable=False)
    backend = models.ForeignKey(Backend, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    model_id = models.CharField(max_length=250, blank=True, default="")
    head = models.ForeignKey(
        "chat.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    forked_from = models.ForeignKey(
        "chat.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="forks"
    )
    forked_without = models.JSONField(default=list, blank=True, editable=False)
    last_deletion = models.DateTimeField(null=True, blank=True, editable=False)
    overflow = models.CharField(
        _("when it outgrows the model’s window"), max_length=9, choices=Overflow, default=Overflow.ASK
    )
    has_cuts = models.BooleanField(default=False, editable=False)
    revision = models.PositiveIntegerField(default=0)
    tags = models.ManyToManyField(Tag, blank=True, related_name="conversations")
    pinned_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    unread = models.BooleanField(default=False, editable=False)
    comparison = models.ForeignKey(
        Comparison, on_delete=models.CASCADE, null=True, blank=True, related_name="columns"
    )
    column = models.PositiveSmallIntegerField(default=0)
    alias = models.CharField(max_length=20, blank=True, default="")
    draft = models.TextField(blank=True, default="", editable=False)
    upcoming_count = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(db_index=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at"]
        indexes = [
            models.Index(fields=["owner", "-updated_at"], name="conversation_by_owner"),
            models.Index(
                fields=["owner", "-pinned_at"],
                name="pinned_conversation",
                condition=Q(pinned_at__isnull=False),
            ),
            models.Index(
                fields=["upcoming_count"],
                name="conversation_with_upcoming",
                condition=Q(upcoming_count__gt=0),
            ),
            models.Index(
                fields=["deleted_at"], name="deleted_conversation", condition=Q(deleted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)

    def get_absolute_url(self) -> str:
        """Where it is; a stranger gets 404 there."""
        if self.comparison_id:
            return reverse("chat:comparison", args=[self.comparison_id])
        return reverse("chat:conversation", args=[self.pk])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete it; what forks share of it stays with these."""
        from chat.tree.keeping import hand_over

        with write_transaction():
            hand_over(self)
            return super().delete(*args, **kwargs)

    @property
    def prompt_text(self) -> str:
        """The instructions as they were written: those of the library's entry, or its own."""
        return self.prompt.text if self.prompt else self.system_prompt

    def path_ids(self, *, limit: int = ENDLESS) -> list[int]:
        """The last messages up to the head, by id, the first of them first. One query that reads no text."""
        return self.ids_up_from(self.head_id, limit=limit)

    def ids_up_from(
        self, start: int | None, *, limit: int = ENDLESS, until: int = -1, first: int | None = None
    ) -> list[int]:
        """The shown messages from that one upwards, by id, the uppermost first; see ``way_up``.

        Of a long way, the ``first`` so many.
        """
        if start is None:
            return []
        rows = self._messages.filter(pk__in=way_up(self, start, limit=limit, until=until))
        return list(rows.order_by("pk").values_list("pk", flat=True)[:first])

    def path(self) -> list[Message]:
        """The messages from the first to the head."""
        return list(self._messages.filter(pk__in=way_up(self, self.head_id)).order_by("pk"))

    def shares(self, message_id: int) -> bool:
        """Whether it shows that message of another conversation."""
        if self.forked_from_id is None:
            return False
        way = way_up(self, self.forked_from_id, until=message_id)
        return self._messages.filter(pk__in=way).filter(pk=message_id).exclude(conversation=self).exists()

    @property
    def _messages(self) -> models.QuerySet[Message]:
        """Those of all conversations: a path may begin in another one."""
        from chat.models.message import Message

        return Message.objects.all()
