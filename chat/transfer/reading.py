"""An upload as conversations, one after the other, with word of what could not be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chat.transfer import limits, values
from chat.transfer.formats import library, project, settings
from chat.transfer.formats.registry import format_of
from chat.transfer.portable import LeftOut, Library, PortableProject, Settings, Talk, Unreadable
from chat.transfer.splitting import split
from chat.transfer.unpacking import Upload


@dataclass(frozen=True, slots=True)
class Loss:
    """Something of a file that is no conversation, or none that can be kept."""

    file: str
    reason: LeftOut


Found = Talk | Library | PortableProject | Settings | Loss


def conversations(upload: Upload) -> Iterator[Found]:
    """What is in it. Raises BadFile, also after the first conversations."""
    count = 0
    for name, chunks in upload.files():
        for found in _of_file(name, chunks):
            count += isinstance(found, Talk | PortableProject)
            if count > limits.MOST_CONVERSATIONS:
                raise limits.too_large()
            yield found


def _of_file(name: str, chunks: Iterator[bytes]) -> Iterator[Found]:
    for data in split(chunks):
        if data is None:
            yield Loss(name, LeftOut.TOO_LONG)
            continue
        try:
            item = json.loads(data, parse_constant=lambda _word: None)
        except (ValueError, RecursionError):
            raise limits.not_json() from None
        inner = item.get("conversations")
        for each in values.objects(inner) if isinstance(inner, list) else [item]:
            yield read(name, each)


def read(file: str, item: dict[str, Any]) -> Found:
    """One object as a conversation, as somebody's library or settings, or as a project."""
    if library.recognises(item):
        return _beside(file, item, library.read)
    if project.recognises(item):
        return _beside(file, item, project.read)
    if settings.recognises(item):
        return _beside(file, item, settings.read)
    known = format_of(item)
    if known is None:
        return Loss(file, LeftOut.UNKNOWN)
    try:
        talk = known.read(item)
    except Unreadable:
        return Loss(file, LeftOut.UNREADABLE)
    if not talk.turns:
        return Loss(file, LeftOut.NO_MESSAGES)
    if len(talk.turns) > limits.MOST_MESSAGES:
        return Loss(file, LeftOut.TOO_LONG)
    return talk


def _beside(
    file: str, item: dict[str, Any], reader: Callable[[dict[str, Any]], Library | PortableProject | Settings]
) -> Found:
    try:
        return reader(item)
    except Unreadable:
        return Loss(file, LeftOut.UNREADABLE)
