"""Images inside JSON, as a ``data:`` URL (RFC 2397)."""

from __future__ import annotations

from base64 import b64encode

from backends.adapters.messages import ImagePart


def data_url(image: ImagePart) -> str:
    """For example ``data:image/png;base64,iVBORw==``."""
    return f"data:{image.media_type};base64,{b64encode(image.data).decode()}"
