"""What an MCP tool gives back, as a tool's result: text for the model, a few images, and names for the rest."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterable
from typing import TYPE_CHECKING

from backends.adapters.messages import ImagePart
from chat.tools.base import ToolResult

if TYPE_CHECKING:
    from mcp_types import BlobResourceContents, CallToolResult, ContentBlock, TextResourceContents

#: Parts that are read, characters that are kept, images, and bytes of one.
PARTS = 200
LONGEST = 200_000
IMAGES = 4
IMAGE_BYTES = 2 * 1024 * 1024
#: What models' servers take, by the bytes that it begins with.
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def tool_result(result: CallToolResult) -> ToolResult:
    """The result within its bounds. Nothing that it names is fetched. The text tells of the images, too: people
    see only that, and some models.
    """
    texts: list[str] = []
    images: list[ImagePart] = []
    for block in result.content[:PARTS]:
        image = image_of(block) if len(images) < IMAGES else None
        if image:
            images.append(image)
            texts.append(f"[image of type {image.media_type}]")
        else:
            texts.append(text_of(block))
    if not texts and result.structured_content is not None:
        texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    if len(result.content) > PARTS:
        texts.append(f"[{len(result.content) - PARTS} more parts were left out]")
    return ToolResult(text=joined(texts), is_error=bool(result.is_error), images=tuple(images))


def joined(texts: Iterable[str]) -> str:
    """One text; never empty, because some servers refuse an empty result."""
    return "\n\n".join(filter(None, texts))[:LONGEST] or "[no content]"


def text_of(block: ContentBlock) -> str:
    """A part in words."""
    if block.type == "text":
        return block.text
    if block.type == "resource":
        return resource_text(block.resource)
    if block.type == "resource_link":
        return f"[resource {block.name}: {block.uri}] {block.description or ''}".strip()
    return f"[{block.type} of type {block.mime_type} was left out]"


def resource_text(resource: TextResourceContents | BlobResourceContents) -> str:
    """A resource that came with the result."""
    text = getattr(resource, "text", None)
    if text is not None:
        return f"[resource {resource.uri}]\n{text}"
    return f"[resource {resource.uri} of type {resource.mime_type} was left out]"


def image_of(block: ContentBlock) -> ImagePart | None:
    """The image that the part is, where it is one of a kind that models see."""
    if block.type != "image" or len(block.data) > IMAGE_BYTES * 4 // 3 + 4:
        return None
    try:
        data = b64decode(block.data, validate=True)
    except (BadBase64, ValueError):
        return None
    kind = next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), "")
    return ImagePart(data, kind) if kind else None
