"""Files of messages in an import: nobody vouches for them, so they go through the same hands as those that are sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from chat.arrivals import Ready, Staged, document, keep, row_of, same_image, staged
from chat.documents import Kind, Unreadable, kind_of
from chat.imaging import BadImage
from chat.models import Attachment, Message
from chat.transfer import limits
from chat.transfer.portable import PortableProject, Talk
from chat.transfer.unpacking import AttachedFiles

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

logger = logging.getLogger(__name__)

#: Files of one message that are taken over; a person can send eight.
MOST_FILES = 50

#: Turn id -> its files, in order, each under the digest that the export calls it.
ByTurn = Mapping[str, list[tuple[str, Staged]]]
NO_FILES: ByTurn = {}


def told_of(row: Attachment) -> dict[str, Any]:
    """What an export tells of a file."""
    return {name: getattr(row, name) for name in ("name", "media_type", "size", "digest")}


def files_of(found: Talk | PortableProject) -> list[Mapping[str, Any]]:
    """All files that are told of."""
    if isinstance(found, PortableProject):
        return list(found.files)
    return [file for turn in found.turns for file in turn.files]


def missing(told: Talk | PortableProject, found: AttachedFiles) -> int:
    """How many files of a conversation or a project are not in the import."""
    return sum(file["digest"] not in found for file in files_of(told))


@contextmanager
def brought(talk: Talk, found: AttachedFiles) -> Iterator[ByTurn]:
    """The files of a conversation as :func:`store` takes them; what is not stored goes away at the end.

    What cannot be read is left out, and what is too much for one conversation. Not inside a transaction: an image
    takes up to seconds.
    """
    left = limits.MOST_ATTACHED
    room = limits.LONGEST_TEXTS
    with ExitStack() as stack:
        by_turn: dict[str, list[tuple[str, Staged]]] = {}
        for turn in talk.turns:
            for file in turn.files[: min(MOST_FILES, left)]:
                left -= 1
                ready = _ready(file, found)
                if ready and len(ready.text) <= room:
                    room -= len(ready.text)
                    by_turn.setdefault(turn.id, []).append((file["digest"], staged(stack, ready)))
        yield by_turn


@contextmanager
def brought_to(project: PortableProject, found: AttachedFiles) -> Iterator[list[Staged]]:
    """The documents of a project, like :func:`brought`."""
    with ExitStack() as stack:
        ready = (_ready(file, found) for file in project.files)
        yield [staged(stack, item) for item in ready if item and item.text]


def _ready(file: Mapping[str, Any], found: AttachedFiles) -> Ready | None:
    data = found.read(file["digest"])
    if data is None:
        return None
    kind = kind_of(file["name"], data[:1100])
    try:
        return same_image(file["name"], data) if kind is Kind.IMAGE else document(file["name"], kind, data)
    except (BadImage, Unreadable) as error:
        logger.info("a file of an import was left out: %s", error)
        return None


def store(owner: User, messages: Mapping[str, Message], brought: ByTurn) -> list[tuple[str, Attachment]]:
    """Store them with their messages, and count them there. Last in the caller's transaction.

    Gives each with the digest that the export calls it.
    """
    keep([item for listed in brought.values() for _digest, item in listed])
    rows = {
        (turn, position): (digest, row_of(owner, messages[turn], position, item))
        for turn, listed in brought.items()
        for position, (digest, item) in enumerate(listed)
    }
    Attachment.objects.bulk_create([row for _digest, row in rows.values()])
    for turn, listed in brought.items():
        messages[turn].attached = len(listed)
    Message.objects.bulk_update([messages[turn] for turn in brought], ["attached"])
    return list(rows.values())
