"""Documents as a model gets them: whole while they fit, else passages that the question's words are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chat.generation.estimate import USUAL
from chat.generation.told import WHOLE, Passage, Told
from chat.models import Attachment, Message, MessageRole, Project, TextIndex
from chat.passages.index import Index
from chat.passages.ranking import best, weights

#: The share of a window that documents may take.
SHARE = 0.5
#: Bytes of all documents for a model whose window nobody knows; about 100,000 tokens.
UNKNOWN_ROOM = 400_000
#: Passages of one question, and the bytes they may take: enough to answer from, little enough to read soon.
MOST_PASSAGES = 10
PASSAGES_ROOM = 16_000
#: What they may take even where whole documents leave less.
LEAST_ROOM = 3_000

#: A document; the name is made harmless when it arrives, and here.
DOCUMENT = '\n\n<document name="{name}">\n{text}\n</document>'
#: What stands in the place of a document that is not sent whole.
SHORTENED = (
    '\n\n<document name="{name}">\n[Too long to be sent whole. '
    "Passages from it that match the latest question are given with that question.]\n</document>"
)
#: The passages, after the latest question.
PASSAGES = (
    "\n\n<passages>\nThese passages were chosen from the attached documents by the words of the question; "
    "the rest of the documents is not visible to you. Name the passages that you use by their numbers, like [1]. "
    "Say so if they do not answer the question.\n{passages}\n</passages>"
)
PASSAGE = '\n<passage number="{number}" document="{name}"{place}>\n{text}\n</passage>'


def room_for(tokens: int | None, ratio: float = USUAL) -> int:
    """Bytes of documents that may be sent whole to a model with that window, None where nobody knows it.

    ``ratio``: bytes for each of its tokens.
    """
    return min(int(tokens * ratio * SHARE), UNKNOWN_ROOM) if tokens else UNKNOWN_ROOM


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents of a project: those that are sent whole, those that passages are sent of, and ``room`` in
    bytes for the documents of the conversation.
    """

    room: int = UNKNOWN_ROOM
    whole: tuple[Attachment, ...] = ()
    partly: tuple[Attachment, ...] = ()


#: That of a conversation without a project.
NO_SHELF = Shelf()


def shelf_of(project: Project | None, room: int) -> Shelf:
    """What a conversation of that project reads beside its own files. No query where there are none."""
    if project is None or not project.attached:
        return Shelf(room)
    listed = Attachment.objects.filter(project=project).order_by("created_at", "pk").measured()
    whole, partly, left = fitting(listed, room)
    texts = dict(Attachment.objects.filter(pk__in=[row.pk for row in whole]).values_list("pk", "text"))
    for row in whole:
        row.text = texts.get(row.pk, "")
    return Shelf(left, tuple(whole), tuple(partly))


def shelf_text(shelf: Shelf) -> str:
    """What the system text says of it; empty where there are no files."""
    whole = [DOCUMENT.format(name=harmless(row.name), text=row.text) for row in shelf.whole]
    partly = [SHORTENED.format(name=harmless(row.name)) for row in shelf.partly]
    return "".join([*whole, *partly]).strip()


def fitting(listed: Iterable[Attachment], room: int) -> tuple[list[Attachment], list[Attachment], int]:
    """The first documents that fit, the others, and the room that is left."""
    whole: list[Attachment] = []
    partly: list[Attachment] = []
    for document in listed:
        fits = document.weight <= room
        (whole if fits else partly).append(document)
        room -= document.weight if fits else 0
    return whole, partly, room


def told_of(rows: Sequence[Message], shelf: Shelf, *, find: bool = True) -> Told:
    """What fits of the documents of these messages, the first ones first, and passages of the others.

    One query where all fit, and none where there are no files. Without ``find`` no passages are looked for.
    """
    having = [row.pk for row in rows if row.attached]
    listed = Attachment.objects.filter(message_id__in=having).exclude(text="").measured() if having else ()
    _whole, partly, left = fitting(listed, shelf.room)
    if find:
        partly = [*shelf.partly, *partly]
    if not partly:
        return WHOLE
    return Told(
        {document.pk: document.name for document in partly}, found_in(partly, rows, left) if find else []
    )


def found_in(documents: Sequence[Attachment], rows: Sequence[Message], room: int) -> list[Passage]:
    """The passages that match the last of the questions."""
    density = sum(document.weight for document in documents) / sum(
        document.characters for document in documents
    )
    space = int(min(max(room, LEAST_ROOM), PASSAGES_ROOM) / density)
    found = []
    for hit in best(indexes_of(documents), weights(*questions(rows)), space, MOST_PASSAGES):
        document = documents[hit.document]
        found.append(Passage(document.pk, document.name, hit.span.place, hit.span.start, hit.span.end))
    return found


def questions(rows: Sequence[Message]) -> tuple[str, str]:
    """The last question, and the one before."""
    asked = [row.text for row in rows if row.role == MessageRole.USER][-2:][::-1]
    return (asked[0] if asked else "", asked[1] if len(asked) > 1 else "")


def indexes_of(documents: Sequence[Attachment]) -> list[Index]:
    """What is counted of each; what is not yet counted is read for it, and kept."""
    kept = TextIndex.objects.in_bulk([document.digest for document in documents])
    found: list[Index] = []
    for document in documents:
        row = kept.get(document.digest)
        if row is None or row.characters != document.characters:
            row = counted(document)
            kept[document.digest] = row
        found.append(Index.unpacked(bytes(row.data)))
    return found


def counted(document: Attachment) -> TextIndex:
    """Count the words of a document, and keep that."""
    text = document.text
    row = TextIndex(
        digest=document.digest, characters=len(text), data=Index.of(text, document.media_type).packed()
    )
    TextIndex.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["digest"], update_fields=["characters", "data"]
    )
    return row


def passages_text(told: Told) -> str:
    """The passages as the model reads them. One query; a document that is gone is left out."""
    texts = dict(
        Attachment.objects.filter(pk__in={passage.file for passage in told.passages}).values_list(
            "pk", "text"
        )
    )
    return PASSAGES.format(passages="".join(_passages(told.passages, texts))) if told.passages else ""


def _passages(passages: Iterable[Passage], texts: dict[UUID, str]) -> Iterable[str]:
    for number, passage in enumerate(passages, 1):
        if passage.file in texts:
            unit, _colon, name = passage.place.partition(":")
            yield PASSAGE.format(
                number=number,
                name=harmless(passage.name),
                place=f' {unit}="{harmless(name)}"' if unit else "",
                text=texts[passage.file][passage.start : passage.end].strip(),
            )


def harmless(name: str) -> str:
    """A name between quotation marks."""
    return name.replace('"', "'")
