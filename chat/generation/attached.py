"""What came with the questions, as a model gets it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backends.adapters.base import Capability
from backends.adapters.messages import ChatMessage, ImagePart, Part, Role, TextPart
from backends.models import CatalogueModel
from chat.generation.reading import DOCUMENT, SHORTENED, harmless, passages_text
from chat.generation.told import WHOLE, Told
from chat.models import Attachment, Generation, Message, MessageRole

#: What a model that cannot see is told instead, so that it does not speak of a picture it never got.
LEFT_OUT = "\n\n[The user attached the image “{name}” here. You cannot see images, so it was left out.]"
#: The same where the bytes are gone from the data folder.
LOST = "\n\n[The user attached the image “{name}” here. It is no longer available.]"


@dataclass(slots=True)
class Attached:
    """Parts by message. ``left_out`` counts images that this model cannot see."""

    parts: dict[int, list[Part]] = field(default_factory=dict)
    left_out: int = 0

    def turn(self, row: Message) -> ChatMessage:
        """A stored turn as adapters know it: its text, then what came with it."""
        parts = self.parts.get(row.pk)
        if not parts:
            return ChatMessage.of(Role(row.role), row.text)
        said = [TextPart(row.text)] if row.text else []
        return ChatMessage(Role(row.role), (*said, *parts))


def is_blind(model: CatalogueModel | None) -> bool:
    """Whether its server says that the model sees no images; where the server does not tell, it may."""
    known = None if model is None else model.capabilities
    return known is not None and Capability.VISION not in known


def read_attached(rows: Sequence[Message], model: CatalogueModel | None, told: Told = WHOLE) -> Attached:
    """Everything that came with these messages. One query, and none where nothing came.

    Of the documents that ``told`` names, only passages, after the last question.
    """
    found = Attached()
    blind = is_blind(model)
    for attachment in attachments_of(rows, told):
        unseen = blind and attachment.is_image
        found.left_out += unseen
        part = TextPart(LEFT_OUT.format(name=attachment.name)) if unseen else part_of(attachment, told)
        found.parts.setdefault(attachment.message_id or 0, []).append(part)
    asked = [row.pk for row in rows if row.role == MessageRole.USER]
    if told.passages and asked:
        found.parts.setdefault(asked[-1], []).append(TextPart(passages_text(told)))
    return found


def attachments_of(rows: Sequence[Message], told: Told) -> Iterable[Attachment]:
    """What came with them, in order; without the texts that are not sent whole."""
    having = [row.pk for row in rows if row.attached]
    if not having:
        return ()
    found = Attachment.objects.filter(message_id__in=having)
    if not told:
        return found
    partly = found.filter(pk__in=told.partly).defer("text")
    return sorted(
        [*found.exclude(pk__in=told.partly), *partly], key=lambda each: (each.message_id or 0, each.position)
    )


def note_left_out(generation: Generation, images: int, told: Told = WHOLE) -> None:
    """Remember what the model was not sent, for the notes under its answer: images, and the rest of documents."""
    passages = told.values()
    if (generation.images_left_out, generation.passages) != (images, passages):
        generation.images_left_out, generation.passages = images, passages
        generation.save(update_fields=["images_left_out", "passages"])


def part_of(attachment: Attachment, told: Told) -> Part:
    """The text, a word that there are passages of it, the image, or a word that it is gone."""
    if attachment.pk in told.partly:
        return TextPart(SHORTENED.format(name=harmless(attachment.name)))
    if not attachment.is_image:
        return TextPart(DOCUMENT.format(name=harmless(attachment.name), text=attachment.text))
    try:
        return ImagePart(attachment.content(), attachment.media_type)
    except FileNotFoundError:
        return TextPart(LOST.format(name=attachment.name))
