"""Documents as a model gets them: whole while they fit, else passages that the question's words are in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from chat.generation.told import WHOLE, Passage, Told
from chat.models import Attachment, Message, MessageRole, TextIndex
from chat.passages.index import Index
from chat.passages.ranking import best, weights

#: Characters of a token, rather few, and the share of a window that documents may take.
CHARACTERS, SHARE = 3, 0.5
#: Characters of all documents for a model whose window nobody knows; about 100,000 tokens.
UNKNOWN_ROOM = 400_000
#: Passages of one question, and what they may take: enough to answer from, little enough to read soon.
MOST_PASSAGES = 10
PASSAGES_ROOM = 16_000

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


def room_for(tokens: int | None) -> int:
    """Characters of documents that may be sent whole to a model with that window; None where nobody knows it."""
    return min(int(tokens * CHARACTERS * SHARE), UNKNOWN_ROOM) if tokens else UNKNOWN_ROOM


def told_of(rows: Sequence[Message], room: int, *, find: bool = True) -> Told:
    """What fits of the documents of these messages, the first ones first, and passages of the others.

    One query where all fit, and none where there are no files. Without ``find`` no passages are looked for.
    """
    having = [row.pk for row in rows if row.attached]
    if not having:
        return WHOLE
    listed = Attachment.objects.filter(message_id__in=having).exclude(text="").measured()
    told, left = Told(), room
    partly: list[Attachment] = []
    for document in listed:
        if document.characters <= left:
            left -= document.characters
        else:
            partly.append(document)
            told.partly[document.pk] = document.name
    if partly and find:
        wanted = weights(*questions(rows))
        indexes = indexes_of(partly)
        for hit in best(indexes, wanted, min(max(left, room // 2), PASSAGES_ROOM), MOST_PASSAGES):
            found = partly[hit.document]
            told.passages.append(Passage(found.pk, found.name, hit.span.place, hit.span.start, hit.span.end))
    return told


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
