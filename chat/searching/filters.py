"""A query's filters as conditions on rows."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chat.models import Activity, Attachment, Conversation, Generation
from chat.searching.language import Has, Query

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


def conversations(user: User | int, query: Query) -> QuerySet[Conversation] | None:
    """Those that the filters let through, None where all do."""
    if not (query.tags or query.projects or query.in_archive):
        return None
    rows = Conversation.objects.filter(owner=user, deleted_at=None)
    for tag in query.tags:
        rows = rows.filter(tags__name__iexact=tag)
    for name in query.projects:
        rows = rows.filter(project__name__icontains=name)
    return rows.exclude(archived_at=None) if query.in_archive else rows


def of_message(query: Query, message: str = "", key: str = "pk") -> list[Q]:
    """Conditions on the message, which the rows reach by that prefix and whose id they have as ``key``."""
    found = [Q(**{f"{message}text__contains": fragment}) for fragment in query.fragments]
    if query.speaker:
        found.append(Q(**{f"{message}role": query.speaker.value}))
    for name in query.models:
        runs = Generation.objects.filter(message=OuterRef(key), alias="")  # not before the vote
        found.append(Q(Exists(runs.filter(Q(model_id__icontains=name) | Q(model_name__icontains=name)))))
    if query.before:
        found.append(Q(**{f"{message}created_at__lt": beginning(query.before)}))
    if query.after:
        found.append(Q(**{f"{message}created_at__gte": beginning(query.after)}))
    return found + [_has(what, message, key) for what in sorted(query.has)]


def _has(what: Has, message: str, key: str) -> Q:
    match what:
        case Has.FILE:
            return Q(**{f"{message}attached__gt": 0})
        case Has.IMAGE:
            images = Attachment.objects.filter(media_type__startswith="image/")
            return Q(**{f"{key}__in": images.values("message")})
        case Has.CODE:
            return Q(**{f"{message}text__contains": "```"})
        case Has.TOOL:
            return Q(**{f"{key}__in": Activity.objects.values("generation__message")})


def beginning(day: date) -> datetime:
    """When that day begins here."""
    return timezone.make_aware(datetime.combine(day, time()))
