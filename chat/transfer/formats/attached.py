"""What is told of a file that came with a message or belongs to a project; a zip has its bytes beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.arrivals import file_name
from chat.transfer import values

#: Our names of what is told of a file -> those of the format.
FILE = {"digest": "sha256"}


def written_file(file: Mapping[str, Any]) -> dict[str, Any]:
    """A file as JSON values."""
    return {FILE.get(name, name): value for name, value in file.items()}


def read_file(file: Mapping[str, Any]) -> dict[str, Any]:
    """The same from JSON values; without ``digest`` where its bytes cannot be found by that."""
    digest = file.get("sha256")
    return {
        "name": file_name(values.text(file.get("name"), 500)),
        "media_type": values.name(file.get("media_type"), 100),
        "size": values.whole(file.get("size")) or 0,
        "digest": digest if values.is_digest(digest) else "",
    }
