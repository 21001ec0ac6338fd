"""The form that edits a message, and the menu of a message."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse

from chat.comparing.page import compare_url
from chat.models import Attachment, Conversation, Message, MessageRole
from chat.permalinks import permalink
from chat.picker import model_groups
from chat.presenters.editing import EditView, FileChoice
from chat.presenters.message import MessageMenuView
from chat.receipts.page import receipt_url
from chat.services.answers import ref_of
from chat.services.context import line_above
from chat.services.models import usable_models

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def edit_view(
    row: Message, conversation: Conversation, text: str, error: str, kept: Collection[UUID] | None
) -> EditView:
    """The form with that text; ``kept`` are the files that stay, None for all."""
    files = Attachment.objects.filter(message=row).defer("text") if row.attached else ()
    return EditView(
        id=row.pk,
        conversation_id=str(conversation.pk),
        role=row.role,
        text=text,
        error=error,
        files=tuple(FileChoice(str(file.pk), file.name, kept is None or file.pk in kept) for file in files),
        back_url=permalink(row, conversation.pk),
    )


def menu_view(user: User, row: Message, conversation: Conversation) -> MessageMenuView:
    """What can be done with this message here."""
    is_answer = row.role == MessageRole.ASSISTANT
    asks = row.parent_id is not None if is_answer else True
    return MessageMenuView(
        id=row.pk,
        conversation_id=str(conversation.pk),
        is_answer=is_answer,
        url=permalink(row, conversation.pk),
        is_shared=row.conversation_id != conversation.pk,
        models=model_groups(usable_models(user), user, conversation, ref_of(row))
        if asks and conversation.comparison_id is None  # a column is one model's, asked what the others were
        else (),
        receipt_url=newest_receipt(row, conversation) if is_answer and not conversation.alias else "",
        may_fork=not conversation.alias,
        may_edit=conversation.comparison_id is None,
        compare_url=compare_url(row, conversation),
        leave_out_url=reverse("chat:message-leave-out", args=[row.pk])
        if line_above(conversation, row)
        else "",
    )


def newest_receipt(answer: Message, conversation: Conversation) -> str:
    """What the model was asked; empty where none wrote the answer."""
    newest = answer.generations.order_by("-created_at").values_list("pk", flat=True).first()
    return receipt_url(newest, answer, conversation) if newest else ""
