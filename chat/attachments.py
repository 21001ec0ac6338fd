"""What came with a question, as the thread shows it."""

from __future__ import annotations

from django.db.models import Prefetch, prefetch_related_objects
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from chat.models import Attachment, Message
from chat.presenters.documents import AttachmentView

#: Pixels on the page that a thumbnail takes at most, either way.
SHOWN = 240


def with_attachments(rows: list[Message]) -> list[Message]:
    """The same messages with their files, but for long texts. One query for all, none where there are none."""
    having = [row for row in rows if row.attached]
    if having:
        prefetch_related_objects(having, Prefetch("attachments", Attachment.objects.defer("text")))
    return rows


def attachment_views(row: Message) -> tuple[AttachmentView, ...]:
    """The files of one message."""
    if not row.attached:
        return ()
    with_attachments([row])
    return tuple(attachment_view(found) for found in row.attachments.all())


def attachment_view(row: Attachment) -> AttachmentView:
    """One file."""
    if not row.is_image:
        return document_view(row)
    width, height = shown_size(row.width or SHOWN, row.height or SHOWN)
    return AttachmentView(
        name=row.name,
        url=reverse("chat:attachment", args=[row.pk]),
        thumbnail_url=reverse("chat:attachment-thumbnail", args=[row.pk]),
        width=width,
        height=height,
    )


def document_view(row: Attachment) -> AttachmentView:
    """A file to read."""
    return AttachmentView(
        name=row.name,
        url=reverse("chat:attachment-read", args=[row.pk]),
        file_url=reverse("chat:attachment", args=[row.pk]),
        size=filesizeformat(row.size),
    )


def shown_size(width: int, height: int) -> tuple[int, int]:
    """In proportion, so that the page does not jump when the picture arrives."""
    scale = min(1, SHOWN / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
