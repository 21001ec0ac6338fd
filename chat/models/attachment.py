"""A file that a person sent with a question, or gave to a project."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.signals import post_delete
from django.dispatch import receiver

from backends.database import write_transaction
from chat import files
from chat.models.message import Message
from chat.models.project import Project
from chat.models.text_index import TextIndex

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

    from privatechathub.accounts.models import User

NAME_LENGTH = 200


class Utf8Length(models.Func):
    """How many bytes a text is as UTF-8."""

    function = "OCTET_LENGTH"
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        """SQLite before 3.43 counts characters only."""
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Finders."""

    def owned_by(self, user: User) -> AttachmentQuerySet:
        """Files in this person's own projects and conversations, deleted ones too: a fork of one still shows them."""
        return self.filter(Q(message__conversation__owner=user) | Q(project__owner=user))

    def measured(self) -> AttachmentQuerySet:
        """With ``characters`` and ``weight``, and without the texts themselves."""
        columns = {"characters": Length("text"), "weight": Utf8Length("text")}
        return self.annotate(**columns).defer("text")


class Attachment(models.Model):
    """What is known of the file; its bytes are kept by ``digest`` (see ``chat.files``), once for all rows of it.

    ``width`` and ``height`` are pixels, None for what is no image. ``size`` is bytes as stored. ``text`` is
    what a model is sent of a document, to the letter. It came with a ``message``, or belongs to a ``project``, whose
    conversations all read it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="attachments")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="attachments")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=NAME_LENGTH)
    media_type = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    #: Of ``text``, and its bytes as UTF-8; there only where :meth:`AttachmentQuerySet.measured` was asked.
    characters: int
    weight: int

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["message", "position"]
        constraints = [
            models.CheckConstraint(
                condition=Q(message=None, project__isnull=False) | Q(message__isnull=False, project=None),
                name="attachment_has_one_place",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        """Whether a model sees it, instead of reading it."""
        return self.media_type.startswith("image/")

    def content(self) -> bytes:
        """The bytes. Raises FileNotFoundError."""
        return files.read(self.digest)

    def thumbnail(self) -> bytes:
        """A small WebP of the image. Raises FileNotFoundError."""
        return files.read(self.digest, files.THUMBNAIL)


@receiver(post_delete, sender=Attachment)
def forget_bytes(instance: Attachment, **_signal: Any) -> None:
    """With the last row of a content its bytes go, once the deletion is certain."""
    digest = instance.digest

    def remove_unless_used() -> None:
        with write_transaction():
            files.hold(digest)
            if not Attachment.objects.filter(digest=digest).exists():
                files.remove(digest)
                TextIndex.objects.filter(digest=digest).delete()

    transaction.on_commit(remove_unless_used)
