"""The list of conversations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from chat.models import Conversation, Generation
from chat.presenters.sidebar import ConversationGroup, ConversationItem, SidebarView
from chat.presenting.projects import MARK, mark_of, sidebar_projects

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


#: Conversations that the sidebar lists at once.
SIDEBAR_PAGE = 60
#: What a line shows of a row.
LINE = (
    "id",
    "title",
    "updated_at",
    "comparison",
    "unread",
    "pinned_at",
    "archived_at",
    *(f"project__{name}" for name in MARK),
)
#: Pinned ones that it shows; the page of all conversations has the rest.
MOST_PINNED = 30


def sidebar_view(
    user: User, current: Conversation | None = None, before: str = "", *, whole: bool = False
) -> SidebarView:
    """The person's conversations, the pinned first, then the newest, grouped by date. Three queries.

    ``whole``: with what stands above the list, which takes one more.
    """
    rows = Conversation.objects.owned_by(user).listed().lines().select_related("project").only(*LINE)
    moment = parsed(before) if before else None
    dated = rows.filter(pinned_at=None)
    found = list((dated.filter(updated_at__lt=moment) if moment else dated)[: SIDEBAR_PAGE + 1])
    shown = found[:SIDEBAR_PAGE]
    pinned = [] if moment else list(rows.filter(pinned_at__isnull=False).order_by("-pinned_at")[:MOST_PINNED])
    running = set(
        Generation.objects.active()
        .filter(message__conversation__in=[row.pk for row in (*pinned, *shown)])
        .values_list("message__conversation_id", flat=True)
    )

    def item(row: Conversation) -> ConversationItem:
        is_current = bool(current and row.pk == current.pk)
        return conversation_item(row, is_current=is_current, is_running=row.pk in running)

    groups: dict[str, list[ConversationItem]] = {}
    for row in shown:
        groups.setdefault(date_label(row.updated_at), []).append(item(row))
    top = [ConversationGroup(_("Pinned"), tuple(map(item, pinned)), is_pinned=True)] if pinned else []
    more = (
        f"{reverse('chat:sidebar')}?before={shown[-1].updated_at.timestamp()}"
        if len(found) > len(shown)
        else ""
    )
    dates = (ConversationGroup(label, tuple(items)) for label, items in groups.items())
    return SidebarView(groups=(*top, *dates), more_url=more, projects=sidebar_projects(user) if whole else ())


def newest_group(row: Conversation) -> ConversationGroup:
    """The group of a conversation in which something was just asked."""
    item = conversation_item(row, is_current=True, is_running=True)
    return ConversationGroup(date_label(row.updated_at), (item,))


def conversation_item(
    row: Conversation, *, is_current: bool = False, is_running: bool = False
) -> ConversationItem:
    """One line of the list."""
    return ConversationItem(
        id=str(row.pk),
        title=row.title or _("New chat"),
        url=row.get_absolute_url(),
        is_current=is_current,
        is_running=is_running,
        is_unread=row.unread and not is_current,
        is_pinned=row.pinned_at is not None,
        is_archived=row.archived_at is not None,
        is_comparison=row.comparison_id is not None,
        project=mark_of(row.project),
    )


def parsed(timestamp: str) -> datetime | None:
    """The moment that a link names by its Unix time."""
    try:
        return datetime.fromtimestamp(float(timestamp), tz=timezone.get_current_timezone())
    except (ValueError, OverflowError, OSError):
        return None


def date_label(moment: datetime) -> str:
    """The group of a date: today, yesterday, the last week or month, else the month."""
    today = timezone.localdate()
    day = timezone.localdate(moment)
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day > today - timedelta(days=7):
        return _("Previous 7 days")
    if day > today - timedelta(days=30):
        return _("Previous 30 days")
    return formats.date_format(day, "YEAR_MONTH_FORMAT")
