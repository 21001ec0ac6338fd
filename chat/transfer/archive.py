"""A zip that is sent while it is written: one conversation in memory at a time."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone
from django.utils.translation import get_language, override

from backends.database import in_database
from chat import files
from chat.models import Conversation
from chat.transfer import loading, projects
from chat.transfer.hiding import hidden
from chat.transfer.library import library_of
from chat.transfer.names import Names
from chat.transfer.settings import settings_of
from chat.transfer.unpacking import FOLDER
from chat.transfer.writing import KINDS, Kind, library_as_json, project_as_json, settings_as_json

if TYPE_CHECKING:
    from privatechathub.accounts.models import User


class _Outlet(io.RawIOBase):
    """Where the zip is written: keeps what was not taken yet, and cannot go back."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._waiting += view
        return view.nbytes

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


@dataclass(frozen=True, slots=True)
class _Written:
    """A conversation as a file. ``digests`` are those of the files of its messages."""

    title: str
    updated_at: datetime
    content: str
    digests: tuple[str, ...]


async def zipped(user: User, kind: Kind, ids: Collection[UUID] | None = None) -> AsyncIterator[bytes]:
    """Conversations of this person, the newest first; all of them where none are named.

    As JSON their projects come before them, or all of this person, and with them the files of their messages,
    each content once.
    """
    language = get_language()
    outlet, names = _Outlet(), Names()
    kept: set[str] = set()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        if ids is None and kind is KINDS["json"] and (entries := await in_database(library_of, user)):
            _write(
                archive, names.unused("library", ""), kind.ending, timezone.now(), library_as_json(entries)
            )
        if ids is None and kind is KINDS["json"] and (own := await in_database(settings_of, user)):
            _write(archive, names.unused("settings", ""), kind.ending, timezone.now(), settings_as_json(own))
        if kind is KINDS["json"]:
            for project in await in_database(projects.of, user, ids):
                loaded = await in_database(projects.load, project)
                name = names.unused(project.name, str(project.pk))
                _write(archive, name, kind.ending, project.updated_at, project_as_json(loaded))
                yield outlet.take()
                for file in loaded.files:
                    await asyncio.to_thread(_add_file, archive, file["digest"], project.updated_at, kept)
                    yield outlet.take()
        for pk in await in_database(_ids, user, ids):
            found = await in_database(_written, user, pk, kind, language, ids is None)
            if found is None:  # deleted meanwhile
                continue
            _add(archive, names, pk, kind, found)
            yield outlet.take()
            for digest in found.digests:
                await asyncio.to_thread(_add_file, archive, digest, found.updated_at, kept)
                yield outlet.take()
    yield outlet.take()


def packed(user: User, pks: Iterable[UUID], kind: Kind) -> bytes:
    """A few conversations of this person, all in memory, like :func:`zipped`."""
    content, names = io.BytesIO(), Names()
    kept: set[str] = set()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for pk in pks:
            if found := _written(user, pk, kind, get_language()):
                _add(archive, names, pk, kind, found)
                for digest in found.digests:
                    _add_file(archive, digest, found.updated_at, kept)
    return content.getvalue()


def _add(archive: zipfile.ZipFile, names: Names, pk: UUID, kind: Kind, found: _Written) -> None:
    _write(archive, names.unused(found.title, str(pk)), kind.ending, found.updated_at, found.content)


def _write(archive: zipfile.ZipFile, name: str, ending: str, updated: datetime, content: str) -> None:
    archive.writestr(_entry(f"{name}.{ending}", updated), content)


def _entry(name: str, moment: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _date(moment))
    entry.external_attr = 0o600 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _add_file(archive: zipfile.ZipFile, digest: str, moment: datetime, kept: set[str]) -> None:
    """A file's content, unless it is in the zip already or gone from the data folder."""
    if digest in kept:
        return
    kept.add(digest)
    with suppress(FileNotFoundError):
        archive.writestr(_entry(FOLDER + digest, moment), files.read(digest))


def _ids(user: User, wanted: Collection[UUID] | None) -> list[UUID]:
    rows = Conversation.objects.owned_by(user)
    return list((rows if wanted is None else rows.whole(wanted)).values_list("pk", flat=True))


def _written(
    user: User, pk: UUID, kind: Kind, language: str | None, everything: bool = False
) -> _Written | None:
    """One conversation; ``everything``: among all of this person."""
    mine = Conversation.objects.owned_by(user).select_related("backend", "project", "comparison")
    row = mine.filter(pk=pk).first()
    if row is None:
        return None
    talk = loading.load(row)
    if not (everything and kind is KINDS["json"]):
        talk = hidden(talk, row.alias)
    digests = tuple(file["digest"] for turn in talk.turns for file in turn.files)
    with override(language):
        return _Written(row.title, row.updated_at, kind.write(talk), digests if kind.ending == "json" else ())


def _date(moment: datetime) -> tuple[int, int, int, int, int, int]:
    """As a zip has it, which knows no year before 1980."""
    local = max(timezone.localtime(moment), datetime(1980, 1, 2, tzinfo=UTC))
    return local.year, local.month, local.day, local.hour, local.minute, local.second
