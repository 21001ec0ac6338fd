"""The page of all conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chat.models import Conversation, Project, Tag
from chat.trash import KEPT_DAYS

if TYPE_CHECKING:
    from chat.models.conversation import ConversationQuerySet
    from privatechathub.accounts.models import User

#: Conversations on one page.
PAGE = 50


class Place(StrEnum):
    """Which conversations the page lists."""

    LIST = "list"
    ARCHIVE = "archive"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One conversation. ``days_left``: how long a deleted one can be had back. A deleted one has no ``url``."""

    id: str
    title: str
    url: str
    when: datetime
    tags: tuple[str, ...]
    project: str
    is_pinned: bool
    is_unread: bool
    days_left: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to narrow the list."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ListingView:
    """A page of conversations; addresses are empty where there is nothing."""

    place: Place
    items: tuple[ListedItem, ...]
    places: tuple[Choice, ...]
    tags: tuple[Choice, ...]
    projects: tuple[tuple[str, str], ...]
    here: str
    newer_url: str
    older_url: str


def listing_view(user: User, place: str = "", tag: str = "", page: int = 1) -> ListingView:
    """One page of what is listed, archived or deleted, with that tag. Four queries."""
    chosen = Place(place) if place in set(Place) else Place.LIST
    page = max(1, min(page, 100_000))
    rows = _rows(user, chosen).select_related("project").prefetch_related("tags")
    if tag:
        rows = rows.filter(tags__name__iexact=tag, tags__owner=user)
    start = (page - 1) * PAGE
    found = list(rows[start : start + PAGE + 1])
    own_tags = Tag.objects.owned_by(user)
    projects = Project.objects.owned_by(user).open()
    return ListingView(
        place=chosen,
        items=tuple(_item(row) for row in found[:PAGE]),
        places=tuple(Choice(label, address(name), name is chosen) for name, label in labels().items()),
        tags=tuple(
            Choice(row.name, address(chosen, "" if same(row.name, tag) else row.name), same(row.name, tag))
            for row in own_tags
        ),
        projects=tuple((str(row.pk), row.name) for row in projects),
        here=address(chosen, tag, page),
        newer_url=address(chosen, tag, page - 1) if page > 1 else "",
        older_url=address(chosen, tag, page + 1) if len(found) > PAGE else "",
    )


def labels() -> dict[Place, str]:
    """The places in words."""
    return {
        Place.LIST: _("Conversations"),
        Place.ARCHIVE: _("Archive"),
        Place.DELETED: _("Recently deleted"),
    }


def address(place: Place, tag: str = "", page: int = 1) -> str:
    """Where that part of the list is."""
    values = {"in": "" if place is Place.LIST else place.value, "tag": tag, "page": page if page > 1 else ""}
    query = urlencode({name: value for name, value in values.items() if value})
    return reverse("chat:conversations") + (f"?{query}" if query else "")


def same(name: str, other: str) -> bool:
    """Whether that is the same tag."""
    return name.casefold() == other.casefold()


def _rows(user: User, place: Place) -> ConversationQuerySet:
    if place is Place.DELETED:
        return Conversation.objects.deleted_by(user).lines().order_by("-deleted_at", "pk")
    rows = Conversation.objects.owned_by(user).lines()
    return rows.listed() if place is Place.LIST else rows.exclude(archived_at=None)


def _item(row: Conversation) -> ListedItem:
    gone = row.deleted_at
    left = KEPT_DAYS - (timezone.now() - gone) // timedelta(days=1) if gone else 0
    return ListedItem(
        id=str(row.pk),
        title=row.title or _("New chat"),
        url="" if gone else row.get_absolute_url(),
        when=gone or row.updated_at,
        tags=tuple(tag.name for tag in row.tags.all()),
        project=row.project.name if row.project else "",
        is_pinned=row.pinned_at is not None,
        is_unread=row.unread,
        days_left=max(left, 0),
    )
