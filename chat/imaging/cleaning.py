"""The parent of the worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from chat.isolated import WORKERS, isolated

WORKER = WORKERS / "image.py"
#: Seconds for one image; a busy small machine needs about three for 50 million pixels.
PATIENCE = 40


class Trouble(StrEnum):
    """Why there is no image."""

    HEIC = "heic"
    UNKNOWN = "unknown"
    BROKEN = "broken"
    LARGE = "large"


class BadImage(Exception):
    """``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class CleanImage:
    """Written by us: JPEG or PNG, at most 2048 pixels long, and a small WebP. Nothing but the pixels is left.

    ``was_clean``: the same could be said of the source.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    thumbnail: bytes
    was_clean: bool = False


def clean(source: IO[bytes]) -> CleanImage:
    """Decode an untrusted image and write it anew. Blocks for up to seconds. Raises BadImage."""
    line, _newline, rest = isolated(WORKER, source.read(), PATIENCE).partition(b"\n")
    try:
        header = json.loads(line)
    except ValueError:  # killed by a limit
        raise BadImage(Trouble.LARGE) from None
    if "trouble" in header:
        raise BadImage(Trouble(header["trouble"]))
    size = header["size"]
    return CleanImage(
        data=rest[:size],
        media_type=header["media_type"],
        width=header["width"],
        height=header["height"],
        thumbnail=rest[size : size + header["thumbnail"]],
        was_clean=header["was_clean"],
    )
