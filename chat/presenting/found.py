"""What was found, as pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Conversation, Generation, Message, MessageRole, Project
from chat.models.search_entry import Found
from chat.permalinks import permalink_of
from chat.presenting.endings import model_label
from chat.searching.excerpts import BEFORE, Piece, excerpt, marked
from chat.searching.finding import Group, Hit, find, find_within, pages
from chat.searching.language import Query, parse
from chat.searching.texts import texts_of

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Places on a page of results, in the sidebar, and hits shown of each.
PAGE, QUICK, HITS = 20, 8, 3
#: Characters before the word that was looked for in a list of single lines: it must not be cut off at their end.
QUICK_BEFORE = 20
#: Hits on a page of what was found in one conversation.
WITHIN = 50


@dataclass(frozen=True, slots=True)
class HitView:
    """One text: who says it, where it is, and the words in it."""

    url: str
    label: str
    pieces: tuple[Piece, ...]
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A conversation or a project with what was found in it. ``more`` counts hits that are not shown."""

    url: str
    title: tuple[Piece, ...]
    when: datetime | None
    hits: tuple[HitView, ...]
    more: int = 0
    project: str = ""
    is_archived: bool = False
    is_project: bool = False
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class FoundView:
    """Results. ``text`` is what was typed; addresses are empty where there is nothing."""

    text: str
    groups: tuple[GroupView, ...] = ()
    is_empty: bool = True
    unclear: tuple[str, ...] = ()
    all_url: str = ""
    newer_url: str = ""
    older_url: str = ""


def found_view(user: User, text: str, page: int = 1) -> FoundView:
    """A page of results. At most nine queries, one more where comparisons are among them."""
    query = parse(text)
    page = max(1, min(page, 1000))
    shown, more = pages(find(user, query), page, PAGE)
    return FoundView(
        text=text,
        groups=group_views(user, query, shown, HITS),
        is_empty=query.is_empty,
        unclear=query.unclear,
        newer_url=address(text, page - 1) if page > 1 else "",
        older_url=address(text, page + 1) if more else "",
    )


def quick_view(user: User, text: str, size: int = QUICK) -> FoundView:
    """The first results, one hit of each, for a list that changes while somebody types."""
    query = parse(text)
    shown, more = pages(find(user, query), 1, size)
    return FoundView(
        text=text,
        groups=group_views(user, query, shown, 1, QUICK_BEFORE),
        is_empty=query.is_empty,
        unclear=query.unclear,
        all_url=address(text) if more or shown else "",
    )


@dataclass(frozen=True, slots=True)
class WithinView:
    """What was found in one conversation. ``is_empty``: nothing was asked for that messages could answer."""

    text: str
    title: str
    url: str
    back_url: str
    hits: tuple[HitView, ...]
    is_empty: bool
    unclear: tuple[str, ...]
    older_url: str = ""


def within_view(conversation: Conversation, text: str, page: int = 1) -> WithinView:
    """A page of what was found in that conversation, in its order; in a comparison, in all columns.

    A fixed number of queries for each column.
    """
    query = parse(text)
    columns = [conversation]
    if conversation.comparison:
        columns = list(conversation.comparison.columns.order_by("column"))
    found = [(hit, row) for row in columns for hit in find_within(row, query)]
    start = (max(1, page) - 1) * WITHIN
    shown = found[start : start + WITHIN]
    url = reverse("chat:find", args=[conversation.pk])
    hits = [hit for hit, _row in shown]
    texts, said, names = texts_of(hits), spoken(hits), names_of(hits if len(columns) > 1 else ())
    return WithinView(
        text=text,
        title=conversation.title or _("New chat"),
        url=url,
        back_url=conversation.get_absolute_url(),
        hits=tuple(
            HitView(
                permalink_of(hit.message_id or 0, row.pk),
                label(hit.kind, said.get(hit.message_id or 0), names.get(hit.message_id or 0, "")),
                excerpt(texts.get((hit.kind, hit.source), ""), query),
                said[hit.message_id].created_at if hit.message_id in said else None,
            )
            for hit, row in shown
        ),
        is_empty=not (query.terms or query.is_about_messages),
        unclear=query.unclear,
        older_url=f"{url}?{urlencode({'q': text, 'page': page + 1})}" if len(found) > start + WITHIN else "",
    )


