"""What an import would do, and doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError

from backends.database import write_transaction
from chat.models import Conversation, Origin
from chat.transfer import library, limits, projects, rows, settings
from chat.transfer.comparisons import Columns
from chat.transfer.files import NO_FILES, ByTurn, brought, brought_to, missing
from chat.transfer.portable import HUB, LeftOut, Library, PortableProject, Settings, Talk
from chat.transfer.reading import Loss, conversations
from chat.transfer.unpacking import AttachedFiles, Upload

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Names of files without conversations that a report lists.
MOST_NAMES = 20


class Known:
    """What a person has already: of earlier imports, of this hub itself, and of the same file."""

    def __init__(self, owner: User) -> None:
        self._owner = owner
        origins = Origin.objects.filter(owner=owner, conversation__deleted_at=None)
        self._seen = set(origins.values_list("source", "source_id", "digest"))
        self._own = set(Conversation.objects.owned_by(owner).values_list("pk", flat=True))

    def has(self, talk: Talk, digest: str) -> bool:
        """Whether this very conversation is there. From the second question on, always."""
        key = (talk.source, origin_id(talk, digest), digest)
        if key in self._seen:
            return True
        self._seen.add(key)
        return talk.source == HUB and self._is_here(talk.source_id, digest)

    def _is_here(self, source_id: str, digest: str) -> bool:
        """Whether the person still has the conversation that a file of this hub was made from."""
        try:
            pk = UUID(source_id)
        except ValueError:
            return False
        if pk not in self._own:
            return False
        found = Conversation.objects.owned_by(self._owner).filter(pk=pk).first()
        return found is not None and rows.load(found).digest() == digest


def origin_id(talk: Talk, digest: str) -> str:
    """What a conversation is known by at its origin; one without an id, by what it says."""
    return talk.source_id or digest


def new_ones(owner: User, upload: Upload) -> Iterator[tuple[Talk, str]]:
    """The conversations that the person does not have yet, each with its digest. Raises BadFile."""
    known = Known(owner)
    for found in conversations(upload):
        if isinstance(found, Talk) and not known.has(found, digest := found.digest()):
            yield found, digest


def take_in_beside(owner: User, upload: Upload, files: AttachedFiles) -> None:
    """Store libraries, settings and projects, to which conversations may refer. Raises BadFile."""
    for found in conversations(upload):
        if isinstance(found, Library):
            with write_transaction():
                library.take_in(owner, found)
        elif isinstance(found, Settings):
            with write_transaction():
                settings.take_in(owner, found)
        elif isinstance(found, PortableProject) and not projects.is_here(owner, found):
            with brought_to(found, files) as arrived:
                projects.save(owner, found, arrived)


def look_through(owner: User, upload: Upload) -> dict[str, Any]:
    """A dry run: what would be imported and what not, as JSON. Raises BadFile.

    ``library`` counts new system prompts and presets, ``projects`` new ones, ``settings`` what the person has not
    chosen here yet; ``new`` and ``known`` count conversations,
    ``messages`` those of new ones, ``attached`` their files, ``sources`` new ones by origin;
    ``lost`` whole conversations that cannot be read and ``left_out`` parts of new ones, by reason;
    ``others`` names files without conversations; ``first`` and ``last`` are ISO 8601.
    """
    known = Known(owner)
    sources: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    others: dict[str, None] = {}
    dates: list[datetime] = []
    seen = messages = entries = attached = 0
    unset = 0
    libraries = False
    new_projects: dict[str, bool] = {}
    with upload.attached() as files:
        for found in conversations(upload):
            if isinstance(found, Library):
                libraries = True
                entries += len(library.lacking(owner, found))
            elif isinstance(found, Settings):
                libraries = True
                unset += settings.lacking(owner, found)
            elif isinstance(found, PortableProject):
                new_projects[found.id] = projects.find(owner, found.id) is None
                if not projects.is_here(owner, found):
                    gone = missing(found, files)
                    attached += len(found.files) - gone
                    left_out.update({LeftOut.FILE.value: gone})
            elif isinstance(found, Loss):
                lost[found.reason.value] += 1
                others[found.file] = None
            elif known.has(found, found.digest()):
                seen += 1
            else:
                sources[found.source] += 1
                messages += len(found.turns)
                gone = missing(found, files)
                attached += sum(len(turn.files) for turn in found.turns) - gone
                lost_parts = found.left_out + Counter({LeftOut.FILE: gone})
                left_out.update({reason.value: count for reason, count in lost_parts.items()})
                moments = [moment for moment in (found.created_at, found.updated_at) if moment]
                dates = [min([*dates, *moments]), max([*dates, *moments])] if moments else dates
    if not (sources or seen or libraries or new_projects):
        raise limits.nothing_known()
    return {
        "sources": dict(sources),
        "new": sources.total(),
        "known": seen,
        "library": entries,
        "settings": unset,
        "projects": sum(new_projects.values()),
        "messages": messages,
        "attached": attached,
        "lost": dict(lost),
        "left_out": dict(left_out),
        "others": list(others)[:MOST_NAMES],
        "first": dates[0].isoformat() if dates else "",
        "last": dates[1].isoformat() if dates else "",
    }


def bring_in(owner: User, upload: Upload, told: Callable[[int], None]) -> int:
    """Store what is new, one transaction a conversation, so that others get their turn. Gives how many.

    ``told`` hears the count after each. What was stored before a BadFile stays; a second try goes on there.
    """
    count = 0
    columns = Columns(owner)
    try:
        with upload.attached() as files:
            take_in_beside(owner, upload, files)
            for talk, digest in new_ones(owner, upload):
                with brought(talk, files) as arrived:
                    made = bring_in_one(owner, talk, digest, arrived)
                if made:
                    columns.add(made, talk.column)
                    count += 1
                told(count)
    finally:
        columns.join()
    return count


def bring_in_one(owner: User, talk: Talk, digest: str, arrived: ByTurn = NO_FILES) -> Conversation | None:
    """Store one; None where another tab has just done it."""
    try:
        with write_transaction():
            origin = {"owner": owner, "source": talk.source, "digest": digest}
            origin["source_id"] = origin_id(talk, digest)
            Origin.objects.filter(**origin, conversation__deleted_at__isnull=False).delete()
            made = rows.save(owner, talk, arrived)
            Origin.objects.create(conversation=made, **origin)
    except IntegrityError:
        return None
    return made
