"""Has the model of an answer summarise what no longer fits, in the answer's own turn, before it begins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from backends.adapters.base import Adapter
from backends.adapters.errors import ContextOverflow, ServerError
from backends.adapters.events import Restart, TextDelta
from backends.adapters.messages import ChatRequest
from backends.database import in_database, write_transaction
from chat.generation.cutting import summary_room
from chat.generation.fit import Fit
from chat.generation.reach import Reach, chunks
from chat.generation.summary import MOST_PIECES, Pieces, pieces, request_for, said
from chat.generation.texts import clean
from chat.models import Cut

#: Tokens of a window whose size nobody tells.
_CAREFUL = 4096
#: Refusals after which a summary is given up, and what remains of a piece after each.
_REFUSALS, _SMALLER = 3, 0.6

#: Told how far it is, from 0 to 1.
Progress = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Source:
    """What a summary is made from: the one before it, and what was said since. ``unread``: left out of both."""

    before: str
    turns: tuple[str, ...]
    unread: int = 0


async def write_summary(adapter: Adapter, like: ChatRequest, fit: Fit, cut: Cut, tell: Progress) -> None:
    """Fill the line's summary by the model of that request. Raises BackendError."""
    source = await in_database(read_source, cut, _longest(fit))
    scale = 1.0
    for refusals in range(_REFUSALS + 1):
        try:
            text, unread = await _written(adapter, like, fit, cut, source, scale, tell)
            break
        except ContextOverflow:
            if refusals == _REFUSALS:
                raise
            scale *= _SMALLER
    await in_database(keep_summary, cut, text, source.unread + unread)


async def _written(
    adapter: Adapter, like: ChatRequest, fit: Fit, cut: Cut, source: Source, scale: float, tell: Progress
) -> tuple[str, int]:
    tokens = summary_room(fit.window)
    room = int(((fit.window.tokens or _CAREFUL) - 2 * tokens) * scale)
    parts: Pieces = pieces(source.turns, room, fit.ratio)
    text = source.before
    for done, part in enumerate(parts.texts):
        await tell(done / len(parts.texts))
        request = request_for(
            like, part, before=text, tokens=tokens, fields=adapter.sampling_fields, name=str(cut.pk)
        )
        text = within(clean(await said_by(adapter, request)).strip(), int(tokens * fit.ratio))
        if not text:
            raise ServerError("the model wrote no summary")
    return text, parts.unread


def within(text: str, limit: int) -> str:
    """So much of it as room was kept for: not every server keeps the limit that it was given."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore").rstrip()


async def said_by(adapter: Adapter, request: ChatRequest) -> str:
    """The whole text of an answer."""
    text = ""
    async with aclosing(adapter.stream(request)) as events:
        async for event in events:
            match event:
                case TextDelta():
                    text += event.text
                case Restart():
                    text = text[: event.keep_chars]
                case _:
                    pass
    return text


def _longest(fit: Fit) -> int:
    """Bytes of turns that are worth reading: what does not go into the pieces need not be read."""
    return int((fit.window.tokens or _CAREFUL) * fit.ratio * (MOST_PIECES + 1))


def read_source(cut: Cut, longest: int) -> Source:
    """What stands above the line, from the line above it on."""
    last = cut.covers
    if last is None:
        return Source("", ())
    conversation = last.conversation
    cuts = {key: value for key, value in Cut.of(conversation).items() if value.pk != cut.pk}
    found, turns, length = Reach(), list[str](), 0
    for chunk in chunks(conversation, last.pk, cuts, found):
        turns[:0] = [said(row.role, row.text) for row in chunk if row.text.strip()]
        length = sum(len(turn) for turn in turns)
        if length > longest:
            break
    before = found.cut.summary if found.cut else ""
    unread = max(cut.left_out - len(turns), 0) if not found.whole else 0
    return Source(before if found.whole else "", tuple(turns), unread)


def keep_summary(cut: Cut, text: str, unread: int) -> None:
    """Store it, unless somebody has written one meanwhile."""
    with write_transaction():
        Cut.objects.filter(pk=cut.pk, summary="").update(summary=text, unread=unread, edited=False)