def spoken(hits: Sequence[Hit]) -> dict[int, Message]:
    """Who said it and when. One query, none without hits."""
    ids = {hit.message_id for hit in hits if hit.message_id}
    return Message.objects.only("role", "created_at").in_bulk(ids) if ids else {}


def names_of(hits: Sequence[Hit]) -> dict[int, str]:
    """Message -> what pages call the model that wrote it. One query, none without hits."""
    ids = {hit.message_id for hit in hits if hit.message_id}
    runs = Generation.objects.filter(message__in=ids).order_by("created_at") if ids else ()
    return {run.message_id: model_label(run) for run in runs}


def address(text: str, page: int = 1) -> str:
    """The page of these results."""
    return f"{reverse('chat:search')}?{urlencode({'q': text} | ({'page': page} if page > 1 else {}))}"


def group_views(
    user: User, query: Query, groups: Sequence[Group], most: int, before: int = BEFORE
) -> tuple[GroupView, ...]:
    """Each with its best hits. What was deleted meanwhile is left out."""
    conversations = Conversation.objects.owned_by(user).select_related("project")
    talks = conversations.in_bulk([group.conversation_id for group in groups if group.conversation_id])
    wanted = [group.project_id for group in groups if group.project_id]
    projects = Project.objects.owned_by(user).in_bulk(wanted) if wanted else {}
    hits = [hit for group in groups for hit in told(group)[:most]]
    texts = texts_of(hits)
    said = spoken(hits)
    compared = {pk for pk, talk in talks.items() if talk.comparison_id}
    names = names_of(
        [hit for group in groups if group.conversation_id in compared for hit in told(group)[:most]]
    )

    def views(group: Group, home: str) -> tuple[HitView, ...]:
        found = []
        for hit in told(group)[:most]:
            name = names.get(hit.message_id or 0, "")
            url, text = address_of(hit, home), texts.get((hit.kind, hit.source), "")
            message = said.get(hit.message_id or 0)
            when = message.created_at if message else None
            found.append(HitView(url, label(hit.kind, message, name), excerpt(text, query, before), when))
        if group.conversation_id in compared:  # the question stands in every column, and is told once
            found = list({(view.label, view.pieces): view for view in reversed(found)}.values())[::-1]
        return tuple(found)

    found = []
    for group in groups:
        if talk := talks.get(group.conversation_id) if group.conversation_id else None:
            found.append(_conversation(talk, group, views(group, talk.get_absolute_url()), query))
        elif project := projects.get(group.project_id) if group.project_id else None:
            url = project.get_absolute_url()
            found.append(
                GroupView(url, tuple(marked(project.name, query)), None, views(group, url), is_project=True)
            )
    return tuple(found)


def told(group: Group) -> list[Hit]:
    """The hits that need telling: a title is shown anyway."""
    return [hit for hit in group.hits if hit.kind is not Found.TITLE]


def _conversation(row: Conversation, group: Group, hits: tuple[HitView, ...], query: Query) -> GroupView:
    return GroupView(
        url=row.get_absolute_url(),
        title=tuple(marked(row.title or _("New chat"), query)),
        when=row.updated_at,
        hits=hits,
        more=len(told(group)) - len(hits),
        project=row.project.name if row.project else "",
        is_archived=row.archived_at is not None,
        conversation_id=str(row.pk),
    )


def address_of(hit: Hit, home: str) -> str:
    """Where it is; ``home`` is the address of its conversation or project."""
    return permalink(home, hit.message_id) if hit.message_id else home


def permalink(conversation_url: str, message_id: int) -> str:
    """Where a message is, whichever branch it is on."""
    return f"{conversation_url}?message={message_id}#message-{message_id}"


def label(kind: Found, message: Message | None, name: str = "") -> str:
    """Who says it, by the model's ``name`` where that matters, or what it is."""
    if kind is Found.TEXT and message:
        return _("You") if message.role == MessageRole.USER else name or _("Answer")
    return {
        Found.REASONING: _("Thinking"),
        Found.FILE: _("File"),
        Found.TOOL: _("Tool"),
        Found.NOTE: _("Project"),
    }.get(kind, "")
