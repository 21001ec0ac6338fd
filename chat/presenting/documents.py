"""The text of a document as a page to read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from chat.generation.estimate import USUAL
from chat.models import Attachment, Project
from chat.passages.cutting import place_of
from chat.services.uploads import ACCEPT_DOCUMENTS, MOST_FILES


@dataclass(frozen=True, slots=True)
class PieceView:
    """Some of a text. ``anchor`` names the page, slide or sheet that begins with it; ``marked``: it is of the passage,
    ``begins``: as its first piece.
    """

    text: str
    anchor: str = ""
    marked: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class TextView:
    """A document to read. ``marked``: there is a passage to look at. ``is_image``: there is no text, but a picture."""

    name: str
    size: str
    characters: int
    file_url: str
    raw_url: str
    back_url: str
    pieces: tuple[PieceView, ...]
    marked: bool = False
    is_image: bool = False


def text_view(row: Attachment, start: int = 0, end: int = 0) -> TextView:
    """The whole text, with the characters from ``start`` to ``end`` marked."""
    text = row.text
    start, end = (start, min(end, len(text))) if start < end and start < len(text) else (0, 0)
    return TextView(
        name=row.name,
        size=filesizeformat(row.size),
        characters=len(text),
        file_url=reverse("chat:attachment", args=[row.pk]),
        raw_url=reverse("chat:attachment-text", args=[row.pk]),
        back_url=back_url(row),
        pieces=tuple(pieces(text, start, end, paged=row.media_type != "text/plain")),
        marked=bool(end),
        is_image=row.is_image,
    )


def back_url(row: Attachment) -> str:
    """Where the file belongs."""
    if row.message is not None:
        return f"{row.message.conversation.get_absolute_url()}#message-{row.message_id}"
    return reverse("chat:project-files", args=[row.project_id])


def pieces(text: str, start: int, end: int, *, paged: bool) -> list[PieceView]:
    """The text at its pages and at the passage. Together they are the text, to the letter."""
    anchors = dict(pages(text)) if paged else {}
    edges = sorted({0, len(text), *anchors, *([start, end] if end else [])})
    return [
        PieceView(text[begin:finish], anchors.get(begin, ""), start <= begin < end, begin == start < end)
        for begin, finish in pairwise(edges)
    ]


def pages(text: str) -> list[tuple[int, str]]:
    """Where each page, slide or sheet begins, with its name in addresses: ``page-12``."""
    found, at = [], 0
    for line in text.splitlines(keepends=True):
        if place := place_of(line):
            unit, _colon, name = place.partition(":")
            found.append((at, f"{unit}-{name}".replace(" ", "-")))
        at += len(line)
    return found


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a project. ``tokens`` is about what it takes of a model's window."""

    name: str
    size: str
    tokens: int
    read_url: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class ProjectFilesView:
    """The files of a project. ``accept``: what file choosers offer, as HTML wants it. ``most`` can be added at once."""

    name: str
    url: str
    add_url: str
    accept: str
    most: int
    files: tuple[FileRow, ...]

    @property
    def tokens(self) -> int:
        """Of all files together."""
        return sum(file.tokens for file in self.files)


def project_files_view(project: Project) -> ProjectFilesView:
    """One query."""
    rows = Attachment.objects.filter(project=project).order_by("created_at", "pk").measured()
    return ProjectFilesView(
        name=project.name,
        url=project.get_absolute_url(),
        add_url=reverse("chat:project-files", args=[project.pk]),
        accept=ACCEPT_DOCUMENTS,
        most=MOST_FILES,
        files=tuple(
            FileRow(
                name=row.name,
                size=filesizeformat(row.size),
                tokens=round(row.weight / USUAL),
                read_url=reverse("chat:attachment-read", args=[row.pk]),
                remove_url=reverse("chat:project-file-remove", args=[row.pk]),
            )
            for row in rows
        ),
    )
