"""What came with the questions, as a model gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backends.adapters.base import Capability
from backends.adapters.messages import ChatMessage, ImagePart, Part, Role, TextPart
from backends.models import CatalogueModel
from chat.models import Attachment, Generation, Message

#: What a model that cannot see is told instead, so that it does not speak of a picture it never got.
LEFT_OUT = "\n\n[The user attached the image “{name}” here. You cannot see images, so it was left out.]"
#: A document in a question; the name is made harmless when it arrives, and here.
DOCUMENT = '\n\n<document name="{name}">\n{text}\n</document>'
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


def read_attached(rows: Sequence[Message], model: CatalogueModel | None) -> Attached:
    """Everything that came with these messages. One query, and none where nothing came."""
    found = Attached()
    having = [row.pk for row in rows if row.attached]
    if not having:
        return found
    blind = is_blind(model)
    for attachment in Attachment.objects.filter(message_id__in=having):
        unseen = blind and attachment.is_image
        found.left_out += unseen
        part = TextPart(LEFT_OUT.format(name=attachment.name)) if unseen else part_of(attachment)
        found.parts.setdefault(attachment.message_id, []).append(part)
    return found


def note_left_out(generation: Generation, images: int) -> None:
    """Remember how many images the model was not sent, for the note under its answer."""
    if generation.images_left_out != images:
        generation.images_left_out = images
        generation.save(update_fields=["images_left_out"])


def part_of(attachment: Attachment) -> Part:
    """The text, the image, or a word that it is gone."""
    if not attachment.is_image:
        return TextPart(DOCUMENT.format(name=attachment.name.replace('"', "'"), text=attachment.text))
    try:
        return ImagePart(attachment.content(), attachment.media_type)
    except FileNotFoundError:
        return TextPart(LOST.format(name=attachment.name))
