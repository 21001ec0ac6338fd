"""Pictures for tests, drawn on the spot."""

from __future__ import annotations

import io
from contextlib import ExitStack
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from chat.arrivals import Ready
from chat.models import Attachment, Message
from chat.services.attaching import attach, staged
from chat.services.uploads import prepared

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(size: tuple[int, int] = (60, 40), colour: Any = "teal", kind: str = "PNG", **options: Any) -> bytes:
    """A file of one colour."""
    return encoded(Image.new("RGB", size, colour), kind, **options)


def upload(name: str = "cat.png", data: bytes | None = None) -> SimpleUploadedFile:
    """What a browser sends."""
    return SimpleUploadedFile(name, plain() if data is None else data, "application/octet-stream")


def opened(data: bytes) -> Image.Image:
    """The picture in a file, decoded."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@cache
def written_anew(name: str, data: bytes | None) -> Ready:
    """What the hub makes of an upload, once for all tests that only need one: it starts a process for each."""
    return prepared(upload(name, data))


def attach_picture(message: Message, name: str = "cat.png", data: bytes | None = None) -> Attachment:
    """The message comes with a picture."""
    with ExitStack() as stack:
        attach(message.conversation.owner, message, [staged(stack, written_anew(name, data))])
    message.attached += 1
    message.save(update_fields=["attached"])
    return message.attachments.get(name=name)
