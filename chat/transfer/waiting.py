"""Questions typed ahead, between rows and portable conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from backends.models import Backend
from chat.models import Conversation, UpcomingQuestion
from chat.transfer.portable import Upcoming
from chat.transfer.servers import ref_of, told_ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from privatechathub.accounts.models import User


def load(conversation: Conversation) -> tuple[Upcoming, ...]:
    """What waits in it. No query where nothing does."""
    if not conversation.upcoming_count:
        return ()
    rows = list(conversation.upcoming.order_by("pk"))
    names = dict(Backend.objects.values_list("slug", "name"))
    return tuple(Upcoming(row.text, *told_ref(row.ref, names)) for row in rows)


def save(owner: User, conversation: Conversation, waiting: Iterable[Upcoming]) -> None:
    """Keep them in the new conversation. None is sent before the person says so: a file must not ask anything."""
    trouble = _("It came with an import and is sent only when you say so.")
    rows = [
        UpcomingQuestion(
            conversation=conversation,
            text=each.text,
            ref=ref_of(owner, each.backend, each.model_id),
            held=True,
            trouble=trouble,
        )
        for each in waiting
    ]
    UpcomingQuestion.objects.bulk_create(rows)
    conversation.upcoming_count = len(rows)
