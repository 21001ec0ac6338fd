"""How a person keeps order: pins, archive, tags, deleting and having back. One verb serves one or many."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from backends.database import write_transaction
from chat.models import TAG_LENGTH, Conversation, Generation, Project, Tag
from chat.services.answers import stop_answers
from chat.services.refusals import Refused
from chat.transfer.values import MOST_TAGS

if TYPE_CHECKING:
    from chat.models.conversation import ConversationQuerySet
    from privatechathub.accounts.models import User

Ids = Collection[UUID]

#: Tags of one person; all of them are read wherever one is chosen.
MOST_OF_PERSON = 1_000


def pin(user: User, ids: Ids, *, on: bool) -> int:
    """Keep them on top of the list, or no longer. Gives how many there are."""
    values = {"pinned_at": timezone.now(), "archived_at": None} if on else {"pinned_at": None}
    return _change(_own(user, ids), **values)


def archive(user: User, ids: Ids, *, on: bool) -> int:
    """Put them away, or back on the list. Gives how many there are."""
    values = {"archived_at": timezone.now(), "pinned_at": None} if on else {"archived_at": None}
    return _change(_own(user, ids), **values)


def delete(user: User, ids: Ids) -> tuple[int, datetime]:
    """Delete them; what is written there is stopped first.

    Gives how many there are, and the moment, by which :func:`restore` brings them back.
    """
    found = _own(user, ids)
    active = Generation.objects.active().filter(message__conversation__in=found)
    for row in found.filter(pk__in=active.values("message__conversation")):
        stop_answers(row)
    moment = timezone.now()
    return _change(found, deleted_at=moment), moment


def restore(user: User, moment: datetime) -> list[Conversation]:
    """Undo a deletion: all that was deleted at that moment is back. Gives what stands for it in lists."""
    with write_transaction():
        found = list(Conversation.objects.deleted_by(user).filter(deleted_at=moment))
        Conversation.objects.filter(pk__in=[row.pk for row in found]).update(deleted_at=None)
    return [row for row in found if row.column == 0]


def restore_these(user: User, ids: Ids) -> int:
    """Have these back, whenever they were deleted."""
    return _change(Conversation.objects.deleted_by(user).whole(ids), deleted_at=None)


def move(user: User, ids: Ids, project: Project | None) -> int:
    """Into the project, or out of any."""
    return _change(_own(user, ids), project=project)


def mark_read(conversation: Conversation) -> None:
    """Somebody looks at it. Writes only where that is news."""
    if conversation.unread:
        Conversation.objects.filter(pk=conversation.pk).update(unread=False)
        conversation.unread = False


def set_tags(user: User, conversation: Conversation, text: str) -> None:
    """These tags and no others; a comma parts them. Raises Refused, and Conversation.DoesNotExist."""
    with write_transaction():
        Conversation.objects.select_for_update().only("pk").get(pk=conversation.pk)
        conversation.tags.set(tags_named(user, names_in(text)))
        forget_unused(user)


def add_tags(user: User, ids: Ids, text: str) -> int:
    """These tags too, on all of them. Raises Refused, also for none."""
    names = names_in(text)
    if not names:
        raise Refused(_("Write at least one tag."))
    with write_transaction():
        tags = tags_named(user, names)
        found = dict(_own(user, ids).values_list("pk", "column"))
        through = Conversation.tags.through
        through.objects.bulk_create(
            (through(conversation_id=pk, tag_id=tag.pk) for pk in found for tag in tags),
            ignore_conflicts=True,
        )
    return list(found.values()).count(0)


def names_in(text: str) -> list[str]:
    """The tags of a line, each once whatever its case. Raises Refused for too many."""
    names = (
        " ".join(part.split()).lstrip("#")[:TAG_LENGTH].strip()
        for part in text.replace("\x00", "").split(",")
    )
    found: dict[str, str] = {}
    for name in filter(None, names):
        found.setdefault(name.casefold(), name)
    if len(found) > MOST_TAGS:
        raise Refused(_("A conversation can have at most %(count)d tags.") % {"count": MOST_TAGS})
    return list(found.values())


def forget_unused(user: User) -> None:
    """Tags that are on nothing any more, not even on something deleted."""
    Tag.objects.owned_by(user).filter(conversations=None).delete()


def _own(user: User, ids: Ids) -> ConversationQuerySet:
    return Conversation.objects.owned_by(user).whole(ids)


def _change(rows: ConversationQuerySet, **values: Any) -> int:
    """Gives how many they are in lists, where a comparison is one."""
    count = rows.lines().count()
    rows.update(**values)
    return count


def tags_named(user: User, names: Iterable[str]) -> list[Tag]:
    """The person's tags of these names, made where there are none yet. Raises Refused for too many."""
    names = list(names)
    known = {tag.name.casefold(): tag for tag in Tag.objects.owned_by(user)}
    if len(known) + sum(name.casefold() not in known for name in names) > max(MOST_OF_PERSON, len(known)):
        raise Refused(_("You have too many tags. Take some off your conversations first."))
    return [known.get(name.casefold()) or Tag.objects.create(owner=user, name=name) for name in names]
