"""What is typed ahead, as the page shows it above the composer."""

from __future__ import annotations

from chat.models import Conversation, Generation
from chat.presenters.upcoming import UpcomingListView, UpcomingView

NONE = UpcomingListView()


def upcoming_view(conversation: Conversation) -> UpcomingListView | None:
    """What waits in it; None in a column of a comparison. No query where nothing does."""
    if conversation.comparison_id:
        return None
    if not conversation.upcoming_count:
        return NONE
    rows = conversation.upcoming.order_by("pk")
    active = Generation.objects.active().filter(message__conversation=conversation)
    return UpcomingListView(
        tuple(UpcomingView(row.pk, row.text, row.trouble) for row in rows), held=not active.exists()
    )
