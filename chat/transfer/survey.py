"""What an import would do: a dry run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chat.transfer import library, limits, projects, settings
from chat.transfer.files import missing
from chat.transfer.known import Known
from chat.transfer.portable import LeftOut, Library, PortableProject, Settings, Talk
from chat.transfer.reading import Loss, conversations
from chat.transfer.unpacking import AttachedFiles, Upload

if TYPE_CHECKING:
    from privatechathub.accounts.models import User

#: Names of files without conversations that a report lists.
MOST_NAMES = 20


def look_through(owner: User, upload: Upload) -> dict[str, Any]:
    """What would be imported and what not, as JSON (see :meth:`Survey.report`). Raises BadFile."""
    with upload.attached() as files:
        survey = Survey(owner, files)
        for found in conversations(upload):
            survey.take(found)
    if not survey.has_anything:
        raise limits.nothing_known()
    return survey.report()


@dataclass(slots=True)
class Survey:
    """What was found in a file so far, for a person who has some of it already."""

    owner: User
    files: AttachedFiles
    known: Known = field(init=False)
    sources: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    others: dict[str, None] = field(default_factory=dict)
    projects: dict[str, bool] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None
    seen: int = 0
    messages: int = 0
    attached: int = 0
    entries: int = 0
    unset: int = 0
    has_extras: bool = False

    def __post_init__(self) -> None:
        self.known = Known(self.owner)

    def take(self, found: Talk | Library | Settings | PortableProject | Loss) -> None:
        """One thing of the file."""
        match found:
            case Library():
                self.has_extras = True
                self.entries += len(library.lacking(self.owner, found))
            case Settings():
                self.has_extras = True
                self.unset += settings.lacking(self.owner, found)
            case PortableProject():
                self._take_project(found)
            case Loss():
                self.lost[found.reason.value] += 1
                self.others[found.file] = None
            case Talk():
                self._take_talk(found)

    def _take_project(self, found: PortableProject) -> None:
        self.projects[found.id] = projects.find(self.owner, found.id) is None
        if not projects.is_here(self.owner, found):
            gone = missing(found, self.files)
            self.attached += len(found.files) - gone
            self.left_out[LeftOut.FILE.value] += gone

    def _take_talk(self, found: Talk) -> None:
        if self.known.has(found, found.digest()):
            self.seen += 1
            return
        self.sources[found.source] += 1
        self.messages += len(found.turns)
        gone = missing(found, self.files)
        self.attached += sum(len(turn.files) for turn in found.turns) - gone
        for reason, count in (found.left_out + Counter({LeftOut.FILE: gone})).items():
            self.left_out[reason.value] += count
        if moments := [moment for moment in (found.created_at, found.updated_at) if moment]:
            self.first = min(moments if self.first is None else [*moments, self.first])
            self.last = max(moments if self.last is None else [*moments, self.last])

    @property
    def has_anything(self) -> bool:
        """Whether there was anything that a hub knows."""
        return bool(self.sources or self.seen or self.has_extras or self.projects)

    def report(self) -> dict[str, Any]:
        """The same as JSON.

        ``library`` counts new system prompts and presets, ``projects`` new ones, ``settings`` what the person has
        not chosen here yet; ``new`` and ``known`` count conversations, ``messages`` those of new ones, ``attached``
        their files, ``sources`` new ones by origin; ``lost`` whole conversations that cannot be read and
        ``left_out`` parts of new ones, by reason; ``others`` names files without conversations; ``first`` and
        ``last`` are ISO 8601.
        """
        return {
            "sources": dict(self.sources),
            "new": self.sources.total(),
            "known": self.seen,
            "library": self.entries,
            "settings": self.unset,
            "projects": sum(self.projects.values()),
            "messages": self.messages,
            "attached": self.attached,
            "lost": dict(self.lost),
            "left_out": dict(self.left_out),
            "others": list(self.others)[:MOST_NAMES],
            "first": self.first.isoformat() if self.first else "",
            "last": self.last.isoformat() if self.last else "",
        }
