"""A query's filters as conditions on rows."""

from __future__ import annotations

from datetime import date, datetime, time

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from chat.models import Activity, Attachment, Generation
from chat.searching.language import Has, Query


def of_conversation(query: Query, conversation: str = "") -> list[Q]:
    """Conditions on the conversation, which the rows reach by that prefix; each needs a ``filter`` of its own."""
    found = [Q(**{f"{conversation}tags__name__iexact": tag}) for tag in query.tags]
    found += [Q(**{f"{conversation}project__name__icontains": name}) for name in query.projects]
    if query.in_archive:
        found.append(Q(**{f"{conversation}archived_at__isnull": False}))
    return found


def of_message(query: Query, message: str = "", key: str = "pk") -> list[Q]:
    """Conditions on the message, which the rows reach by that prefix and whose id they have as ``key``."""
    found: list[Q] = []
    if query.speaker:
        found.append(Q(**{f"{message}role": query.speaker.value}))
    for name in query.models:
        runs = Generation.objects.filter(message=OuterRef(key))
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
            images = Attachment.objects.filter(message=OuterRef(key), media_type__startswith="image/")
            return Q(Exists(images))
        case Has.CODE:
            return Q(**{f"{message}text__contains": "```"})
        case Has.TOOL:
            return Q(Exists(Activity.objects.filter(generation__message=OuterRef(key))))


def beginning(day: date) -> datetime:
    """When that day begins here."""
    return timezone.make_aware(datetime.combine(day, time()))
