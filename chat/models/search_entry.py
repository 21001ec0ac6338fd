"""What can be found: one row for each text of a person's that is indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from chat.models.conversation import Conversation
from chat.models.message import Message
from chat.models.project import Project

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class Found(models.TextChoices):
    """Which text it is."""

    TITLE = "title", "title"
    TEXT = "text", "text"
    REASONING = "reasoning", "reasoning"
    FILE = "file", "file"
    TOOL = "tool", "tool"
    NOTE = "note", "note"


class SearchEntryQuerySet(models.QuerySet["SearchEntry"]):
    """Finders."""

    def owned_by(self, user: User | int) -> SearchEntryQuerySet:
        """This person's own, without what was deleted."""
        return self.filter(owner=user, conversation__deleted_at=None, message__deleted_at=None)


class SearchEntry(models.Model):
    """The database writes these rows itself, by triggers (see ``chat.searching``), and the words beside them: SQLite in
    a full-text table whose rowid is the ``id`` here, PostgreSQL in a column that only it knows.

    ``source`` is the key of the row that holds the text. Newer entries have greater ids.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Found)
    source = models.CharField(max_length=36)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
    )
    message = models.ForeignKey(
        Message, on_delete=models.DO_NOTHING, related_name="+", null=True, db_constraint=False, db_index=False
    )
    project = models.ForeignKey(
        Project, on_delete=models.DO_NOTHING, related_name="+", null=True, db_constraint=False, db_index=False
    )

    objects = SearchEntryQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "source"], name="one_entry_per_text")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"
